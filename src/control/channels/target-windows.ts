import { endOf, lastStart, nextStart, type Timing, type Weekday } from "../../base/calendar/timing.ts";
import { isTimeZone } from "../../base/calendar/zone-time.ts";

/** When a target is on: from a time of day to another, on days of the week. Seconds since midnight. */
type TargetWindow = {
  readonly days: readonly Weekday[];
  readonly fromSeconds: number;
  /** On the next day where it is not after `fromSeconds`. */
  readonly toSeconds: number;
};

/** The windows of a target; outside of all of them it is off. At least one. */
export type TargetWindows = {
  /** A name of the IANA database. */
  readonly timeZone: string;
  readonly list: readonly TargetWindow[];
};

/** What the windows do to a target now. Times are milliseconds since the Unix epoch. */
type WindowState = {
  /** They turn it off. */
  readonly isOutsideWindows: boolean;
  /** A person turned it on outside of them: it stays on until then. 0: nobody did. */
  readonly openUntil: number;
};

/** A window opens again within this time. What is set for longer comes from a clock that was wrong. */
const OPEN_AHEAD_MAX_MS = 8 * 86_400_000;
const DAYS_BACK_MS = 9 * 86_400_000;

/** Whether the target is on: a person turned it on, and its windows do not turn it off. */
export function isOn(target: { readonly isEnabled: boolean; readonly isOutsideWindows?: boolean }): boolean {
  return target.isEnabled && target.isOutsideWindows !== true;
}

/** A target, as far as windows change it. */
type Windowed = { readonly windows?: TargetWindows } & Partial<WindowState>;

/** What the windows do at this moment. In a time zone that only other servers know it stays as they left it. */
export function windowState(
  { windows, openUntil = 0, isOutsideWindows = false }: Windowed,
  nowMs: number,
): WindowState {
  if (windows !== undefined && !isTimeZone(windows.timeZone)) return { isOutsideWindows, openUntil };
  if (windows === undefined || isOpen(windows, nowMs)) return { isOutsideWindows: false, openUntil: 0 };
  const isHeldOpen = openUntil > nowMs && openUntil - nowMs <= OPEN_AHEAD_MAX_MS;
  return { isOutsideWindows: !isHeldOpen, openUntil: isHeldOpen ? openUntil : 0 };
}

/** When a window opens next: within eight days, also where that is not known. */
export function nextOpening({ timeZone, list }: TargetWindows, nowMs: number): number {
  const openings = list.flatMap((window) => nextStart(timingOf(timeZone, window), nowMs) ?? []);
  return Math.min(nowMs + OPEN_AHEAD_MAX_MS, ...openings);
}

/** When a window opens or closes next. */
export function nextBoundary(windows: TargetWindows, nowMs: number): number {
  const ends = windows.list.flatMap((window) => endAfter(windows.timeZone, window, nowMs) ?? []);
  return Math.min(nextOpening(windows, nowMs), ...ends);
}

function isOpen({ timeZone, list }: TargetWindows, nowMs: number): boolean {
  return list.some((window) => endAfter(timeZone, window, nowMs) !== undefined);
}

/** When the window that is open closes; undefined where it is not open. */
function endAfter(timeZone: string, window: TargetWindow, nowMs: number): number | undefined {
  const timing = timingOf(timeZone, window);
  const startMs = lastStart(timing, nowMs - DAYS_BACK_MS, nowMs);
  const endMs = startMs === undefined ? 0 : endOf(timing, startMs, { atSeconds: window.toSeconds });
  return endMs > nowMs ? endMs : undefined;
}

function timingOf(timeZone: string, { days, fromSeconds: atSeconds }: TargetWindow): Timing {
  return { timeZone, atSeconds, repeat: { kind: "weekly", days } };
}
