import type { CatchUp, MissedReason } from "../../api-contract/event-words.ts";
import {
  endOf,
  isSkipped,
  lastStart,
  meantStart,
  nextStart,
  nextStarts,
  type Timing,
  type TimingEnd,
} from "../../base/calendar/timing.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { FilesSource } from "../channels/source.ts";

/**
 * What became of a start. `BEGUN`: it was recorded before it was done, and nothing more is known: the server may have
 * died then. Such a start is never done again.
 */
export const RUN_RESULTS = ["BEGUN", "STARTED", "MISSED"] as const;
type RunResult = (typeof RUN_RESULTS)[number];

/** The last start of a schedule. `time`: when it was due. */
export type LastRun = { readonly time: number; readonly result: RunResult; readonly reason?: MissedReason };

/** What a person sets. */
export type ScheduleSettings = {
  readonly name: string;
  readonly source: FilesSource;
  readonly timing: Timing;
  /** Absent: it plays to the end of its files, and in a loop until it is stopped. */
  readonly end?: TimingEnd;
  readonly catchUp: CatchUp;
  readonly isPaused: boolean;
};

/** Files that start on a channel at a time. Times are milliseconds since the Unix epoch. */
export type Schedule = ScheduleSettings & {
  readonly scheduleId: string;
  readonly channelId: ChannelId;
  readonly createdTime: number;
  /** Starts up to this one are done with: begun, missed, or before the schedule was made or changed. */
  readonly doneTime: number;
  readonly lastRun?: LastRun;
};

/** A start that is due. */
export type DueStart = {
  readonly time: number;
  /** Absent: it has no end. */
  readonly endTime?: number;
  /** How much of it is over, in milliseconds: 0 for one that is on time, or nearly. */
  readonly lateMs: number;
  /** It is too late for it. */
  readonly isMissed: boolean;
};

/** A start that comes within this time still begins at the beginning: a restart or an upgrade takes seconds. */
export const ON_TIME_MS = 60_000;
/** A record of a start further ahead than this comes from a clock that was wrong. */
const AHEAD_MAX_MS = 86_400_000;
/** So many starts of two schedules are compared: two weeks of daily ones. */
const COMPARED_STARTS = 15;

/** The start that is due now; undefined where there is none. Of several only the last one counts. */
export function dueStart(schedule: Schedule, nowMs: number): DueStart | undefined {
  const { timing, end, doneTime, lastRun, isPaused, catchUp } = schedule;
  const time = isPaused ? undefined : lastStart(timing, doneTime, nowMs);
  // Also where the record was renewed because the clock was wrong.
  if (time === undefined || (lastRun?.time === time && lastRun.result !== "MISSED")) return undefined;
  const endTime = end === undefined ? undefined : endOf(timing, time, end);
  const isOver = endTime !== undefined && endTime <= nowMs;
  const isLate = nowMs - time > ON_TIME_MS;
  return {
    time,
    ...(endTime === undefined ? {} : { endTime }),
    lateMs: isLate ? nowMs - time : 0,
    isMissed: isOver || (isLate && catchUp === "none"),
  };
}

/** The next starts, `count` at most; none of a schedule that is paused. */
export function upcoming({ timing, doneTime, isPaused }: Schedule, nowMs: number, count: number): readonly number[] {
  return isPaused ? [] : nextStarts(timing, Math.max(doneTime, nowMs), count);
}

/** When the schedule must be looked at again; undefined: never, as it is. */
export function nextLook({ timing, doneTime, isPaused }: Schedule): number | undefined {
  return isPaused ? undefined : nextStart(timing, doneTime);
}

/** Whether what is recorded of the schedule lies so far ahead that the clock must have been wrong then. */
export function isFromWrongClock({ doneTime }: Schedule, nowMs: number): boolean {
  return doneTime - nowMs > AHEAD_MAX_MS;
}

/**
 * Whether two schedules have a start at the same moment. Starts of different times that only a jump of the clocks brings
 * together do not count: see `comesFirst`.
 */
export function startsTogether(one: Schedule, other: Schedule, nowMs: number): boolean {
  const [few, many] = one.timing.repeat.kind === "once" ? [one, other] : [other, one];
  return upcoming(few, nowMs, COMPARED_STARTS).some((atMs) => {
    if (nextStart(many.timing, atMs - 1) !== atMs) return false;
    const isSame = meantStart(few.timing, atMs) === meantStart(many.timing, atMs);
    return isSame || !(isSkipped(few.timing, atMs) || isSkipped(many.timing, atMs));
  });
}

/** A start of a schedule that is due. */
export type Due = { readonly schedule: Schedule; readonly start: DueStart };

/**
 * Orders starts that are due: the earlier one comes first. Of those at the same moment one whose time clocks really show
 * does, and of those that clocks skipped the last one, which would play behind the jump.
 */
export function comesFirst(one: Due, other: Due): number {
  const [oneSkipped, otherSkipped] = [one, other].map(({ schedule, start }) => isSkipped(schedule.timing, start.time));
  if (one.start.time !== other.start.time) return one.start.time - other.start.time;
  if (oneSkipped !== otherSkipped) return oneSkipped === true ? 1 : -1;
  if (oneSkipped !== true) return 0;
  return meantStart(other.schedule.timing, other.start.time) - meantStart(one.schedule.timing, one.start.time);
}

/** A schedule, how long its files play in milliseconds (Infinity where that is not known, or in a loop), and its runs. */
export type Planned = { readonly schedule: Schedule; readonly lengthMs: number; readonly runs: readonly PlannedRun[] };
type PlannedRun = { readonly startMs: number; readonly endMs: number };

/** The schedule with its next runs. */
export function planned(schedule: Schedule, lengthMs: number, nowMs: number): Planned {
  const runs = upcoming(schedule, nowMs, COMPARED_STARTS).map((startMs) => runAt(schedule, lengthMs, startMs));
  return { schedule, lengthMs, runs };
}

/** Whether a run of one schedule begins while the other one still plays. */
export function overlap(one: Planned, other: Planned): boolean {
  if (other.schedule.timing.repeat.kind === "once") return one.runs.length > 0 && meetsOnce(one, other);
  if (one.schedule.timing.repeat.kind === "once") return other.runs.length > 0 && meetsOnce(other, one);
  return one.runs.some((run) => other.runs.some((its) => meet(run, its)));
}

/** It may be far ahead: the runs before and after it are looked up. */
function meetsOnce({ schedule, lengthMs }: Planned, { runs: [once] }: Planned): boolean {
  if (once === undefined) return false;
  const before = lastStart(schedule.timing, schedule.doneTime, once.startMs);
  const after = nextStart(schedule.timing, once.startMs);
  return [before, after].some((startMs) => startMs !== undefined && meet(runAt(schedule, lengthMs, startMs), once));
}

function runAt({ timing, end }: Schedule, lengthMs: number, startMs: number): PlannedRun {
  const endMs = end === undefined ? Infinity : endOf(timing, startMs, end);
  return { startMs, endMs: Math.min(endMs, startMs + lengthMs) };
}

function meet(one: PlannedRun, other: PlannedRun): boolean {
  return one.startMs < other.endMs && other.startMs < one.endMs;
}
