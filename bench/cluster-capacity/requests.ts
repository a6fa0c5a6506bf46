import { randomInt } from "node:crypto";
import { Agent } from "node:http";
import { milliseconds } from "../../test/lab/figures.ts";
import type { LabNode } from "../../test/support/cluster/lab-node.ts";
import { runLoad, send } from "../open-load.ts";

const CHANNELS = "/api/v2/re-stream/channels";
const PAGE_SIZE = 100;
const RATE_OF_A_NODE = 10;
const SECONDS = 80;
const WORKERS = 16;
const SATURATED_SECONDS = 8;
const FAILURES_SHOWN = 3;

/**
 * How fast nodes return pages of a long list, what it is narrowed by, and the status, events and reports of channels; and how many
 * status requests one of them carries.
 */
export async function measureRequests(
  nodes: readonly LabNode[],
  channelIds: readonly string[],
  say: (text: string) => void,
): Promise<void> {
  const pages = Math.floor(channelIds.length / PAGE_SIZE);
  const page = (number: number) => `pageNo=${number}&pageSizeNo=${PAGE_SIZE}`;
  const anyChannel = () => `${CHANNELS}/${channelIds[randomInt(channelIds.length)]}`;
  const kinds = {
    "the first page": () => `${CHANNELS}?${page(1)}`,
    "any page": () => `${CHANNELS}?${page(randomInt(1, pages + 1))}`,
    "the last page": () => `${CHANNELS}?${page(pages)}`,
    "a page of those that are ready": () => `${CHANNELS}?${page(randomInt(1, pages + 1))}&channelStatus=READY`,
    "those that are blocked": () => `${CHANNELS}?${page(1)}&channelStatus=BLOCK`,
    "a part of the name": () => `${CHANNELS}?${page(1)}&channelName=${randomInt(1_000, 10_000)}`,
    "a digit of the name": () => `${CHANNELS}?${page(1)}&channelName=${randomInt(10)}`,
    // A third of all names or more have a digit.
    "any page of a digit": () =>
      `${CHANNELS}?${page(randomInt(1, Math.ceil(pages / 3) + 1))}&channelName=${randomInt(10)}`,
    "two digits of those that are ready": () =>
      `${CHANNELS}?${page(1)}&channelName=${randomInt(10, 100)}&channelStatus=READY`,
    "what no name has": () => `${CHANNELS}?${page(1)}&channelName=none`,
    "a channel's platforms": () => `${anyChannel()}/platforms`,
    "a channel's events": () => `${anyChannel()}/events?${page(1)}`,
    "a channel's reports": () => `${anyChannel()}/reports?${page(1)}`,
    "the latest events of all channels": () => `/api/v2/events?${page(1)}`,
  };
  const names = Object.keys(kinds) as (keyof typeof kinds)[];
  const loads = await Promise.all(
    nodes.map(({ fanfare, api }, index) => {
      let turn = index * RATE_OF_A_NODE;
      return runLoad({
        ...{ origin: fanfare.origin, perSecond: RATE_OF_A_NODE, seconds: SECONDS },
        next: () => {
          turn += 1;
          const kind = names[turn % names.length] ?? "any page";
          const target = kinds[kind]();
          return { kind, target, headers: api.signedHeaders("GET", target) };
        },
      });
    }),
  );
  for (const kind of names) {
    const values = loads.flatMap(({ latencies }) => latencies.get(kind) ?? []);
    say(
      `${kind}, of ${channelIds.length} channels, ${values.length}: p50, p90, p99, longest | ${milliseconds(values)}`,
    );
  }
  for (const failure of loads.flatMap(({ failures }) => failures).slice(0, FAILURES_SHOWN)) say(`failed | ${failure}`);
  const [node] = nodes;
  if (node === undefined) return;
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
