import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";

/** One value a second while a channel is on air, or one a minute for the days before. */
export type HistoryStep = "second" | "minute";

/** One target's numbers, each as long as the block's `times`. */
export type TargetSeries = {
  readonly targetId: TargetId;
  /** Bytes a second. */
  readonly rates: readonly number[];
  /** Media that the target did not have yet, in milliseconds; of a minute the most. */
  readonly queueMs: readonly number[];
  /** Frames lost, and reconnection attempts, in this second or minute. */
  readonly drops: readonly number[];
  readonly retries: readonly number[];
};

/** Some values of one channel that follow each other, of the same targets. */
export type HistoryBlock = {
  readonly channelId: ChannelId;
  readonly step: HistoryStep;
  /** Milliseconds since the Unix epoch, rising. Never empty. */
  readonly times: readonly number[];
  /** Bytes a second that came from the encoder. */
  readonly ingestRates: readonly number[];
  readonly targets: readonly TargetSeries[];
};

/** Which blocks are not kept any longer. Times are milliseconds since the Unix epoch. */
export type HistoryLimits = { readonly secondsBefore: number; readonly minutesBefore: number };

/** Where the history is kept. Every call may reject with StoreUnavailableError. */
export interface HistoryStore {
  /** All of them or none. A block that begins when another of its channel and step does takes its place. */
  putBlocks(blocks: readonly HistoryBlock[]): Promise<void>;
  /** Blocks that may have values from `from` to `to`, oldest first. */
  readBlocks(channelId: ChannelId, step: HistoryStep, from: number, to: number): Promise<readonly HistoryBlock[]>;
  /** Removes what a channel has in seconds from before this time: its broadcast is not the current one any more. */
  removeSeconds(channelId: ChannelId, before: number): Promise<void>;
  /** Removes old blocks, at most `limit`; returns how many. */
  pruneHistory(limits: HistoryLimits, limit: number): Promise<number>;
}

/** Rates are kept in kilobits: so many bytes. Finer than that they are noise, which cannot be stored in little. */
export const RATE_UNIT = 125;

/** Values of one block. */
export const BLOCK_VALUES = 60;
