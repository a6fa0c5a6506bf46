import { expect, test } from "vitest";
import type { FreezeTimes } from "../../src/thread-protocol/freeze-times.ts";
import { mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { aacFrame, audio, avcFrame, video } from "../support/streams/media-messages.ts";

/** A channel on air; tests say by seconds what arrives. */
function stageOf(holdSeconds: number, freeze?: FreezeTimes) {
  const stage = new RelayStage(holdSeconds);
  const publisher = stage.onAir(target(1));
  if (freeze !== undefined) stage.engine.apply({ ...stage.spec([target(1)]), freeze });
  /** Advances time in steps of 100 ms; `each` says what arrives at a step. */
  const run = (seconds: number, each: (ms: number) => void) => {
    const untilMs = stage.clock.now() + seconds * 1_000;
    while (stage.clock.now() < untilMs) {
      each(stage.clock.now());
      stage.clock.advance(100);
    }
  };
  const sendAudio = (ms: number) => publisher.push(audio(ms, aacFrame(1)));
  const sendVideo = (ms: number, isKeyframe = true, mark = 1) =>
    publisher.push(video(ms, avcFrame(isKeyframe, mark, 30)));
  const kinds = () => stage.facts.map(({ kind }) => kind).filter((kind) => kind !== "target-status");
  const factsOf = (kind: string) => stage.facts.filter((fact) => fact.kind === kind);
  const videoSent = () => mediaOf(stage.dialer.latest(1)).filter(({ type, payload }) => type === 9 && payload[1] === 1);
  const audioSent = () => mediaOf(stage.dialer.latest(1)).filter(({ type, payload }) => type === 8 && payload[1] === 1);
  return { stage, publisher, run, sendAudio, sendVideo, kinds, factsOf, videoSent, audioSent };
}

const ON_AIR = ["ingest-started", "publisher-active"];

test.each([6, 15, 30])(
  "a frame each %i s with audio is a healthy encoder: nothing is reported, nothing is filled",
  (everySeconds) => {
    const { run, sendAudio, sendVideo, kinds, videoSent, stage } = stageOf(20);
    run(150, (ms) => {
      if (ms % (everySeconds * 1_000) === 0) sendVideo(ms, ms === 0);
      sendAudio(ms);
    });
    expect(kinds()).toEqual(ON_AIR);
    expect(videoSent()).toHaveLength(150 / everySeconds);
    expect(stage.samples.at(-1)?.ingest.secondsWithoutVideo).toBeUndefined();
  },
);

test.each([0, 20])("a frame each 6 s without audio is a healthy encoder too, with a hold of %i s", (holdSeconds) => {
  const { run, sendVideo, kinds, videoSent } = stageOf(holdSeconds);
  run(90, (ms) => ms % 6_000 === 0 && sendVideo(ms, ms === 0));
  expect(kinds()).toEqual(ON_AIR);
  expect(videoSent()).toHaveLength(15);
});

test("a slow encoder that stays away is frozen after twice its interval, and closed after twice that", () => {
  const { run, sendVideo, factsOf, stage } = stageOf(60);
  run(96, (ms) => ms % 6_000 === 0 && sendVideo(ms));
  run(11, () => undefined);
  expect([factsOf("ingest-held").length, stage.dismissed]).toEqual([1, []]);
  run(8, () => undefined);
  expect(stage.dismissed).toEqual([1]);
});

test("a channel's own setting says when an encoder without media counts as frozen", () => {
  const { run, sendVideo, sendAudio, factsOf, stage } = stageOf(60, { mediaSeconds: 30, videoSeconds: 10 });
  run(4, (ms) => {
    sendVideo(ms);
    sendAudio(ms);
  });
  run(29, () => undefined);
  expect(factsOf("ingest-held")).toEqual([]);
  run(2, () => undefined);
  expect(factsOf("ingest-held")).toHaveLength(1);
  run(28, () => undefined);
  expect(stage.dismissed).toEqual([]);
  run(3, () => undefined);
  expect(stage.dismissed).toEqual([1]);
});

test("video that stops while audio goes on is reported after 5 s and filled after 10, and returns at a keyframe", () => {
  const { run, sendAudio, sendVideo, factsOf, videoSent, audioSent, stage } = stageOf(20);
  run(6, (ms) => {
    sendVideo(ms, ms % 2_000 === 0, 7);
    sendAudio(ms);
  });
  const before = videoSent().length;
  run(4.5, sendAudio);
  expect(factsOf("video-stopped")).toEqual([]);
  run(2, sendAudio);
  expect(factsOf("video-stopped")).toEqual([expect.objectContaining({ ingestId: 1, slot: "main" })]);
  expect(stage.samples.at(-1)?.ingest.secondsWithoutVideo).toBeGreaterThanOrEqual(5);
  expect(videoSent()).toHaveLength(before);
  run(13.5, sendAudio);
  const filled = videoSent().slice(before);
  // Two a second, from the eleventh second on.
  expect(filled.length).toBeGreaterThanOrEqual(16);
  expect(filled.length).toBeLessThanOrEqual(21);
  expect(filled.filter(({ payload }) => payload[0] === 0x17).length).toBeGreaterThanOrEqual(8);
  // A frame whose reference was never sent does not go on.
  run(1, (ms) => {
    sendVideo(ms, false, 9);
    sendAudio(ms);
  });
  expect(videoSent().filter(({ payload }) => payload.at(-1) === 9)).toEqual([]);
  run(2, (ms) => {
    sendVideo(ms, ms % 1_000 === 0, 9);
    sendAudio(ms);
  });
  expect(videoSent().filter(({ payload }) => payload.at(-1) === 9)).toHaveLength(20);
  expect(stage.samples.at(-1)?.targets[0]?.drops).toEqual({ overTime: 0, overBytes: 0, untilKeyframe: 10 });
  expect(factsOf("video-back")).toHaveLength(1);
  expect(factsOf("ingest-held")).toEqual([]);
  expect(audioSent().map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 290 }, (_, index) => index * 100));
});

