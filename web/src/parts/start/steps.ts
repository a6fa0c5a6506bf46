import type { Channel, ChannelEvent, Report } from "../../base/model.ts";

export const STEPS = ["create", "platform", "test", "encoder", "stream", "green"] as const;
export type Step = (typeof STEPS)[number];

/**
 * What the server remembers of a channel: whether a platform was tried, whether an encoder was on air, and whether that was on every
 * platform that was on.
 */
export type Past = { readonly isTested: boolean; readonly wasOnAir: boolean; readonly wasGreen: boolean };

export const isTest = ({ eventCode, reason }: Pick<ChannelEvent, "eventCode" | "reason">): boolean =>
  (eventCode === "PLATFORM_TESTED" && reason === undefined) || reason === "test-pattern-started";

type PastReport = Pick<Report, "testPattern"> & {
  readonly platforms: readonly Pick<Report["platforms"][number], "onAirSeconds">[];
};

/** Returns what a channel's events and reports say of its first steps. A broadcast of the test pattern alone is a test. */
export function pastOf(
  events: readonly Pick<ChannelEvent, "eventCode" | "reason">[],
  reports: readonly PastReport[],
): Past {
  const broadcasts = reports.filter(({ testPattern }) => testPattern !== true);
  return {
    isTested: events.some(isTest),
    wasOnAir: broadcasts.length > 0,
    wasGreen: broadcasts.some(
      ({ platforms }) => platforms.length > 0 && platforms.every(({ onAirSeconds }) => onAirSeconds > 0),
    ),
  };
}

/** Which steps are done, by what the server says of the channel. What was done once stays done. */
export function doneSteps(
  channel: Pick<Channel, "ingest" | "isPublishing" | "health"> & {
    readonly platforms: readonly Pick<Channel["platforms"][number], "enabled" | "connectStatus" | "totalPlaySecond">[];
  },
  past: Past,
): ReadonlySet<Step> {
  const { platforms, ingest, isPublishing, health } = channel;
  const hasEncoder = isPublishing && ingest !== undefined && ingest.testPattern === undefined;
  const enabled = platforms.filter((platform) => platform.enabled);
  const isGreen = enabled.length > 0 && enabled.every(({ connectStatus }) => connectStatus === "PUBLISHING");
  const done: Readonly<Record<Step, boolean>> = {
    create: true,
    platform: platforms.length > 0,
    test: past.isTested || platforms.some(({ totalPlaySecond }) => totalPlaySecond > 0),
    encoder: past.wasOnAir || hasEncoder,
    stream: past.wasOnAir || (hasEncoder && ingest.state === "LIVE" && ingest.bytesTotal > 0),
    green: hasEncoder && isGreen && health.state === "healthy",
  };
  return new Set(STEPS.filter((step) => done[step]));
}
