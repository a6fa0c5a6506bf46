import { milliseconds } from "../../test/lab/figures.ts";
import type { BareNode } from "./nodes.ts";

/** Broadcasts of one node: at this many it writes every 30 s. */
const BROADCASTS = 1_200;
const TARGETS = 3;
const SECONDS = 8;

/** What it costs to store the totals of so many broadcasts at once, and how many rows one PostgreSQL takes a second. */
export async function measureTotals(nodes: readonly BareNode[], channelIds: readonly string[]): Promise<string[]> {
  const [first] = nodes;
  if (first === undefined) throw new Error("no node");
  const rows = await first.database.read((db) =>
    db.selectFrom("target").select(["target_id", "channel_id"]).orderBy("channel_id").execute(),
  );
  const targetsOf = new Map<string, number[]>();
  for (const { channel_id: channelId, target_id: targetId } of rows)
    targetsOf.set(channelId, [...(targetsOf.get(channelId) ?? []), Number(targetId)]);
  const batchOf = (ids: readonly string[]) => ({
    channels: ids.map((channelId) => ({ channelId, publishMs: 1_000 })),
    targets: ids.flatMap((channelId) =>
      (targetsOf.get(channelId) ?? []).map((targetId) => ({ targetId, bytes: 1_000, playMs: 1_000, retryCount: 0 })),
    ),
  });
  const tookMs: number[] = [];
  const endMs = performance.now() + SECONDS * 1_000;
  const written = await Promise.all(
    nodes.map(async ({ channels }, index) => {
      const own = channelIds.filter((_, no) => no % nodes.length === index);
      let count = 0;
      for (let from = 0; performance.now() < endMs; from = (from + BROADCASTS) % own.length) {
        const ids = own.slice(from, from + BROADCASTS);
        const startMs = performance.now();
        await channels.addTotals(batchOf(ids));
        tookMs.push(performance.now() - startMs);
        count += ids.length * (1 + TARGETS);
      }
      return count;
    }),
  );
  const perSecond = Math.round(written.reduce((sum, count) => sum + count, 0) / SECONDS);
  return [
    `totals of ${BROADCASTS} broadcasts with ${TARGETS} targets, ${nodes.length} nodes at once: p50, p90, p99, longest | ${milliseconds(tookMs)}`,
    `rows of totals a second | ${perSecond}`,
  ];
}
