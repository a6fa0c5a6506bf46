import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";

/** One value a second while a channel is on air, or one a minute for the days before. */
export type HistoryStep = "second" | "minute";

/** One target's values, each list as long as the block's `times`. */
export type TargetSeries = {
  readonly targetId: TargetId;
  /** Bytes a second. */
  readonly rates: readonly number[];
  /** Media that the target did not have yet, in milliseconds; for a minute the largest value. */
  readonly queueMs: readonly number[];
  /** Frames lost, and reconnection attempts, in this second or minute. */
  readonly drops: readonly number[];
  readonly retries: readonly number[];
};

/** Consecutive values of one channel, with the same targets throughout. */
export type HistoryBlock = {
  readonly channelId: ChannelId;
  readonly step: HistoryStep;
  /** Milliseconds since the Unix epoch, rising. Never empty. */
  readonly times: readonly number[];
  /** Bytes a second from the encoder. */
  readonly ingestRates: readonly number[];
  readonly targets: readonly TargetSeries[];
};

/** What waits for the database: blocks, and channels whose broadcast began, with its time: their seconds before that are removed. */
export type UnstoredHistory = {
  readonly blocks: readonly HistoryBlock[];
  readonly began: readonly (readonly [ChannelId, number])[];
};

/** Which blocks are removed. Times are milliseconds since the Unix epoch. */
export type HistoryLimits = { readonly secondsBefore: number; readonly minutesBefore: number };

/** The store of the history. Every call may reject with StoreUnavailableError. */
export interface HistoryStore {
  /** All of them or none. A block replaces the one of the same channel, step and beginning. */
  putBlocks(blocks: readonly HistoryBlock[]): Promise<void>;
  /** Blocks that may have values between `from` and `to`, oldest first. */
  readBlocks(channelId: ChannelId, step: HistoryStep, from: number, to: number): Promise<readonly HistoryBlock[]>;
  /** Removes a channel's seconds from before this time: their broadcast is no longer the current one. */
  removeSeconds(channelId: ChannelId, before: number): Promise<void>;
  /** Removes at most `limit` old blocks; returns how many. */
  pruneHistory(limits: HistoryLimits, limit: number): Promise<number>;
}

/** Rates are kept in steps of this many bytes, one kilobit: finer differences are noise, which does not compress. */
export const RATE_UNIT = 125;

/** Values in one block. */
export const BLOCK_VALUES = 60;
