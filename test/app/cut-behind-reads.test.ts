import { expect, test } from "vitest";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { PoolStage } from "../support/stages/pool-stage.ts";

const DEADLINE_MS = 10_000;
/** Whether an encoder is read between its stop and the cut is chance, so it is tried several times. */
const ROUNDS = 3;
/** Messages of some read steps. */
const SENT_MIN = 30;

/** A media thread with a channel whose encoder is on air. */
async function onAir() {
  const stage = new PoolStage();
  await stage.start();
  const { channelId } = stage.channel([]);
  const waitForFact = (kind: string, count = 1) =>
    waitFor(
      kind,
      DEADLINE_MS,
      () => stage.facts.filter((fact) => fact.kind === kind)[count - 1],
      () => stage.factsOf(channelId).join(" "),
    );
  const encoder = stage.encoder(channelId, { clip: syntheticClip() });
  await waitForFact("publisher-active");
  return { stage, channelId, encoder, waitForFact };
}

test("an encoder that stops just before its key is changed has ended, and its channel is not held", async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const { stage, channelId, encoder, waitForFact } = await onAir();
    // Both are on their way before the thread reads its encoders again.
    const stopped = encoder.stop("clean");
    stage.pool.disconnectPublisher(channelId, "main");
    expect(await waitForFact("ingest-ended")).toMatchObject({ end: "clean", isBroadcastOver: true });
    expect(stage.factsOf(channelId)).not.toContain("ingest-held");
    await stopped;
  }
});

test("an encoder that comes just after the change is not cut with the one before it", async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const { stage, channelId, encoder, waitForFact } = await onAir();
    // It is admitted after the cut, and most likely before the encoders are read.
    const newcomer = stage.encoder(channelId, { clip: syntheticClip() });
    stage.pool.disconnectPublisher(channelId, "main");
    expect((await encoder.closed).end?.how).toBe("lost");
    await waitForFact("publisher-active", 2);
    await waitFor("more of the newcomer", DEADLINE_MS, () => newcomer.report.messagesSent > SENT_MIN || undefined);
    expect(newcomer.report.end).toBe(undefined);
  }
});
