import { expect, test } from "vitest";
import { DriftMeter } from "../../../src/relay/publisher/drift-meter.ts";
import { EncoderClock } from "../../../src/relay/publisher/encoder-clock.ts";
import { StreamMeter } from "../../../src/relay/publisher/stream-meter.ts";
import { VideoMeter } from "../../../src/relay/publisher/video-meter.ts";

const FRAME_MS = 40;

/** A stream of 25 frames a second, as it arrives. */
function meterOf(options: {
  readonly seconds: number;
  readonly keyframeEvery: number;
  /** Composition times of a group's frames, in decoding order, in frames. */
  readonly order?: readonly number[];
  readonly firstTimestamp?: number;
}): StreamMeter {
  const { seconds, keyframeEvery, order = [0], firstTimestamp = 0 } = options;
  const meter = new StreamMeter();
  for (let index = 0; index * FRAME_MS < seconds * 1_000; index += 1) {
    const nowMs = index * FRAME_MS;
    if (nowMs % 1_000 === 0) meter.tick(nowMs);
    const frame = {
      kind: "video" as const,
      bytes: 1_000,
      timestamp: (firstTimestamp + nowMs) % 2 ** 32,
      compositionTimeMs: (order[index % order.length] ?? 0) * FRAME_MS,
      isKeyframe: index % keyframeEvery === 0,
    };
    meter.take(frame, nowMs);
  }
  return meter;
}

test("rates are means of ten seconds, and not known before", () => {
  expect(meterOf({ seconds: 10, keyframeEvery: 50 }).measures.videoBytesPerSecond).toBeUndefined();
  const { measures } = meterOf({ seconds: 10.04, keyframeEvery: 50 });
  expect(measures).toEqual({
    videoBytesPerSecond: 25_000,
    audioBytesPerSecond: 0,
    longestKeyframeSeconds: 2,
    bFrames: 0,
  });
});

test("the mean follows what came in the last ten seconds", () => {
  const meter = new StreamMeter();
  for (let second = 0; second <= 30; second += 1) {
    meter.tick(second * 1_000);
    const bytes = second < 15 ? 10_000 : 30_000;
    const frame = { timestamp: second * 1_000, compositionTimeMs: 0, isKeyframe: false };
    meter.take({ kind: "audio", bytes, ...frame }, second * 1_000);
    if (second === 20) expect(meter.measures.audioBytesPerSecond).toBe(20_000);
  }
  expect(meter.measures.audioBytesPerSecond).toBe(30_000);
});

test.each([
  { name: "none", order: [0], bFrames: 0 },
  { name: "none, all frames equally late", order: [2], bFrames: 0 },
  { name: "one: P b", order: [2, 0], bFrames: 1 },
  { name: "two: P b b", order: [3, 0, 0], bFrames: 2 },
  { name: "three, a pyramid: P B b b", order: [4, 1, -1, 0], bFrames: 3 },
])("B-frames in a row: $name", ({ order, bFrames }) => {
  expect(meterOf({ seconds: 8, keyframeEvery: 48, order }).measures.bFrames).toBe(bFrames);
});

test("the longest keyframe interval counts, also over a clock that wraps, and so does the current one", () => {
  const around = 2 ** 32 - 5_000;
  expect(meterOf({ seconds: 25, keyframeEvery: 250, firstTimestamp: around }).measures.longestKeyframeSeconds).toBe(10);
  expect(meterOf({ seconds: 12, keyframeEvery: 1_000 }).measures.longestKeyframeSeconds).toBeUndefined();
  expect(meterOf({ seconds: 20, keyframeEvery: 1_000 }).measures.longestKeyframeSeconds).toBeCloseTo(19.96, 5);
});

test("a single long keyframe interval is forgotten after half a minute", () => {
  const meter = new VideoMeter();
  const seen: (number | undefined)[] = [];
  for (let second = 0; second <= 60; second += 1) {
    meter.take(second === 0 ? undefined : 1_000, 0, second === 0 || second >= 9, second * 1_000);
    if ([9, 29, 60].includes(second)) seen.push(meter.longestKeyframeGapMs);
  }
  expect(seen).toEqual([9_000, 9_000, 1_000]);
});

test("a jump of the encoder's clock counts as no frame step, a wrap counts as one", () => {
  const clock = new EncoderClock();
  expect(clock.step(2 ** 32 - 20, 0)).toBeUndefined();
  expect(clock.step(20, 40)).toBe(40);
  expect(clock.step(3_600_000, 80)).toBeUndefined();
  expect(clock.step(3_600_040, 120)).toBe(40);
  // Nothing came for five seconds, by either clock.
  expect(clock.step(3_605_040, 5_120)).toBe(5_000);
});

/** Frames every 20 ms of media, which arrive `lateMs` after the moment their own clock shows. */
function drifting(minutes: number, lateMs: (mediaMs: number) => number): DriftMeter {
  const meter = new DriftMeter();
  for (let mediaMs = 0; mediaMs <= minutes * 60_000; mediaMs += 20) {
    meter.take(mediaMs === 0 ? undefined : 20, mediaMs + lateMs(mediaMs));
  }
  return meter;
}

/** The delay of a network: always something, mostly little, now and then half a second. */
const jitter = (mediaMs: number) => ((mediaMs / 20) % 7) * 9 + ((mediaMs / 20) % 1_000 === 0 ? 500 : 0);

test("a clock's drift is known after three minutes, whatever the network adds", () => {
  expect(drifting(2, jitter).ppm).toBeUndefined();
  expect(drifting(4, jitter).ppm).toBe(0);
  expect(drifting(15, jitter).ppm).toBe(0);
  for (const part of [0.05, 0.002, -0.002, -0.05]) {
    const ppm = drifting(8, (mediaMs) => mediaMs * part + jitter(mediaMs)).ppm ?? 0;
    // Slow by 5 % is late by 5 % of its own time, 4.76 % of ours.
    const exact = -(part / (1 + part)) * 1_000_000;
    expect(Math.abs(ppm - exact)).toBeLessThan(150);
  }
});

test("a queue that builds up once is no drift, and an encoder that starts anew is measured anew", () => {
  expect(drifting(8, (mediaMs) => (mediaMs < 120_000 ? 0 : 800)).ppm).toBe(0);
  const meter = drifting(8, (mediaMs) => mediaMs * 0.05);
  meter.take(undefined, 10_000_000);
  expect(meter.ppm).toBeUndefined();
});
