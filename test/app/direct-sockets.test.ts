import { expect, test } from "vitest";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { PoolStage } from "../support/stages/pool-stage.ts";

const DEADLINE_MS = 30_000;
/** Messages that a target keeps of a stream whose first frame it got. */
const COMPARED = 200;

/** What two targets get of one encoder's stream, one with each latency, and how many sockets the thread reported. */
async function relayed(directSockets: boolean) {
  const stage = new PoolStage({ directSockets });
  await stage.start();
  const streams = (["efficient", "low"] as const).map(async (latency) => {
    const target = await stage.target({ messagesMax: COMPARED });
    const { channelId } = stage.channel([target], { latency });
    stage.encoder(channelId, { clip: syntheticClip() });
    const messages = () => target.connections[0]?.report.messages ?? [];
    await waitFor("messages", DEADLINE_MS, () => messages().length === COMPARED || undefined);
    return messages().map(({ kind, timestamp, hash }) => ({ kind, timestamp, hash }));
  });
  const sent = await Promise.all(streams);
  const reported = () => stage.news.flatMap((news) => (news.kind === "loop-delay" ? [news.directSockets] : []));
  const before = reported().length;
  const count = await waitFor("the next report", DEADLINE_MS, () => reported()[before]);
  return { sent, count };
}

test("targets get the same bytes with and without direct sockets, and the thread reports how many it has", async () => {
  const [direct, streams] = await Promise.all([relayed(true), relayed(false)]);
  expect(direct.sent).toEqual(streams.sent);
  expect(direct.sent.map((messages) => messages.length)).toEqual([COMPARED, COMPARED]);
  // Two encoders and two targets.
  expect([direct.count, streams.count]).toEqual([4, 0]);
});
