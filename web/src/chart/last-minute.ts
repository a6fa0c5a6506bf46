import { HISTORY_SECONDS } from "../live/changes.ts";

/** The points of a line: x ascending, y or null where nothing is known. */
export type Points = { readonly x: readonly number[]; readonly y: readonly (number | null)[] };

/** The x values of the last minute: seconds relative to now, the newest at the right edge. */
const SECONDS = Array.from({ length: HISTORY_SECONDS }, (_, index) => index + 1 - HISTORY_SECONDS);

/** Returns the points of the last minute: one value a second, the newest last. */
export function lastMinute(values: readonly number[]): Points {
  return { x: SECONDS, y: [...Array.from({ length: HISTORY_SECONDS - values.length }, () => null), ...values] };
}
