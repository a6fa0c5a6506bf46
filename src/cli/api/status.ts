import type { FanfareClient } from "../../client/client.ts";
import { action, apiCommand, jsonText } from "./api-command.ts";
import { allChannels, type Channel, channelNamed } from "./channels.ts";
import { contentOf, EXIT } from "./exit-codes.ts";
import { liveMessages } from "./live-events.ts";
import { type Platform, problemOf } from "./platforms.ts";
import { rateText, table } from "./table.ts";

/** A change is shown at most this often, in milliseconds. */
const REDRAW_MS = 1_000;
/** Asked at the same time. */
const AT_ONCE = 4;

type Row = { readonly channel: Channel; readonly platform?: Platform };
type Status = { readonly channel: Channel; readonly platforms: readonly Platform[] };

async function statusOf(client: FanfareClient, word: string | undefined): Promise<readonly Status[]> {
  const channels = word === undefined ? await allChannels(client) : [await channelNamed(client, word)];
  const statuses: Status[] = [];
  for (let start = 0; start < channels.length; start += AT_ONCE) {
    const some = channels.slice(start, start + AT_ONCE).map(async (channel) => {
      const path = { params: { path: { channelId: channel.channelId } } };
      return { channel, platforms: await contentOf(client.GET("/re-stream/channels/{channelId}/platforms", path)) };
    });
    statuses.push(...(await Promise.all(some)));
  }
  return statuses;
}

function statusText(statuses: readonly Status[]): string {
  const rows: readonly Row[] = statuses.flatMap(({ channel, platforms }) =>
    platforms.length === 0 ? [{ channel }] : platforms.map((platform) => ({ channel, platform })),
  );
  return table(rows, [
    ["CHANNEL", ({ channel }) => channel.channelName],
    ["HEALTH", ({ channel }) => channel.health.state],
    [
      "INCOMING",
      ({ channel: { ingest, isPublishing } }) => (isPublishing ? rateText(ingest?.bytesPerSecond ?? 0) : "off air"),
    ],
    ["PLATFORM", ({ platform }) => (platform === undefined ? "" : (platform.label ?? platform.targetName))],
    ["STATUS", ({ platform }) => (platform === undefined ? "" : platform.enabled ? platform.connectStatus : "OFF")],
    ["RATE", ({ platform }) => (platform === undefined ? "" : rateText(platform.bytesPerSecond))],
    [
      "WHY",
      ({ channel, platform }) =>
        (platform === undefined ? "" : problemOf(platform)) || (channel.health.reason?.message ?? ""),
    ],
  ]);
}

function shown(statuses: readonly Status[], isJson: boolean): string {
  return isJson ? jsonText(statuses) : statusText(statuses);
}

export const statusCommand = apiCommand("status", "One verdict per channel, and what is true of each platform.", {
  "": action({
    words: [],
    about: "Shows all channels. Ends with 6 where one is broken.",
    switches: { watch: "Show it again at each change, until Ctrl+C." },
    run: async ({ client, profile, switches, isJson }) => {
      const first = await statusOf(client, undefined);
      if (!switches.has("watch")) {
        if (first.some(({ channel }) => channel.health.state === "broken")) process.exitCode = EXIT.attention;
        return shown(first, isJson);
      }
      process.stdout.write(shown(first, isJson));
      let drawnMs = performance.now();
      for await (const { event } of liveMessages(profile)) {
        if (!["channel", "platform", "sample"].includes(event) || performance.now() - drawnMs < REDRAW_MS) continue;
        drawnMs = performance.now();
        process.stdout.write(`${isJson ? "" : "\n"}${shown(await statusOf(client, undefined), isJson)}`);
      }
      return "";
    },
  }),
  show: action({
    words: ["CHANNEL"],
    about: "Shows one channel. Ends with 6 where it is broken.",
    run: async ({ client, words: [word], isJson }) => {
      const statuses = await statusOf(client, word);
      if (statuses.some(({ channel }) => channel.health.state === "broken")) process.exitCode = EXIT.attention;
      return shown(statuses, isJson);
    },
  }),
});
