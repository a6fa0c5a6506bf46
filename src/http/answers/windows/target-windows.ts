import type { PlatformWindows } from "../../../api-contract/schemas/schedule-schemas.ts";
import { secondsOfDay, timeText } from "../../../base/calendar/time-text.ts";
import type { TargetSettings } from "../../../control/channels/channel.ts";
import type { TargetWindows } from "../../../control/channels/target-windows.ts";

/** The windows in a platform's `windows`, in the form of the use cases; undefined where it has none. */
export function windowsOf({ open, timeZone }: PlatformWindows): TargetWindows | undefined {
  if (open.length === 0) return undefined;
  const list = open.map(({ days, startAt, endAt }) => {
    return { days, fromSeconds: secondsOfDay(startAt), toSeconds: secondsOfDay(endAt) };
  });
  return { timeZone, list };
}

/** Windows as the API shows them, and what they do now. */
export function windowsAnswer({ windows, isOutsideWindows = false, openUntil }: TargetSettings) {
  if (windows === undefined) return {};
  const open = windows.list.map(({ days, fromSeconds, toSeconds }) => {
    return { days, startAt: timeText(fromSeconds), endAt: timeText(toSeconds) };
  });
  const windowState = isOutsideWindows ? "CLOSED" : openUntil === undefined ? "OPEN" : "OPENED";
  return { windows: { open, timeZone: windows.timeZone }, windowState };
}
