import { setTimeout as sleep } from "node:timers/promises";
import type { components } from "../../client/api-types.ts";
import type { FanfareClient } from "../../client/client.ts";
import { action, apiCommand, jsonText } from "../api/api-command.ts";
import { contentOf } from "../api/exit-codes.ts";
import { type Column, counted, table } from "../api/table.ts";
import { wholeNumber } from "./options.ts";

type Node = components["schemas"]["Node"];

/** How often a server that drains is asked whether it carries anything, in milliseconds. */
const LOOK_MS = 1_000;
const MBIT = 1_000_000;

const COLUMNS: readonly Column<Node>[] = [
  ["NODE", ({ nodeId }) => nodeId],
  ["INCARNATION", ({ incarnation }) => `${incarnation}`],
  ["STATE", ({ nodeState }) => nodeState],
  ["CHANNELS", ({ channelCount }) => `${channelCount ?? ""}`],
  ["MBIT/S OUT", ({ egressBitsPerSecond: bits }) => (bits === undefined ? "" : (bits / MBIT).toFixed(1))],
  ["VERSION", ({ version }) => version],
];

export const nodesCommand = apiCommand("nodes", "The servers that work together on one database.", {
  "": action({
    words: [],
    about: "Lists them, in the order of their start; none for a single server.",
    run: async ({ client, isJson }) => {
      const nodes = await contentOf(client.GET("/nodes"));
      return isJson ? jsonText(nodes) : table(nodes, COLUMNS);
    },
  }),
  move: action({
    words: ["INCARNATION"],
    about: "Moves the broadcasts of a server to other servers. Encoders stay connected.",
    options: { to: wholeNumber(1, Number.MAX_SAFE_INTEGER, "The incarnation of the server that they go to.") },
    run: async ({ client, values: { to }, words: [incarnation = ""], isJson }) => {
      const node = await contentOf(
        client.POST("/nodes/{incarnation}/move", {
          params: { path: { incarnation } },
          body: to === undefined ? {} : { to },
        }),
      );
      if (isJson) return jsonText(node);
      return moveText(node);
    },
  }),
});

/** A server with an older program does not say which broadcasts move. */
function moveText({ nodeId, movingCount, staying = [] }: components["schemas"]["MovedNode"]): string {
  const many = movingCount === undefined ? "the broadcasts" : counted(movingCount, "broadcast");
  const stays = staying.map(({ channelId, message }) => `${channelId} stays: ${message}\n`);
  return [`moving: ${many} of ${nodeId}.\n`, ...stays].join("");
}

export const drainCommand = apiCommand("drain", "Empties a server before it is stopped.", {
  "": action({
    words: [],
    about: "Lets the server that is asked take no more channels. Its broadcasts go on until they end.",
    switches: { wait: "Return once it carries no channel, or has ended." },
    run: async ({ client, switches }) => {
      const self = (await contentOf(client.GET("/nodes"))).find(({ isSelf }) => isSelf);
      if (self === undefined) throw new Error("this server works alone: stop it, or replace it with fanfare upgrade.");
      const { incarnation, nodeId } = self;
      await contentOf(
        client.POST("/nodes/{incarnation}/drain", { params: { path: { incarnation: `${incarnation}` } } }),
      );
      if (!switches.has("wait")) return `${nodeId} drains.\n`;
      while (await carriesSomething(client, incarnation)) await sleep(LOOK_MS);
      return `${nodeId} carries no channel.\n`;
    },
  }),
});

async function carriesSomething(client: FanfareClient, incarnation: number): Promise<boolean> {
  const node = (await contentOf(client.GET("/nodes"))).find((each) => each.incarnation === incarnation);
  return node !== undefined && (node.channelCount ?? 0) > 0;
}
