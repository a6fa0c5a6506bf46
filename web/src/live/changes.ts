import type {
  Channel,
  ChannelChange,
  ChannelEvent,
  PlatformChange,
  RefusedEncoder,
  Sample,
  Server,
} from "../base/model.ts";

/** How many seconds of samples are kept, and shown by every line. */
export const HISTORY_SECONDS = 60;

/** `lost`: the connection is being re-established. `refused`: the session has ended. */
export type StreamState = "connecting" | "connected" | "lost" | "refused";

/** What the worker sends to the tabs. */
export type HubMessage =
  | {
      readonly kind: "state";
      readonly state: StreamState;
      /** The server's time when something last arrived from it. Absent before the first snapshot. */
      readonly heardTime?: number;
    }
  | {
      readonly kind: "snapshot";
      /** The server's time now, in milliseconds since 1970. */
      readonly time: number;
      readonly channels: readonly Channel[];
      readonly samples: readonly Sample[];
    }
  | { readonly kind: "server"; readonly server: Server }
  /** Whether this tab is the one that makes the sounds and notifications of this browser. */
  | { readonly kind: "lead"; readonly isLead: boolean }
  | { readonly kind: "changes"; readonly time: number; readonly changes: readonly Change[] };

export type Change =
  | { readonly name: "channel"; readonly data: ChannelChange }
  | { readonly name: "platform"; readonly data: PlatformChange }
  | { readonly name: "sample"; readonly data: Sample }
  | { readonly name: "event"; readonly data: ChannelEvent }
  | { readonly name: "refused"; readonly data: RefusedEncoder };

/** Returns the channel with its totals increased by one second's sample: the server sends totals only with whole objects. */
export function withSample(channel: Channel, { ingest, platforms }: Sample): Channel {
  const samples = new Map(platforms.map((one) => [one.platId, one]));
  const grown = channel.platforms.map(({ delay: _, ...platform }) => {
    const { bytesPerSecond = 0, delay } = samples.get(platform.platId) ?? {};
    const bytesTotalTrans = platform.bytesTotalTrans + bytesPerSecond;
    const isOnAir = platform.connectStatus === "PUBLISHING" && !(platform.warning?.code ?? "").startsWith("WAITS_");
    const { onAirSeconds } = platform;
    const onAir = onAirSeconds === undefined || !isOnAir ? {} : { onAirSeconds: onAirSeconds + 1 };
    const totals = { bytesTotalTrans, totalBytesPerSecond: bytesTotalTrans };
    return { ...platform, ...onAir, ...totals, ...(delay === undefined ? {} : { delay }) };
  });
  if (channel.ingest === undefined) return { ...channel, platforms: grown };
  const bytesTotal = channel.ingest.bytesTotal + ingest.bytesPerSecond;
  return { ...channel, platforms: grown, ingest: { ...channel.ingest, bytesTotal } };
}

/** Returns the channel with this platform replaced. An unknown platform is ignored: a change of the channel brings it. */
export function withPlatform(channel: Channel, { channelId: _, ...platform }: PlatformChange): Channel {
  const platforms = channel.platforms.map((one) => (one.platId === platform.platId ? platform : one));
  return { ...channel, platforms };
}

/** Whether both are of one broadcast: the rates of a former one are not of this one's last minute. */
export const isSameBroadcast = (one: Channel, other: Channel | undefined): boolean =>
  one.recentPublishStartTime === other?.recentPublishStartTime;

/** As many as the server remembers. */
const REFUSED_MAX = 100;

/** Returns the list with this entry first. It replaces an earlier one of the same address, reason and channel. */
export function withRefused(all: readonly RefusedEncoder[], one: RefusedEncoder): readonly RefusedEncoder[] {
  const isOther = (each: RefusedEncoder): boolean =>
    each.remoteAddress !== one.remoteAddress || each.reason !== one.reason || each.channelId !== one.channelId;
  return [one, ...all.filter(isOther)].slice(0, REFUSED_MAX);
}
