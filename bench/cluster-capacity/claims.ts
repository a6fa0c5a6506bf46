import { milliseconds } from "../../test/lab/figures.ts";
import type { BareNode } from "./nodes.ts";

const SEQUENTIAL = 500;
const SECONDS = 8;
const WORKERS_OF_A_NODE = 16;

/** What one claim costs, one after another, and how many of them one PostgreSQL carries. `channelIds`: never owned. */
export async function measureClaims(nodes: readonly BareNode[], channelIds: readonly string[]): Promise<string[]> {
  const [first] = nodes;
  if (first === undefined) throw new Error("no node");
  const [alone, together] = [channelIds.slice(0, SEQUENTIAL), channelIds.slice(SEQUENTIAL)];
  const times = { find: [] as number[], claim: [] as number[], both: [] as number[], release: [] as number[] };
  for (const channelId of alone) {
    const startMs = performance.now();
    await first.ownerships.findOwner(channelId);
    const foundMs = performance.now();
    const claim = await first.ownerships.claim(channelId, { incarnation: first.incarnation, home: 0 }, 0);
    const claimedMs = performance.now();
    if (claim.kind !== "owned") throw new Error(`${channelId} was not claimed`);
    await first.ownerships.release(channelId, first.incarnation, claim.epoch);
    times.find.push(foundMs - startMs);
    times.claim.push(claimedMs - foundMs);
    times.both.push(claimedMs - startMs);
    times.release.push(performance.now() - claimedMs);
  }
  const workers = nodes.flatMap((node) => Array.from({ length: WORKERS_OF_A_NODE }, () => node));
  const endMs = performance.now() + SECONDS * 1_000;
  const counts = await Promise.all(
    workers.map(async ({ ownerships, incarnation }, index) => {
      const own = together.filter((_, no) => no % workers.length === index);
      const epochs = new Map<string, number>();
      let count = 0;
      for (; performance.now() < endMs; count += 1) {
        const channelId = own[count % own.length] ?? "";
        const claim = await ownerships.claim(channelId, { incarnation, home: 0 }, epochs.get(channelId) ?? 0);
        if (claim.kind !== "owned") throw new Error(`${channelId} was not claimed`);
        epochs.set(channelId, claim.epoch);
        await ownerships.release(channelId, incarnation, claim.epoch);
      }
      return count;
    }),
  );
  const perSecond = counts.reduce((sum, count) => sum + count, 0) / SECONDS;
  return [
    `look-up of the owner, one after another: p50, p90, p99, longest | ${milliseconds(times.find)}`,
    `claim | ${milliseconds(times.claim)}`,
    `look-up and claim | ${milliseconds(times.both)}`,
    `release | ${milliseconds(times.release)}`,
    `claims and releases a second, ${nodes.length} nodes with ${WORKERS_OF_A_NODE} at once each | ${Math.round(perSecond)}`,
  ];
}
