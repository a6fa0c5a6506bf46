import type { BroadcastEnd } from "../../api-contract/event-words.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../../thread-protocol/facts.ts";
import type { DroppedFrames } from "../../thread-protocol/samples.ts";
import type { TargetErrorCode } from "../../thread-protocol/targets/target-status.ts";
import type { RefusedEncoder } from "../facts/refusal-list.ts";
import type { Page } from "../ports/store.ts";

/** A time in which media did not flow. */
export type Interruption = {
  /** When it began, milliseconds since the Unix epoch. */
  readonly time: number;
  readonly durationMs: number;
  /** For a target the code of its error, for the encoder how it was lost. */
  readonly reason: TargetErrorCode | IngestEnd;
};

/** The first interruptions, oldest first, and how many there were in total. */
export type Interruptions = { readonly list: readonly Interruption[]; readonly count: number };

/** One target's part in a broadcast. */
export type TargetReport = {
  readonly targetId: TargetId;
  /** Its name at that time; absent where it was not known. */
  readonly targetName?: string;
  readonly label?: string;
  /** Milliseconds spent PUBLISHING. */
  readonly onAirMs: number;
  readonly bytes: number;
  readonly retryCount: number;
  readonly drops: DroppedFrames;
  readonly interruptions: Interruptions;
};

/** The report of one broadcast. Times are milliseconds since the Unix epoch. */
export type BroadcastReport = {
  readonly channelId: ChannelId;
  readonly startTime: number;
  /** While it is on air: the time up to which the report goes. */
  readonly endTime: number;
  /** Absent while it is on air. */
  readonly end?: BroadcastEnd;
  /** True where nothing but the test pattern was on air. */
  readonly isTest?: boolean;
  /** The interruptions of the encoder while the targets were held. */
  readonly interruptions: Interruptions;
  readonly targets: readonly TargetReport[];
  /** Where several nodes share the database: the ownership that wrote it. */
  readonly epoch?: number;
  /** Encoders that were rejected meanwhile: of this channel, or with a key of no channel. Latest first. */
  readonly refused?: readonly RefusedEncoder[];
};

/** The report of a broadcast that is over. */
export type FinishedReport = BroadcastReport & { readonly end: BroadcastEnd };

/** The store of reports, one for each channel and start. Every call may reject with StoreUnavailableError. */
export interface ReportStore {
  /**
   * All of them or none. Replaces a report that is there already, unless a later ownership wrote it. Skips reports of an
   * ownership that is finished.
   */
  putReports(reports: readonly BroadcastReport[]): Promise<void>;
  /**
   * Ends, as `server-lost`, all reports that are still on air, except those of `kept`; on a database of several nodes none,
   * since they may be those of other nodes. Returns which, each with the time up to which it goes.
   */
  endReportsLeft(kept?: readonly ChannelId[]): Promise<readonly Pick<BroadcastReport, "channelId" | "endTime">[]>;
  /** The broadcast that began at this time; undefined where there is none, or it is not over. */
  findReport(channelId: ChannelId, startTime: number): Promise<FinishedReport | undefined>;
  /** Broadcasts that are over, newest first; `total` counts all pages. */
  listReports(
    channelId: ChannelId,
    page: Page,
  ): Promise<{ readonly reports: readonly FinishedReport[]; readonly total: number }>;
}
