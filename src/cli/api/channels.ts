import type { components } from "../../client/api-types.ts";
import type { FanfareClient } from "../../client/client.ts";
import { oneOf } from "../commands/options.ts";
import { action, apiCommand, jsonText } from "./api-command.ts";
import { ApiFailure, allPages, contentOf, EXIT } from "./exit-codes.ts";
import { type Column, table, timeText } from "./table.ts";

export type Channel = components["schemas"]["Channel"];

/** All channels, whatever their number. */
export function allChannels(client: FanfareClient): Promise<readonly Channel[]> {
  return allPages<Channel>(
    (query) => client.GET("/re-stream/channels", { params: { query } }),
    ({ channelId }) => channelId,
  );
}

/** The channel with this id, or the only one with this name. */
export async function channelNamed(client: FanfareClient, word: string): Promise<Channel> {
  // Whatever is wrong: the list says it too.
  const found = await contentOf(
    client.GET("/re-stream/channels/{channelId}", { params: { path: { channelId: word } } }),
  ).catch(() => undefined);
  if (found !== undefined) return found;
  const named = (await allChannels(client)).filter(({ channelName }) => channelName === word);
  const [one, other] = named;
  if (one === undefined)
    throw new ApiFailure(EXIT.notFound, `there is no channel with the id or name ${JSON.stringify(word)}.`);
  if (other === undefined) return one;
  const ids = named.map(({ channelId }) => channelId).join(", ");
  throw new ApiFailure(
    EXIT.refused,
    `${named.length} channels are named ${JSON.stringify(word)}: name one by its id (${ids}).`,
  );
}

/** The server deletes no channel that is on air: switched off first, so that its encoder does not come back between. */
export async function deleteChannel(client: FanfareClient, channelId: string, isOnAir: boolean): Promise<void> {
  const path = { params: { path: { channelId } } };
  if (isOnAir) await contentOf(client.PUT("/re-stream/channels/{channelId}/off", path));
  await contentOf(client.DELETE("/re-stream/channels/{channelId}", path));
}

const COLUMNS: readonly Column<Channel>[] = [
  ["ID", ({ channelId }) => channelId],
  ["NAME", ({ channelName }) => channelName],
  ["STATUS", ({ channelStatus }) => channelStatus],
  ["ON AIR", ({ isPublishing }) => (isPublishing ? "yes" : "no")],
  ["HEALTH", ({ health }) => health.state],
  ["PLATFORMS", ({ platformCount }) => `${platformCount}`],
  ["CREATED", ({ createdTime }) => timeText(createdTime)],
];

function shown(channels: readonly Channel[], isJson: boolean): string {
  return isJson ? jsonText(channels) : table(channels, COLUMNS);
}

const list = action({
  words: [],
  about: "Lists all channels.",
  run: async ({ client, isJson }) => shown(await allChannels(client), isJson),
});

const show = action({
  words: ["CHANNEL"],
  about: "Shows one channel, with the address and the key for its encoder.",
  run: async ({ client, words: [word = ""], isJson }) => {
    const channel = await channelNamed(client, word);
    if (isJson) return jsonText(channel);
    return `${table([channel], COLUMNS)}\nServer:     ${channel.publishUrl}\nStream key: ${channel.streamKey}\n`;
  },
});

const create = action({
  words: ["NAME", "PLATFORM", "ADDRESS", "KEY"],
  about:
    "Creates a channel with its first platform: fanfare channels create show YOUTUBE rtmp://a.rtmp.youtube.com/live2 KEY",
  options: {
    plan: oneOf(["STANDARD", "PROFESSIONAL", "UNLIMITED"], "How many platforms it may have; default STANDARD."),
  },
  run: async ({ client, words: [channelName = "", targetName = "", rtmpUrl = "", streamKey = ""], values, isJson }) => {
    const planType = values.plan ?? "STANDARD";
    // The server checks the name of the platform, and says which there are.
    const restream = [{ targetName: targetName as "CUSTOM", rtmpUrl, streamKey }];
    const channel = await contentOf(
      client.POST("/re-stream/channels", {
        params: { query: { anyName: "true" } },
        body: { channelName, planType, restream },
      }),
    );
    return shown([channel], isJson);
  },
});

const remove = action({
  words: ["CHANNEL"],
  about: "Deletes a channel. One that is on air is refused without --on-air, which ends its broadcast first.",
  switches: { "on-air": "Also while it is on air." },
  run: async ({ client, words: [word = ""], switches }) => {
    const { channelId, channelName, isPublishing } = await channelNamed(client, word);
    if (isPublishing && !switches.has("on-air")) {
      throw new ApiFailure(EXIT.attention, `${channelName} is on air: give --on-air to end its broadcast.`);
    }
    await deleteChannel(client, channelId, isPublishing);
    return `${channelId} is deleted.\n`;
  },
});

const switched = (to: "on" | "off", about: string) =>
  action({
    words: ["CHANNEL"],
    about,
    run: async ({ client, words: [word = ""], isJson }) => {
      const { channelId } = await channelNamed(client, word);
      const path = { params: { path: { channelId } } };
      const call =
        to === "on"
          ? client.PUT("/re-stream/channels/{channelId}/on", path)
          : client.PUT("/re-stream/channels/{channelId}/off", path);
      return shown([await contentOf(call)], isJson);
    },
  });

const end = action({
  words: ["CHANNEL"],
  about: "Ends the broadcast now. The encoder may begin another.",
  run: async ({ client, words: [word = ""], isJson }) => {
    const { channelId } = await channelNamed(client, word);
    return shown(
      [await contentOf(client.POST("/re-stream/channels/{channelId}/end", { params: { path: { channelId } } }))],
      isJson,
    );
  },
});

export const channelsCommand = apiCommand("channels", "Channels: what encoders send to.", {
  "": list,
  list,
  show,
  create,
  delete: remove,
  on: switched("on", "Lets encoders in again."),
  off: switched("off", "Ends the broadcast and refuses encoders."),
  end,
});
