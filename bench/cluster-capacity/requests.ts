import { randomInt } from "node:crypto";
import { Agent } from "node:http";
import { milliseconds } from "../../test/lab/figures.ts";
import type { LabNode } from "../../test/support/cluster/lab-node.ts";
import { runLoad, send } from "../open-load.ts";

const CHANNELS = "/api/v2/re-stream/channels";
const PAGE_SIZE = 100;
const RATE = 20;
const SECONDS = 15;
const WORKERS = 16;
const SATURATED_SECONDS = 8;
const FAILURES_SHOWN = 3;

/** How fast a node returns pages of a long list and the status of channels, and how many status requests it carries. */
export async function measureRequests(
  node: LabNode,
  channelIds: readonly string[],
  say: (text: string) => void,
): Promise<void> {
  const pages = Math.floor(channelIds.length / PAGE_SIZE);
  const kinds = {
    "the first page": () => `${CHANNELS}?pageNo=1&pageSizeNo=${PAGE_SIZE}`,
    "any page": () => `${CHANNELS}?pageNo=${randomInt(1, pages + 1)}&pageSizeNo=${PAGE_SIZE}`,
    "the last page": () => `${CHANNELS}?pageNo=${pages}&pageSizeNo=${PAGE_SIZE}`,
    "a part of the name": () => `${CHANNELS}?pageNo=1&pageSizeNo=${PAGE_SIZE}&channelName=${randomInt(1_000, 10_000)}`,
    "a channel's platforms": () => `${CHANNELS}/${channelIds[randomInt(channelIds.length)]}/platforms`,
  };
  const names = Object.keys(kinds) as (keyof typeof kinds)[];
  let turn = 0;
  const load = await runLoad({
    ...{ origin: node.fanfare.origin, perSecond: RATE, seconds: SECONDS },
    next: () => {
      turn += 1;
      const kind = names[turn % names.length] ?? "any page";
      const target = kinds[kind]();
      return { kind, target, headers: node.api.signedHeaders("GET", target) };
    },
  });
  for (const [kind, values] of load.latencies)
    say(`${kind}, of ${channelIds.length} channels: p50, p90, p99, longest | ${milliseconds(values)}`);
  for (const failure of load.failures.slice(0, FAILURES_SHOWN)) say(`failed | ${failure}`);
  say(await pageThrough(node, pages));
  say(await saturate(node, channelIds));
}

async function pageThrough(node: LabNode, pages: number): Promise<string> {
  const startMs = performance.now();
  let failed = 0;
  for (let no = 1; no <= pages; no += 1)
    if ((await get(node, `${CHANNELS}?pageNo=${no}&pageSizeNo=${PAGE_SIZE}`)) !== 200) failed += 1;
  return `all ${pages} pages, one after another, failed | ${((performance.now() - startMs) / 1_000).toFixed(1)} s, ${failed}`;
}

/** Status requests as fast as one node answers them. */
async function saturate(node: LabNode, channelIds: readonly string[]): Promise<string> {
  const agent = new Agent({ keepAlive: true, maxSockets: WORKERS });
  const endMs = performance.now() + SATURATED_SECONDS * 1_000;
  const tookMs: number[] = [];
  let failed = 0;
  const work = async () => {
    while (performance.now() < endMs) {
      const startMs = performance.now();
      const status = await get(node, `${CHANNELS}/${channelIds[randomInt(channelIds.length)]}/platforms`, agent);
      if (status !== 200) failed += 1;
      tookMs.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  agent.destroy();
  const perSecond = Math.round(tookMs.length / SATURATED_SECONDS);
  return `status requests a second at one node, ${WORKERS} at once, failed | ${perSecond}, ${failed} (${milliseconds(tookMs)})`;
}

const shared = new Agent({ keepAlive: true });

async function get({ fanfare, api }: LabNode, target: string, agent = shared): Promise<number | undefined> {
  return await send(agent, `${fanfare.origin}${target}`, api.signedHeaders("GET", target));
}
