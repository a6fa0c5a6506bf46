import { expect, test } from "vitest";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { PoolStage } from "../support/pool-stage.ts";
import { waitFor } from "../support/waiting.ts";

const DEADLINE_MS = 10_000;
/** By chance an encoder is read between its stop and the cut: not each time. */
const ROUNDS = 3;
/** Messages of some read steps. */
const SENT_MIN = 30;

/** A media thread, and a channel in it whose encoder is on air. */
async function onAir() {
  const stage = new PoolStage();
  await stage.start();
  const { channelId } = stage.channel([]);
  const told = (kind: string, count = 1) =>
    waitFor(
      kind,
      DEADLINE_MS,
      () => stage.facts.filter((fact) => fact.kind === kind)[count - 1],
      () => stage.told(channelId).join(" "),
    );
  const encoder = stage.encoder(channelId, { clip: syntheticClip() });
  await told("publisher-active");
  return { stage, channelId, encoder, told };
}

test("an encoder that stops just before its key is changed is over, and not held for", async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const { stage, channelId, encoder, told } = await onAir();
    // Both are on their way before the thread reads its encoders again.
    const stopped = encoder.stop("clean");
    stage.pool.disconnectPublisher(channelId, "main");
    expect(await told("ingest-ended")).toMatchObject({ end: "clean", isBroadcastOver: true });
    expect(stage.told(channelId)).not.toContain("ingest-held");
    await stopped;
  }
});

test("an encoder that comes just behind the change is not cut with the one before it", async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const { stage, channelId, encoder, told } = await onAir();
    // It is admitted behind the cut, and most likely before the encoders are read.
    const newcomer = stage.encoder(channelId, { clip: syntheticClip() });
    stage.pool.disconnectPublisher(channelId, "main");
    expect((await encoder.closed).end?.how).toBe("lost");
    await told("publisher-active", 2);
    await waitFor("more of the newcomer", DEADLINE_MS, () => newcomer.report.messagesSent > SENT_MIN || undefined);
    expect(newcomer.report.end).toBe(undefined);
  }
});
