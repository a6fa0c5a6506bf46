import type { AuditRecord } from "../../base/model.ts";

const DAY_MS = 86_400_000;

/** Which records are shown; empty text: no condition. Days are those of this browser's calendar, as `2026-11-29`. */
export type Filter = {
  readonly channelId: string;
  readonly actor: string;
  readonly action: AuditRecord["action"] | "";
  readonly fromDay: string;
  readonly toDay: string;
};

export const NO_FILTER: Filter = { channelId: "", actor: "", action: "", fromDay: "", toDay: "" };

/** When a day begins here, in milliseconds since 1970. */
const startOf = (day: string): number => new Date(`${day}T00:00`).getTime();

/** The last moment that the API takes. */
const LAST_MS = 10 ** 15 - 1;

/** A year that is half typed is of another century: `0202`. */
const sent = (ms: number): number => (Number.isNaN(ms) ? LAST_MS : Math.min(Math.max(ms, 0), LAST_MS));

/** The filter as a part of the API's query. */
export function queryOf({ channelId, actor, action, fromDay, toDay }: Filter) {
  return {
    ...(channelId === "" ? {} : { channelId }),
    ...(actor === "" ? {} : { actor }),
    ...(action === "" ? {} : { action }),
    ...(fromDay === "" ? {} : { fromTime: sent(startOf(fromDay)) }),
    // Half a day more and back to midnight: a day in spring has 23 hours, one in autumn 25.
    ...(toDay === "" ? {} : { toTime: sent(new Date(startOf(toDay) + 1.5 * DAY_MS).setHours(0, 0, 0, 0) - 1) }),
  };
}
