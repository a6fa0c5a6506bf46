import type { BroadcastEnd } from "../../api-contract/event-words.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../../thread-protocol/facts.ts";
import type { DroppedFrames } from "../../thread-protocol/samples.ts";
import type { TargetErrorCode } from "../../thread-protocol/targets/target-status.ts";
import type { Page } from "../ports/store.ts";

/** Media did not flow for a while. */
export type Interruption = {
  /** When it began, milliseconds since the Unix epoch. */
  readonly time: number;
  readonly durationMs: number;
  /** Of a target its error's code, of the encoder how it was lost. */
  readonly reason: TargetErrorCode | IngestEnd;
};

/** The first of the interruptions, oldest first, and how many there were in all. */
export type Interruptions = { readonly list: readonly Interruption[]; readonly count: number };

/** One target's part in a broadcast. */
export type TargetReport = {
  readonly targetId: TargetId;
  /** As it was called then; absent where it was not known. */
  readonly targetName?: string;
  readonly label?: string;
  /** Milliseconds spent PUBLISHING. */
  readonly onAirMs: number;
  readonly bytes: number;
  readonly retryCount: number;
  readonly drops: DroppedFrames;
  readonly interruptions: Interruptions;
};

/** What became of one broadcast. Times are milliseconds since the Unix epoch. */
export type BroadcastReport = {
  readonly channelId: ChannelId;
  readonly startTime: number;
  /** While it is on air: up to when this is known. */
  readonly endTime: number;
  /** Absent while it is on air. */
  readonly end?: BroadcastEnd;
  /** Of the encoder, while the targets were held. */
  readonly interruptions: Interruptions;
  readonly targets: readonly TargetReport[];
};

/** The same of a broadcast that is over. */
export type FinishedReport = BroadcastReport & { readonly end: BroadcastEnd };

/** Where reports are kept, one for each channel and start. Every call may reject with StoreUnavailableError. */
export interface ReportStore {
  /** All of them or none; one that is there already is replaced. */
  putReports(reports: readonly BroadcastReport[]): Promise<void>;
  /** Ends, as `server-lost`, all broadcasts that are on air by their reports. */
  endReportsLeft(): Promise<void>;
  /** The broadcast that began then; undefined where there is none, or it is not over. */
  findReport(channelId: ChannelId, startTime: number): Promise<FinishedReport | undefined>;
  /** Broadcasts that are over, newest first; `total` counts all pages. */
  listReports(
    channelId: ChannelId,
    page: Page,
  ): Promise<{ readonly reports: readonly FinishedReport[]; readonly total: number }>;
}
