import { expect, test } from "vitest";
import { marksOf, REFUSED, RelayStage, target } from "../support/stages/relay-stage.ts";
import { avcFrame, video } from "../support/streams/media-messages.ts";

/** A relay with one channel on air, whose target has the first keyframe. `onWoke`: of a node that shares its channels. */
function startedStage(onWoke?: () => void) {
  const stage = new RelayStage(60, onWoke);
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  return { stage, publisher, link: stage.dialer.latest(1) };
}

/** The same of a node, right after a freeze. */
function frozenStage() {
  const { stage, publisher, link } = startedStage(() => undefined);
  stage.clock.advance(900);
  const written = link.writes.length;
  stage.clock.pause(20_000);
  return { stage, publisher, link, written };
}

test("a channel that another node owns now is left without a word, and its encoder dismissed", () => {
  const { stage, link } = startedStage();
  stage.engine.leave("ls-1");
  expect(link.closedHow).toBe("abort");
  expect(stage.dismissed).toEqual([1]);
  expect(stage.engine.isOnAir("ls-1")).toBe(false);
  expect(stage.facts.at(-1)).toMatchObject({ kind: "ingest-ended", end: "replaced", isBroadcastOver: true });
  stage.clock.advance(60_000);
  expect(stage.dialer.links).toHaveLength(1);
  // It is not this thread's to release any more.
  expect(stage.engine.forgetIdle(0)).toEqual([]);
});

test("after a freeze nothing is sent before it is allowed, and then everything that came meanwhile", () => {
  let wokeCount = 0;
  const { stage, publisher, link } = startedStage(() => {
    wokeCount += 1;
  });
  stage.clock.advance(900);
  const before = marksOf(link).length;
  stage.clock.pause(2_500);
  publisher.push(video(40, avcFrame(false, 2)));
  stage.engine.flush();
  stage.flush();
  expect(wokeCount).toBe(1);
  expect(marksOf(link)).toHaveLength(before);
  publisher.push(video(80, avcFrame(false, 3)));
  stage.flush();
  expect(marksOf(link)).toHaveLength(before);
  stage.engine.letSend(true);
  expect(marksOf(link).slice(before)).toEqual([
    [9, 40, 2],
    [9, 80, 3],
  ]);
  expect(wokeCount).toBe(1);
});

test("a machine that was suspended, and its monotonic clock with it, is noticed by its wall clock", () => {
  // One that is set back, or forward by less than two seconds, stood still for no time.
  for (const [byMs, isFreeze] of [
    [-60_000, false],
    [1_900, false],
    [20_000, true],
  ] as const) {
    let wokeCount = 0;
    const { stage, publisher, link } = startedStage(() => {
      wokeCount += 1;
    });
    stage.clock.setWall(byMs);
    publisher.push(video(40, avcFrame(false, 2)));
    stage.flush();
    expect(wokeCount).toBe(isFreeze ? 1 : 0);
    expect(marksOf(link).at(-1)).toEqual(isFreeze ? [9, 0, 1] : [9, 40, 2]);
    stage.engine.letSend(true);
    stage.flush();
    expect(marksOf(link).at(-1)).toEqual([9, 40, 2]);
  }
});

test("a pause of less than two seconds is no freeze, and a single node never asks", () => {
  for (const [pauseMs, onWoke] of [
    [1_900, () => expect.fail("no freeze")],
    [60_000, undefined],
  ] as const) {
    const { stage, publisher, link } = startedStage(onWoke);
    stage.clock.pause(pauseMs);
    publisher.push(video(40, avcFrame(false, 2)));
    stage.engine.flush();
    expect(marksOf(link).at(-1)).toEqual([9, 40, 2]);
  }
});

test("an encoder's clean end that waited for a frozen node does not end the stream before the node is fenced", () => {
  const { stage, publisher, link, written } = frozenStage();
  publisher.push(video(40, avcFrame(false, 2)));
  publisher.end("clean");
  stage.flush();
  expect([link.closedHow, link.writes.length]).toEqual([undefined, written]);
  stage.engine.leave("ls-1");
  stage.engine.letSend(true);
  stage.clock.advance(5_000);
  expect([link.closedHow, link.writes.length]).toEqual(["abort", written]);
  expect(stage.dialer.links).toHaveLength(1);
});

test("where the node still owns the channel, the end that waited ends it properly, after what came before it", () => {
  const { stage, publisher, link } = frozenStage();
  publisher.push(video(40, avcFrame(false, 2)));
  publisher.end("clean");
  stage.engine.letSend(true);
  expect(marksOf(link).at(-1)).toEqual([9, 40, 2]);
  expect(link.closedHow).toBe("end");
});

test("links that drain, fail or are due to be dialled after a freeze wait too, and so do commands", () => {
  const { stage, link, written } = frozenStage();
  stage.engine.end("ls-1");
  stage.engine.remove("ls-2");
  link.drain();
  link.fail(REFUSED);
  stage.flush();
  stage.clock.advance(1_500);
  expect([link.closedHow, link.writes.length, stage.dialer.links.length]).toEqual([undefined, written, 1]);
  expect(stage.status()?.status).toBe("PUBLISHING");
  stage.engine.letSend(true);
  expect(stage.status()?.status).toBe("READY");
});

test("a delayed target gets nothing from a node that stood still, and everything once the node may send", () => {
  const stage = new RelayStage(60, () => undefined);
  const publisher = stage.onAir(target(1, { delaySeconds: 2 }));
  for (let frame = 0; frame < 100; frame += 1) {
    publisher.push(video(frame * 40, avcFrame(frame % 25 === 0, frame)));
    stage.clock.advance(40);
    if (frame === 60) stage.dialer.latest(1).accept();
  }
  const before = marksOf(stage.dialer.latest(1)).length;
  expect(before).toBeGreaterThan(40);
  stage.clock.pause(3_000);
  stage.clock.advance(900);
  expect(marksOf(stage.dialer.latest(1))).toHaveLength(before);
  stage.engine.letSend(true);
  expect(marksOf(stage.dialer.latest(1)).length).toBeGreaterThan(before + 40);
  expect(marksOf(stage.dialer.latest(1)).at(-1)).toEqual([9, 3_960, 99]);
});

test("a target that waits for its next attempt is not dialled by a node that stood still", () => {
  const { stage, link } = startedStage(() => undefined);
  link.fail(REFUSED);
  stage.clock.pause(20_000);
  stage.clock.advance(900);
  expect(stage.dialer.links).toHaveLength(1);
  stage.engine.letSend(true);
  expect(stage.dialer.links).toHaveLength(2);
});
