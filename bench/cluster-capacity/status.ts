import { randomInt } from "node:crypto";
import { Agent } from "node:http";
import { milliseconds } from "../../test/lab/figures.ts";
import { Lab, type LabChannel } from "../../test/lab/lab.ts";
import type { LabNode } from "../../test/support/cluster/lab-node.ts";
import { runLoad, send } from "../open-load.ts";
import { measureCommands, type Owned } from "./commands.ts";

const CHANNELS = 12;
const RATE_OF_A_NODE = 20;
const STEADY_SECONDS = 20;
const WORKERS = 16;
const SATURATED_SECONDS = 8;

const pathOf = ({ channelId }: LabChannel): string => `/api/v2/re-stream/channels/${channelId}/platforms`;

/**
 * Status requests at three nodes with broadcasts on air: how long they take at a steady rate, and how many one node answers a
 * second, of its own channels and of those of other nodes. `rateLimit`: requests a second that one access key may send.
 */
export async function measureStatus(rateLimit: string): Promise<string[]> {
  const lab = await Lab.start({
    ...{ channels: CHANNELS, isProxied: false },
    environment: { FANFARE_LOG_LEVEL: "warn", FANFARE_RATE_LIMIT: rateLimit },
  });
  try {
    // Each encoder comes to the next node, which then owns its channel.
    const owned = lab.channels.map((channel, index): Owned => {
      lab.encoder(channel);
      const node = lab.nodes[(index + 1) % lab.nodes.length];
      if (node === undefined) throw new Error("no node");
      return { channel, node };
    });
    await Promise.all(lab.channels.map((channel) => lab.onAir(channel)));
    const steady = await steadily(lab.nodes, owned);
    const commands = await measureCommands(lab, owned);
    const [first] = lab.nodes;
    if (first === undefined) throw new Error("no node");
    const own = owned.filter(({ node }) => node === first).map(({ channel }) => channel);
    const others = owned.filter(({ node }) => node !== first).map(({ channel }) => channel);
    return [
      ...steady,
      ...commands,
      `of channels of the node itself, ${WORKERS} at once: ${await saturate(first, own)}`,
      `of channels of other nodes, ${WORKERS} at once: ${await saturate(first, others)}`,
    ];
  } finally {
    await lab.close();
  }
}

async function steadily(nodes: readonly LabNode[], owned: readonly Owned[]): Promise<string[]> {
  const loads = await Promise.all(
    nodes.map((node) =>
      runLoad({
        ...{ origin: node.fanfare.origin, perSecond: RATE_OF_A_NODE, seconds: STEADY_SECONDS },
        next: () => {
          const one = owned[randomInt(owned.length)];
          if (one === undefined) throw new Error("no channel");
          const target = pathOf(one.channel);
          const kind = one.node === node ? "of the node itself" : "of another node";
          return { kind, target, headers: node.api.signedHeaders("GET", target) };
        },
      }),
    ),
  );
  const kinds = new Set(loads.flatMap(({ latencies }) => [...latencies.keys()]));
  const failed = loads.reduce((sum, { failures }) => sum + failures.length, 0);
  return [...kinds].map((kind) => {
    const values = loads.flatMap(({ latencies }) => latencies.get(kind) ?? []);
    const rate = `${RATE_OF_A_NODE} a second at each of ${nodes.length} nodes`;
    return `status of a channel ${kind}, ${rate}, ${values.length}, failed ${failed}: p50, p90, p99, longest | ${milliseconds(values)}`;
  });
}

async function saturate({ fanfare, api }: LabNode, channels: readonly LabChannel[]): Promise<string> {
  const agent = new Agent({ keepAlive: true, maxSockets: WORKERS });
  const endMs = performance.now() + SATURATED_SECONDS * 1_000;
  const tookMs: number[] = [];
  let failed = 0;
  const work = async () => {
    while (performance.now() < endMs) {
      const channel = channels[randomInt(channels.length)];
      if (channel === undefined) throw new Error("no channel");
      const target = pathOf(channel);
      const startMs = performance.now();
      const status = await send(agent, `${fanfare.origin}${target}`, api.signedHeaders("GET", target));
      if (status !== 200) failed += 1;
      tookMs.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  agent.destroy();
  const perSecond = Math.round(tookMs.length / SATURATED_SECONDS);
  return `requests a second, failed | ${perSecond}, ${failed} (${milliseconds(tookMs)})`;
}
