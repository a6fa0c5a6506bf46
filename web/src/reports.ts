import type { ChannelEvent } from "./model.ts";

/** One platform's part in a broadcast. */
type PlatformReport = {
  readonly platId: number;
  readonly onAirSeconds: number;
  /** Why it went off the air while the broadcast ran, oldest first. */
  readonly interruptions: readonly { readonly time: number; readonly reason: string }[];
};

/** A broadcast that is over. Times are milliseconds since 1970. */
export type Report = {
  readonly startTime: number;
  readonly endTime: number;
  readonly reason: string;
  readonly platforms: readonly PlatformReport[];
};

type Running = {
  readonly startTime: number;
  readonly platforms: Map<
    number,
    { onAirMs: number; since: number | undefined; interruptions: PlatformReport["interruptions"] }
  >;
};

/** What the events of a channel say about its broadcasts that are over, newest first. Events may come in any order. */
export function reportsOf(events: readonly ChannelEvent[]): readonly Report[] {
  const reports: Report[] = [];
  let running: Running | undefined;
  for (const event of events.toSorted((a, b) => a.id - b.id)) {
    if (event.eventCode === "PUBLISH_START") running = { startTime: event.timestamp, platforms: new Map() };
    if (running === undefined) continue;
    if (event.eventCode === "SIMULCAST_STATUS_CHANGE") follow(running, event);
    if (event.eventCode === "PUBLISH_END") {
      reports.unshift(finished(running, event));
      running = undefined;
    }
  }
  return reports;
}

function follow({ platforms }: Running, { platId, to, reason, timestamp }: ChannelEvent): void {
  if (platId === undefined) return;
  const part = platforms.get(platId) ?? { onAirMs: 0, since: undefined, interruptions: [] };
  platforms.set(platId, part);
  if (to === "PUBLISHING") {
    part.since ??= timestamp;
    return;
  }
  if (part.since !== undefined) part.onAirMs += timestamp - part.since;
  part.since = undefined;
  if (to === "FAIL") part.interruptions = [...part.interruptions, { time: timestamp, reason: reason ?? "" }];
}

function finished({ startTime, platforms }: Running, end: ChannelEvent): Report {
  return {
    startTime,
    endTime: end.timestamp,
    reason: end.reason ?? "",
    platforms: [...platforms].map(([platId, { onAirMs, since, interruptions }]) => ({
      platId,
      onAirSeconds: Math.round((onAirMs + (since === undefined ? 0 : end.timestamp - since)) / 1_000),
      interruptions,
    })),
  };
}
