import { ConfigError } from "../../app/config/config-error.ts";
import type { components } from "../../client/api-types.ts";
import type { FanfareClient } from "../../client/client.ts";
import { wholeNumber } from "../commands/options.ts";
import { action, apiCommand, jsonText } from "./api-command.ts";
import { channelNamed } from "./channels.ts";
import { contentOf } from "./exit-codes.ts";
import { type Column, printable, rateText, table } from "./table.ts";

export type Platform = components["schemas"]["Platform"];

/** The reason of the last failure, the warning, or nothing. */
export function problemOf({ connectStatus, lastError, warning }: Platform): string {
  if (connectStatus === "PUBLISHING") return warning === undefined ? "" : `${warning.code}: ${warning.message}`;
  return lastError === undefined ? "" : `${lastError.code}: ${lastError.message}`;
}

const PLATFORM_COLUMNS: readonly Column<Platform>[] = [
  ["ID", ({ platId }) => `${platId}`],
  ["PLATFORM", ({ targetName, label }) => (label === undefined ? targetName : `${targetName} (${label})`)],
  ["STATUS", ({ connectStatus, enabled }) => (enabled ? connectStatus : "OFF")],
  ["RATE", ({ bytesPerSecond }) => rateText(bytesPerSecond)],
  ["RETRIES", ({ totalRetryCount }) => `${totalRetryCount}`],
  ["PROBLEM", problemOf],
];

const list = action({
  words: ["CHANNEL"],
  about: "Lists the platforms of a channel, with what is true of each now.",
  run: async ({ client, words: [word = ""], isJson }) => {
    const { channelId } = await channelNamed(client, word);
    const path = { params: { path: { channelId } } };
    const platforms = await contentOf(client.GET("/re-stream/channels/{channelId}/platforms", path));
    return isJson ? jsonText(platforms) : table(platforms, PLATFORM_COLUMNS);
  },
});

const add = action({
  words: ["CHANNEL", "PLATFORM", "ADDRESS", "KEY"],
  about: "Adds a platform to a channel, also while it is on air.",
  run: async ({ client, words: [word = "", targetName = "", rtmpUrl = "", streamKey = ""], isJson }) => {
    const { channelId } = await channelNamed(client, word);
    const body = { targetName: targetName as "CUSTOM", rtmpUrl, streamKey };
    const path = { params: { path: { channelId } } };
    const added = await contentOf(client.POST("/re-stream/channels/{channelId}/platforms", { ...path, body }));
    return isJson ? jsonText(added) : `platform ${added.platId} is added.\n`;
  },
});

const PLATFORM_ID = wholeNumber(1, Number.MAX_SAFE_INTEGER, "");

/** The path of the platform that CHANNEL and PLATFORM_ID name. The id is in decimal digits, as in the list. */
async function platformPath(client: FanfareClient, [name = "", id = ""]: readonly string[]) {
  const platformId = PLATFORM_ID.parse(id);
  if (platformId === undefined) {
    throw new ConfigError(`PLATFORM_ID: ${JSON.stringify(id)} is not allowed; allowed is ${PLATFORM_ID.allowed}.`);
  }
  const { channelId } = await channelNamed(client, name);
  return { params: { path: { channelId, platformId } } };
}

const ACTIONS = {
  on: ["Sends to this platform again.", "is on"],
  off: ["Stops sending to this platform.", "is off"],
  retry: ["Connects anew at once.", "connects anew"],
  cut: ["Drops what is delayed: the platform goes on live at the next keyframe.", "goes on live"],
} as const;

const changed = (word: keyof typeof ACTIONS) =>
  action({
    words: ["CHANNEL", "PLATFORM_ID"],
    about: ACTIONS[word][0],
    run: async ({ client, words }) => {
      const params = await platformPath(client, words);
      if (word === "on")
        await contentOf(client.PUT("/re-stream/channels/{channelId}/platforms/{platformId}/on", params));
      if (word === "off")
        await contentOf(client.PUT("/re-stream/channels/{channelId}/platforms/{platformId}/off", params));
      if (word === "retry") {
        await contentOf(client.PUT("/re-stream/channels/{channelId}/platforms/{platformId}/retry", params));
      }
      if (word === "cut") {
        await contentOf(client.PUT("/re-stream/channels/{channelId}/platforms/{platformId}/cut-delay", params));
      }
      return `platform ${params.params.path.platformId} ${ACTIONS[word][1]}.\n`;
    },
  });

const remove = action({
  words: ["CHANNEL", "PLATFORM_ID"],
  about: "Removes a platform. Its stream ends; others are unaffected.",
  run: async ({ client, words }) => {
    const params = await platformPath(client, words);
    await contentOf(client.DELETE("/re-stream/channels/{channelId}/platforms/{platformId}", params));
    return `platform ${params.params.path.platformId} is removed.\n`;
  },
});

const check = action({
  words: ["CHANNEL", "PLATFORM_ID"],
  about: "Tests the platform's address and key without a broadcast.",
  run: async ({ client, words, isJson }) => {
    const params = await platformPath(client, words);
    const result = await contentOf(client.POST("/re-stream/channels/{channelId}/platforms/{platformId}/test", params));
    return isJson
      ? jsonText(result)
      : `${Object.entries(result)
          .map(([key, value]) => `${key}: ${printable(typeof value === "object" ? JSON.stringify(value) : `${value}`)}`)
          .join("\n")}\n`;
  },
});

export const platformsCommand = apiCommand("platforms", "Platforms of a channel: where its stream goes.", {
  list,
  add,
  on: changed("on"),
  off: changed("off"),
  retry: changed("retry"),
  cut: changed("cut"),
  remove,
  test: check,
});
