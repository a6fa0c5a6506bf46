import { expect, test } from "vitest";
import { mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { hex } from "../support/streams/hex.ts";
import { AVC_CONFIG, aacFrame, audio, video } from "../support/streams/media-messages.ts";

/** One NAL unit a message: `first` marks a frame's first slice. */
const slice = (isKeyframe: boolean, isFirst: boolean, mark: number, flag = isKeyframe): Buffer => {
  const type = isKeyframe ? 0x65 : 0x41;
  return Buffer.from([
    flag ? 0x17 : 0x27,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    3,
    type,
    isFirst ? (isKeyframe ? 0x88 : 0x9a) : 0x08,
    mark,
  ]);
};
const unit = (type: number, isFlagged: boolean): Buffer =>
  Buffer.from([isFlagged ? 0x17 : 0x27, 1, 0, 0, 0, 0, 0, 0, 2, type, 0x80]);
const slicesOf = (isKeyframe: boolean, mark: number, slices = 4): Buffer[] =>
  Array.from({ length: slices }, (_, index) => slice(isKeyframe, index === 0, mark + index));
const bodies = (stage: RelayStage, targetId: number): string[] => {
  stage.flush();
  return mediaOf(stage.dialer.latest(targetId))
    .filter(({ payload }) => payload[1] === 1)
    .map(({ timestamp, payload }) => `${timestamp} ${payload.subarray(9).toString("hex")}`);
};

function onAirLate() {
  const stage = new RelayStage(30);
  stage.engine.introduce(stage.spec([target(1), target(2)]));
  const publisher = stage.open();
  publisher.push(video(0, AVC_CONFIG));
  stage.dialer.latest(1).accept();
  const push = (timestamp: number, payloads: readonly Buffer[]) => {
    for (const payload of payloads) publisher.push(video(timestamp, payload));
  };
  return { stage, publisher, push };
}

test("a target that joins in a keyframe of several messages starts at its first message, and each target gets every slice", () => {
  const { stage, push } = onAirLate();
  push(0, slicesOf(true, 0x10));
  push(40, slicesOf(false, 0x20));
  // In the middle of a keyframe's messages, a target starts with the whole group in the cache.
  const [first, ...others] = slicesOf(true, 0x30);
  push(80, first === undefined ? [] : [first]);
  stage.dialer.latest(2).accept();
  push(80, others);
  const key = ["6588", "6508", "6508", "6508"];
  expect(bodies(stage, 2)).toEqual(key.map((bytes, index) => `0 ${bytes}${(0x30 + index).toString(16)}`));
  expect(bodies(stage, 1)).toHaveLength(12);
});

test("a keyframe whose parameter sets come in messages of their own starts with the first of them", () => {
  const { stage, push } = onAirLate();
  stage.dialer.latest(2).accept();
  push(0, [unit(0x09, true), unit(0x67, true), unit(0x68, true), ...slicesOf(true, 0x10, 2)]);
  expect(bodies(stage, 2)).toEqual(["0 0980", "0 6780", "0 6880", "0 658810", "0 650811"]);
});

test("a frame that is too much for a target is dropped whole, and the target goes on at the first message of a keyframe", () => {
  const { stage, push } = onAirLate();
  const link = stage.dialer.latest(1);
  push(0, slicesOf(true, 0x10));
  stage.flush();
  link.isTaking = false;
  for (let timeMs = 40; timeMs <= 9_000; timeMs += 40) {
    push(timeMs, timeMs % 3_000 === 0 ? slicesOf(true, 0x40) : slicesOf(false, 0x20));
    stage.clock.advance(40);
    if (timeMs % 2_000 === 0) {
      link.drain();
      link.isTaking = false;
    }
  }
  link.isTaking = true;
  link.drain();
  const seen = bodies(stage, 1);
  const starts = seen.findIndex((each) => each.endsWith("658840"));
  expect(starts).toBeGreaterThan(0);
  const times = seen.map((each) => Number(each.split(" ")[0]));
  // Every frame that arrived has all of its slices.
  for (const timeMs of new Set(times)) expect(times.filter((each) => each === timeMs)).toHaveLength(4);
  // … and the drop counts are whole frames.
  stage.clock.advance(1_000);
  const frameCount = 1 + 9_000 / 40;
  expect(stage.samples.at(-1)?.targets[0]?.droppedFrames).toBe(frameCount - new Set(times).size);
});

test("filler contains every slice of the last keyframe and of the frame after it, in a message each", () => {
  const { stage, publisher, push } = onAirLate();
  push(0, slicesOf(true, 0x10, 2));
  push(40, slicesOf(false, 0x20, 2));
  push(80, slicesOf(false, 0x30, 2));
  stage.flush();
  const before = mediaOf(stage.dialer.latest(1)).length;
  publisher.end("connection-lost");
  stage.clock.advance(4_000);
  const filler = mediaOf(stage.dialer.latest(1)).slice(before);
  const [key, following] = filler.map(({ payload }) => payload.subarray(5).toString("hex"));
  expect(key).toBe("0000000365881000000003650811");
  expect(following).toBe("00000003419a2000000003410821");
});

test("meters count frames, not messages", () => {
  const { stage, push } = onAirLate();
  for (let timeMs = 0; timeMs < 5_000; timeMs += 40) {
    push(timeMs, slicesOf(timeMs % 1_000 === 0, 0x10));
    stage.clock.advance(40);
  }
  expect(stage.samples.at(-1)?.ingest).toMatchObject({ frameRate: 25, keyframeIntervalSeconds: 1 });
  expect(stage.samples.at(-1)?.ingest.measures).toMatchObject({ bFrames: 0 });
});

test("a keyframe that is marked as an inter frame is a keyframe, and is sent marked as one", () => {
  const { stage, push } = onAirLate();
  stage.dialer.latest(2).accept();
  push(0, [slice(false, true, 1)]);
  push(40, [slice(true, true, 2, false), slice(true, false, 3, false)]);
  expect(bodies(stage, 2)).toEqual(["0 658802", "0 650803"]);
  const flags = mediaOf(stage.dialer.latest(2)).map(({ payload }) => payload[0]);
  expect(flags).toEqual([0x17, 0x17, 0x17]);
});

test("inter frames that are all marked as keyframes are not keyframes, because the slices decide", () => {
  const { stage, push } = onAirLate();
  push(0, [slice(true, true, 1)]);
  for (let index = 1; index <= 3; index += 1) push(index * 40, [slice(false, true, 1 + index, true)]);
  stage.dialer.latest(2).accept();
  push(160, [slice(false, true, 5, true)]);
  expect(bodies(stage, 2)).toEqual(["0 658801", "40 419a02", "80 419a03", "120 419a04", "160 419a05"]);
});

test("recovery points that are marked as keyframes remain places to start at", () => {
  const { stage, push } = onAirLate();
  push(0, [slice(true, true, 1)]);
  for (let index = 1; index < 100; index += 1) push(index * 40, [slice(false, true, index, index % 50 === 0)]);
  stage.dialer.latest(2).accept();
  expect(bodies(stage, 2)[0]).toBe("0 419a32");
});

test("frames whose clock stands still are separate frames all the same", () => {
  const { stage, push } = onAirLate();
  push(0, [slice(true, true, 1)]);
  push(0, [slice(false, true, 2)]);
  push(0, [slice(true, true, 3)]);
  stage.dialer.latest(2).accept();
  push(0, [slice(false, true, 4)]);
  expect(bodies(stage, 2)).toEqual(["0 658803", "0 419a04"]);
});

test.each([
  ["AV1", "90 61763031 810c0c00", "a1 61763031 1200 0a02 0000 3202 1000", "a1 61763031 1200 3202 3000"],
  ["VP9", "90 76703039 01000000", "a1 76703039 82", "a1 76703039 86"],
  ["VP8", "90 76703038 01", "a1 76703038 10", "a1 76703038 11"],
])("a keyframe of %s that is marked as an inter frame is a keyframe", (_, config, key, inter) => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(video(0, hex(config)));
  stage.dialer.latest(1).accept();
  publisher.push(video(0, hex(inter)));
  publisher.push(video(40, hex(key)));
  publisher.push(video(80, hex(inter)));
  publisher.push(audio(80, aacFrame(1)));
  stage.flush();
  const frames = mediaOf(stage.dialer.latest(1)).filter(
    ({ type, payload }) => type === 9 && (payload[0] ?? 0) !== 0x90,
  );
  expect(frames.map(({ timestamp, payload }) => [timestamp, (payload[0] ?? 0) >> 4])).toEqual([
    [0, 9],
    [40, 10],
  ]);
});