test("video whose clock stood still while it was away returns in step with the audio", () => {
  const { run, sendAudio, sendVideo, videoSent, audioSent } = stageOf(20);
  run(6, (ms) => {
    sendVideo(ms, ms % 2_000 === 0);
    sendAudio(ms);
  });
  run(30, sendAudio);
  run(3, (ms) => {
    sendVideo(ms - 30_000, ms % 1_000 === 0, 9);
    sendAudio(ms);
  });
  const last = videoSent().at(-1)?.timestamp ?? 0;
  expect(Math.abs(last - (audioSent().at(-1)?.timestamp ?? 0))).toBeLessThanOrEqual(100);
});

test("a channel without filler for video gets none, but the missing video is reported", () => {
  const { run, sendAudio, sendVideo, factsOf, videoSent } = stageOf(20, { mediaSeconds: 5, videoSeconds: 0 });
  run(6, (ms) => {
    sendVideo(ms, ms % 2_000 === 0);
    sendAudio(ms);
  });
  const before = videoSent().length;
  run(60, sendAudio);
  expect(factsOf("video-stopped")).toHaveLength(1);
  expect(videoSent()).toHaveLength(before);
});

test("a stream whose audio stops too has lost its encoder, and one that never had video misses none", () => {
  const { run, sendAudio, sendVideo, factsOf } = stageOf(20);
  run(6, (ms) => {
    sendVideo(ms, ms % 2_000 === 0);
    sendAudio(ms);
  });
  run(15, sendAudio);
  run(7, () => undefined);
  expect(factsOf("ingest-held")).toHaveLength(1);
  const alone = stageOf(20);
  alone.run(60, alone.sendAudio);
  expect(alone.kinds()).toEqual(ON_AIR);
});

test.each([0, 4, 11])(
  "an encoder that sends its headers %i s before its first frame loses none of them",
  (waitedSeconds) => {
    const { run, sendAudio, sendVideo, videoSent, audioSent } = stageOf(20, { mediaSeconds: 10, videoSeconds: 10 });
    run(waitedSeconds, () => undefined);
    run(4, (ms) => {
      sendVideo(ms - waitedSeconds * 1_000, (ms / 1_000 - waitedSeconds) % 2 === 0, 7);
      sendAudio(ms - waitedSeconds * 1_000);
    });
    expect([videoSent().length, audioSent().length]).toEqual([40, 40]);
  },
);

test("video of a further track does not stand for the missing track, and nothing is reported twice", () => {
  const { run, sendAudio, sendVideo, publisher, factsOf } = stageOf(20);
  const further = (ms: number) => publisher.push(video(ms, Buffer.from("a6016176633101000028000000024111", "hex")));
  run(6, (ms) => {
    sendVideo(ms, ms % 2_000 === 0);
    further(ms);
    sendAudio(ms);
  });
  run(30, (ms) => {
    further(ms);
    sendAudio(ms);
  });
  expect([factsOf("video-stopped").length, factsOf("video-back").length]).toEqual([1, 0]);
});

test("video that returns without a keyframe stays behind filler, and the target reports that it waits for one", () => {
  const { run, sendAudio, sendVideo, factsOf, stage } = stageOf(20);
  run(6, (ms) => {
    sendVideo(ms, ms === 0, 7);
    sendAudio(ms);
  });
  run(15, sendAudio);
  run(8, (ms) => {
    sendVideo(ms, false, 9);
    sendAudio(ms);
  });
  expect(stage.status()?.warning?.code).toBe("WAITS_FOR_KEYFRAME");
  expect(factsOf("video-back")).toEqual([]);
  expect(stage.samples.at(-1)?.targets[0]?.drops.untilKeyframe).toBeGreaterThanOrEqual(70);
});
