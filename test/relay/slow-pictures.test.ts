import { expect, test } from "vitest";
import type { FreezeTimes } from "../../src/thread-protocol/freeze-times.ts";
import { aacFrame, audio, avcFrame, video } from "../support/media-messages.ts";
import { mediaOf, RelayStage, target } from "../support/relay-stage.ts";

/** A channel on air; what comes is told by seconds. */
function stageOf(holdSeconds: number, freeze?: FreezeTimes) {
  const stage = new RelayStage(holdSeconds);
  const publisher = stage.onAir(target(1));
  if (freeze !== undefined) stage.engine.apply({ ...stage.spec([target(1)]), freeze });
  /** Lets time pass in steps of 100 ms; `each` says what comes at a step. */
  const run = (seconds: number, each: (ms: number) => void) => {
    const untilMs = stage.clock.now() + seconds * 1_000;
    while (stage.clock.now() < untilMs) {
      each(stage.clock.now());
      stage.clock.advance(100);
    }
  };
  const sound = (ms: number) => publisher.push(audio(ms, aacFrame(1)));
  const picture = (ms: number, isKeyframe = true, mark = 1) =>
    publisher.push(video(ms, avcFrame(isKeyframe, mark, 30)));
  const kinds = () => stage.facts.map(({ kind }) => kind).filter((kind) => kind !== "target-status");
  const told = (kind: string) => stage.facts.filter((fact) => fact.kind === kind);
  const pictures = () => mediaOf(stage.dialer.latest(1)).filter(({ type, payload }) => type === 9 && payload[1] === 1);
  const sounds = () => mediaOf(stage.dialer.latest(1)).filter(({ type, payload }) => type === 8 && payload[1] === 1);
  return { stage, publisher, run, sound, picture, kinds, told, pictures, sounds };
}

const ON_AIR = ["ingest-started", "publisher-active"];

test.each([6, 15, 30])(
  "a picture each %i s with sound is an encoder that is well: nothing is told, nothing filled",
  (everySeconds) => {
    const { run, sound, picture, kinds, pictures, stage } = stageOf(20);
    run(150, (ms) => {
      if (ms % (everySeconds * 1_000) === 0) picture(ms, ms === 0);
      sound(ms);
    });
    expect(kinds()).toEqual(ON_AIR);
    expect(pictures()).toHaveLength(150 / everySeconds);
    expect(stage.samples.at(-1)?.ingest.secondsWithoutVideo).toBeUndefined();
  },
);

test.each([0, 20])("a picture each 6 s without sound is one too, held for %i s", (holdSeconds) => {
  const { run, picture, kinds, pictures } = stageOf(holdSeconds);
  run(90, (ms) => ms % 6_000 === 0 && picture(ms, ms === 0));
  expect(kinds()).toEqual(ON_AIR);
  expect(pictures()).toHaveLength(15);
});

test("an encoder that is slow and then stays away is missed after twice its pace, and closed after twice that", () => {
  const { run, picture, told, stage } = stageOf(60);
  run(96, (ms) => ms % 6_000 === 0 && picture(ms));
  run(11, () => undefined);
  expect([told("ingest-held").length, stage.dismissed]).toEqual([1, []]);
  run(8, () => undefined);
  expect(stage.dismissed).toEqual([1]);
});

test("a channel's own time says when an encoder without media counts as frozen", () => {
  const { run, picture, sound, told, stage } = stageOf(60, { mediaSeconds: 30, videoSeconds: 10 });
  run(4, (ms) => {
    picture(ms);
    sound(ms);
  });
  run(29, () => undefined);
  expect(told("ingest-held")).toEqual([]);
  run(2, () => undefined);
  expect(told("ingest-held")).toHaveLength(1);
  run(28, () => undefined);
  expect(stage.dismissed).toEqual([]);
  run(3, () => undefined);
  expect(stage.dismissed).toEqual([1]);
});

