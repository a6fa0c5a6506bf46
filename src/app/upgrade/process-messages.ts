import type { ToldTrouble } from "../../api-contract/alerts/alert-tracker.ts";
import type { AuditScope } from "../../control/audit/audit.ts";
import type { ToldEvent } from "../../control/events/told-event.ts";
import type { RefusedEncoder } from "../../control/facts/refusal-list.ts";
import type { RunningBroadcast } from "../../control/facts/running-broadcasts.ts";
import type { UnstoredHistory } from "../../control/history/history.ts";
import type { UnstoredTotals } from "../../control/live/live-state.ts";
import type { BroadcastReport } from "../../control/reports/reports.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { ShutdownMode, ToControl, ToMedia } from "../../thread-protocol/messages.ts";

/**
 * The versions of the messages between two processes of one server that this release speaks. A release that changes
 * these messages, or those between its threads, so that an older one misreads them, gives them a new number.
 */
export const PROCESS_VERSIONS: readonly number[] = [1];

/** What a process could not store before it gave the database up, as on a full disk: the next one does. Plain data. */
export type Unstored = {
  readonly events: readonly ToldEvent[];
  readonly reports: readonly BroadcastReport[];
  readonly history: UnstoredHistory;
  readonly refused: readonly RefusedEncoder[];
  readonly audit: readonly AuditScope[];
};

/** What the process that served up to now knows. Plain data. Holds no secret. */
export type Handover = {
  /** Different from that of every other process, also in another container. */
  readonly processId: string;
  /** Its media threads, by index. */
  readonly threads: readonly {
    readonly name: string;
    /** The Unix socket at which the thread accepts links. */
    readonly linkPath: string;
    readonly channels: readonly { readonly channelId: ChannelId; readonly admissions: number }[];
  }[];
  readonly broadcasts: readonly RunningBroadcast[];
  /** What each target has spent PUBLISHING in its broadcast, in milliseconds. */
  readonly onAirMs: readonly (readonly [TargetId, number])[];
  readonly reports: readonly BroadcastReport[];
  /** What people were told of their channels, where that matters. Absent from older releases. */
  readonly told?: readonly (readonly [ChannelId, ToldTrouble])[];
  /** The wall clock up to which all of this goes: totals, events and reports are known up to here. */
  readonly time: number;
  /** What of that is not stored. Absent from older releases, and from a process that was taken over before. */
  readonly unstored?: Unstored & { readonly totals: readonly UnstoredTotals[] };
};

/** New process to old process. */
export type FromSuccessor =
  /** The first message. */
  | { readonly kind: "hello"; readonly versions: readonly number[]; readonly release: string }
  /** Give up the database and the decisions. If the new process ends before `taken`, they are the old one's again. */
  | { readonly kind: "hand-over" }
  /** The new process accepts connections, and decides from here on. */
  | { readonly kind: "taken" }
  /** To a process whose broadcasts this one decides about: hold back what the threads report, as `paused` says, … */
  | { readonly kind: "pause" }
  /** … and pass it on again. */
  | { readonly kind: "go-on" }
  /** For the media thread with this index. */
  | { readonly kind: "post"; readonly thread: number; readonly message: ToMedia }
  | { readonly kind: "stop"; readonly mode: ShutdownMode };

/** Old process to new process. */
export type FromPredecessor =
  | {
      readonly kind: "hello";
      readonly versions: readonly number[];
      readonly release: string;
      readonly processId: string;
      /** Ports at which it accepts connections. */
      readonly ports: readonly number[];
    }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "yours"; readonly handover: Handover }
  /** `taken` did not come in time: end, and let the old process take everything back. Too late after `taken`. */
  | { readonly kind: "withdrawn" }
  /** Comes some time after `taken`: the old process has left the files of recordings and the library. */
  | { readonly kind: "released" }
  /** Everything that was reported up to `pause` has been passed on. */
  | { readonly kind: "paused" }
  /** From the media thread with this index. */
  | { readonly kind: "message"; readonly thread: number; readonly message: ToControl }
  | { readonly kind: "thread-gone"; readonly thread: number }
  /** The last broadcast is over: the process ends. */
  | { readonly kind: "over" };

/** Whether two processes understand each other. */
export function speaksOurs(versions: readonly number[]): boolean {
  return versions.some((version) => PROCESS_VERSIONS.includes(version));
}
