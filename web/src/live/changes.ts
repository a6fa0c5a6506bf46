import type { Channel, ChannelChange, ChannelEvent, PlatformChange, Sample, Server } from "../base/model.ts";

/** Seconds of rates that are kept, and shown by every line. */
export const HISTORY_SECONDS = 60;

/** `stale`: the connection is lost and being made again; `refused`: there is no session any more. */
export type StreamState = "connecting" | "live" | "stale" | "refused";

/** What the tabs are told. */
export type HubMessage =
  | { readonly kind: "state"; readonly state: StreamState }
  | {
      readonly kind: "snapshot";
      /** What the server's clock shows now. */
      readonly time: number;
      readonly channels: readonly Channel[];
      readonly samples: readonly Sample[];
    }
  | { readonly kind: "server"; readonly server: Server }
  | { readonly kind: "changes"; readonly time: number; readonly changes: readonly Change[] };

export type Change =
  | { readonly name: "channel"; readonly data: ChannelChange }
  | { readonly name: "platform"; readonly data: PlatformChange }
  | { readonly name: "sample"; readonly data: Sample }
  | { readonly name: "event"; readonly data: ChannelEvent };

/** Totals are told with whole objects alone; between them they grow by what each second's sample says. */
export function withSample(channel: Channel, { ingest, platforms }: Sample): Channel {
  const rates = new Map(platforms.map(({ platId, bytesPerSecond }) => [platId, bytesPerSecond]));
  const grown = channel.platforms.map((platform) => {
    const bytesTotalTrans = platform.bytesTotalTrans + (rates.get(platform.platId) ?? 0);
    return { ...platform, bytesTotalTrans, totalBytesPerSecond: bytesTotalTrans };
  });
  if (channel.ingest === undefined) return { ...channel, platforms: grown };
  const bytesTotal = channel.ingest.bytesTotal + ingest.bytesPerSecond;
  return { ...channel, platforms: grown, ingest: { ...channel.ingest, bytesTotal } };
}

/** The channel with this platform as it is now; one that it does not have is none of it, a change of the channel tells of it. */
export function withPlatform(channel: Channel, { channelId: _, ...platform }: PlatformChange): Channel {
  const platforms = channel.platforms.map((one) => (one.platId === platform.platId ? platform : one));
  return { ...channel, platforms };
}