test("pictures that stop while sound goes on: told after 5 s, filled after 10, sound as it came; back at a keyframe", () => {
  const { run, sound, picture, told, pictures, sounds, stage } = stageOf(20);
  run(6, (ms) => {
    picture(ms, ms % 2_000 === 0, 7);
    sound(ms);
  });
  const before = pictures().length;
  run(4.5, sound);
  expect(told("video-stopped")).toEqual([]);
  run(2, sound);
  expect(told("video-stopped")).toEqual([expect.objectContaining({ ingestId: 1, slot: "main" })]);
  expect(stage.samples.at(-1)?.ingest.secondsWithoutVideo).toBeGreaterThanOrEqual(5);
  expect(pictures()).toHaveLength(before);
  run(13.5, sound);
  const filled = pictures().slice(before);
  // Two a second, from the eleventh second on.
  expect(filled.length).toBeGreaterThanOrEqual(16);
  expect(filled.length).toBeLessThanOrEqual(21);
  expect(filled.filter(({ payload }) => payload[0] === 0x17).length).toBeGreaterThanOrEqual(8);
  // A picture that refers to what nobody saw does not go on.
  run(1, (ms) => {
    picture(ms, false, 9);
    sound(ms);
  });
  expect(pictures().filter(({ payload }) => payload.at(-1) === 9)).toEqual([]);
  run(2, (ms) => {
    picture(ms, ms % 1_000 === 0, 9);
    sound(ms);
  });
  expect(pictures().filter(({ payload }) => payload.at(-1) === 9)).toHaveLength(20);
  expect(stage.samples.at(-1)?.targets[0]?.drops).toEqual({ overTime: 0, overBytes: 0, untilKeyframe: 10 });
  expect(told("video-back")).toHaveLength(1);
  expect(told("ingest-held")).toEqual([]);
  expect(sounds().map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 290 }, (_, index) => index * 100));
});

test("pictures whose clock stood while they were away come back in step with the sound", () => {
  const { run, sound, picture, pictures, sounds } = stageOf(20);
  run(6, (ms) => {
    picture(ms, ms % 2_000 === 0);
    sound(ms);
  });
  run(30, sound);
  run(3, (ms) => {
    picture(ms - 30_000, ms % 1_000 === 0, 9);
    sound(ms);
  });
  const last = pictures().at(-1)?.timestamp ?? 0;
  expect(Math.abs(last - (sounds().at(-1)?.timestamp ?? 0))).toBeLessThanOrEqual(100);
});

test("a channel that wants no filler for pictures gets none; that they stopped is told nevertheless", () => {
  const { run, sound, picture, told, pictures } = stageOf(20, { mediaSeconds: 5, videoSeconds: 0 });
  run(6, (ms) => {
    picture(ms, ms % 2_000 === 0);
    sound(ms);
  });
  const before = pictures().length;
  run(60, sound);
  expect(told("video-stopped")).toHaveLength(1);
  expect(pictures()).toHaveLength(before);
});

test("sound that stops too is a lost encoder, and a stream that never had pictures misses none", () => {
  const { run, sound, picture, told } = stageOf(20);
  run(6, (ms) => {
    picture(ms, ms % 2_000 === 0);
    sound(ms);
  });
  run(15, sound);
  run(7, () => undefined);
  expect(told("ingest-held")).toHaveLength(1);
  const alone = stageOf(20);
  alone.run(60, alone.sound);
  expect(alone.kinds()).toEqual(ON_AIR);
});

test.each([0, 4, 11])("an encoder that sends its headers %i s before its first frame loses none", (waitedSeconds) => {
  const { run, sound, picture, pictures, sounds } = stageOf(20, { mediaSeconds: 10, videoSeconds: 10 });
  run(waitedSeconds, () => undefined);
  run(4, (ms) => {
    picture(ms - waitedSeconds * 1_000, (ms / 1_000 - waitedSeconds) % 2 === 0, 7);
    sound(ms - waitedSeconds * 1_000);
  });
  expect([pictures().length, sounds().length]).toEqual([40, 40]);
});

test("pictures of a further track that go on are not the ones that are missed: nothing is told twice", () => {
  const { run, sound, picture, publisher, told } = stageOf(20);
  const further = (ms: number) => publisher.push(video(ms, Buffer.from("a6016176633101000028000000024111", "hex")));
  run(6, (ms) => {
    picture(ms, ms % 2_000 === 0);
    further(ms);
    sound(ms);
  });
  run(30, (ms) => {
    further(ms);
    sound(ms);
  });
  expect([told("video-stopped").length, told("video-back").length]).toEqual([1, 0]);
});

test("pictures that come back without a keyframe stay behind filler, and the target says that it waits for one", () => {
  const { run, sound, picture, told, stage } = stageOf(20);
  run(6, (ms) => {
    picture(ms, ms === 0, 7);
    sound(ms);
  });
  run(15, sound);
  run(8, (ms) => {
    picture(ms, false, 9);
    sound(ms);
  });
  const status = stage.facts.findLast((fact) => fact.kind === "target-status");
  expect(status?.kind === "target-status" && status.status.warning?.code).toBe("WAITS_FOR_KEYFRAME");
  expect(told("video-back")).toEqual([]);
  expect(stage.samples.at(-1)?.targets[0]?.drops.untilKeyframe).toBeGreaterThanOrEqual(70);
});
