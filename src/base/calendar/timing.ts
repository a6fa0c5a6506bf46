import { isTimeZone, localTime, momentOf } from "./zone-time.ts";

const DAY_MS = 86_400_000;
const MS_PER_SECOND = 1_000;
/** A weekly start comes within these days of any moment, with room for a day that a zone skipped. */
const DAYS_AHEAD = 9;

/** In the order of the week. */
export const WEEKDAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** When something starts: times of day are seconds since midnight, as clocks in the zone show them. */
export type Timing = {
  /** A name of the IANA database. */
  readonly timeZone: string;
  readonly atSeconds: number;
  readonly repeat: /** `date`: `2026-12-24`. */
    | { readonly kind: "once"; readonly date: string }
    | { readonly kind: "daily" }
    | { readonly kind: "weekly"; readonly days: readonly Weekday[] };
};

/** When it ends: a while after its start, or at a time of day. */
export type TimingEnd = { readonly durationSeconds: number } | { readonly atSeconds: number };

/** The first start after this moment; undefined where there is none. Times are milliseconds since the Unix epoch. */
export function nextStart(timing: Timing, afterMs: number): number | undefined {
  return firstOf(timing, afterMs, 1, (atMs) => atMs > afterMs);
}

/** The repeats whose starts are found day by day. */
const DAY_BY_DAY: readonly Timing["repeat"]["kind"][] = ["daily", "weekly"];

/** The next starts after this moment, `count` of them at most. */
export function nextStarts(timing: Timing, afterMs: number, count: number): readonly number[] {
  const starts: number[] = [];
  for (let atMs = nextStart(timing, afterMs); atMs !== undefined && starts.length < count; ) {
    starts.push(atMs);
    atMs = nextStart(timing, atMs);
  }
  return starts;
}

/** The last start after `afterMs` and up to `untilMs`; undefined where there is none. */
export function lastStart(timing: Timing, afterMs: number, untilMs: number): number | undefined {
  const last = firstOf(timing, untilMs, -1, (atMs) => atMs <= untilMs);
  return last !== undefined && last > afterMs ? last : undefined;
}

/**
 * The end of the run that starts then. A time of day that is not after the start's own is on the next day. A run that
 * clocks skip as a whole has its length all the same, from the moment of the jump on.
 */
export function endOf(timing: Timing, startMs: number, end: TimingEnd): number {
  if ("durationSeconds" in end) return startMs + end.durationSeconds * MS_PER_SECOND;
  const meantMs = meantStart(timing, startMs);
  const isNextDay = end.atSeconds <= timing.atSeconds;
  const localEndMs = startOfDay(meantMs) + (isNextDay ? DAY_MS : 0) + end.atSeconds * MS_PER_SECOND;
  const endMs = momentOf(timing.timeZone, localEndMs);
  return endMs > startMs ? endMs : startMs + localEndMs - meantMs;
}

/** The local time for which this start is set. Clocks show another one at that moment where they skip it. */
export function meantStart({ timeZone, atSeconds }: Timing, startMs: number): number {
  const shownMs = localTime(timeZone, startMs);
  // The last such time of day up to what clocks show: a jump over midnight is on the day after.
  const ofDayMs = atSeconds * MS_PER_SECOND;
  return startOfDay(shownMs - ofDayMs) + ofDayMs;
}

/** Whether clocks skip the time for which this start is set: it is at the moment of the jump. */
export function isSkipped(timing: Timing, startMs: number): boolean {
  return meantStart(timing, startMs) !== localTime(timing.timeZone, startMs);
}

/** Whether this is a date of the calendar, `2026-12-24`. */
export function isDate(text: string): boolean {
  const atMs = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(text);
}

/** The first start that fits, day by day from one day before this moment on, or backwards from one day after it. */
function firstOf(
  { timeZone, atSeconds, repeat }: Timing,
  fromMs: number,
  step: 1 | -1,
  fits: (atMs: number) => boolean,
): number | undefined {
  // Another server may know more zones: those of a newer Node.
  if (!isTimeZone(timeZone)) return undefined;
  if (repeat.kind === "once") {
    const only = momentOf(timeZone, Date.parse(`${repeat.date}T00:00:00Z`) + atSeconds * MS_PER_SECOND);
    return fits(only) ? only : undefined;
  }
  // Only a newer version knows when: it starts it.
  if (!DAY_BY_DAY.includes(repeat.kind)) return undefined;
  const todayMs = startOfDay(localTime(timeZone, fromMs));
  for (let index = -1; index <= DAYS_AHEAD; index += 1) {
    const dayMs = todayMs + step * index * DAY_MS;
    if (repeat.kind === "weekly" && !repeat.days.includes(weekdayOf(dayMs))) continue;
    const atMs = momentOf(timeZone, dayMs + atSeconds * MS_PER_SECOND);
    if (fits(atMs)) return atMs;
  }
  return undefined;
}

function startOfDay(localMs: number): number {
  return Math.floor(localMs / DAY_MS) * DAY_MS;
}

function weekdayOf(localMs: number): Weekday {
  // The Unix epoch was a Thursday.
  const day = (Math.floor(localMs / DAY_MS) + 3) % 7;
  return WEEKDAYS[(day + 7) % 7] ?? "MON";
}
