import { setTimeout as sleep } from "node:timers/promises";
import type { FanfareClient } from "../../client/client.ts";
import { print } from "../output.ts";
import { action, apiCommand, jsonText } from "./api-command.ts";
import { allChannels, type Channel, channelNamed } from "./channels.ts";
import { ApiFailure, contentUnlessGone, EXIT } from "./exit-codes.ts";
import { liveMessages } from "./live-events.ts";
import { type Platform, problemOf } from "./platforms.ts";
import type { Profile } from "./profiles.ts";
import { rateText, table } from "./table.ts";

/** Changes are shown at most this often, in milliseconds. */
const REDRAW_MS = 1_000;
/** Of many channels, reading must not take more than a fifth of the time. */
const REST_PER_READ = 4;
/** The messages of the live stream after which the table may differ. `lost`: the server may be gone. */
const CHANGES = ["snapshot", "channel", "platform", "sample", "lost"];
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
      const platforms = await contentUnlessGone(client.GET("/re-stream/channels/{channelId}/platforms", path));
      return platforms === undefined ? [] : [{ channel, platforms }];
    });
    statuses.push(...(await Promise.all(some)).flat());
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
        (platform === undefined ? "" : problemOf(platform)) || channelReason(channel, platform),
    ],
  ]);
}

/** Why the channel has its verdict, unless that is another platform's trouble, which stands in its row. */
function channelReason({ health: { reason } }: Channel, platform: Platform | undefined): string {
  if (reason === undefined || (reason.platId !== undefined && reason.platId !== platform?.platId)) return "";
  return reason.message;
}

/** Prints the state after each change, where it differs. Ends only with a failure. */
async function watchStatus(client: FanfareClient, profile: Profile, isJson: boolean): Promise<never> {
  let changed = Promise.withResolvers<void>();
  const following = (async (): Promise<never> => {
    for await (const { event } of liveMessages(profile)) if (CHANGES.includes(event)) changed.resolve();
    throw new Error("the live stream has ended.");
  })();
  // It is looked at below.
  following.catch(() => undefined);
  for (let before = ""; ; ) {
    const startMs = performance.now();
    changed = Promise.withResolvers();
    const { text, isAway } = await looked(client, isJson, before !== "");
    if (text !== before && isAway) process.stderr.write(text);
    else if (text !== before) print(isJson || before === "" ? text : `\n${text}`);
    // What is true when the server is back may be no change for it.
    if (isAway) changed.resolve();
    before = text;
    const restMs = Math.max(REDRAW_MS, REST_PER_READ * (performance.now() - startMs));
    await Promise.race([sleep(restMs), following]);
    await Promise.race([changed.promise, following]);
  }
}

/** What to print. `mayBeAway`: a server that does not answer is no failure, since it answered before. */
async function looked(client: FanfareClient, isJson: boolean, mayBeAway: boolean) {
  try {
    return { text: shown(await statusOf(client, undefined), isJson), isAway: false };
  } catch (error) {
    if (!mayBeAway || !(error instanceof ApiFailure) || error.exitCode !== EXIT.unreachable) throw error;
    return { text: `fanfare: ${error.message}\n`, isAway: true };
  }
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
      if (switches.has("watch")) return await watchStatus(client, profile, isJson);
      const statuses = await statusOf(client, undefined);
      if (statuses.some(({ channel }) => channel.health.state === "broken")) process.exitCode = EXIT.attention;
      return shown(statuses, isJson);
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
