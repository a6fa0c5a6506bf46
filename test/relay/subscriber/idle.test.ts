import { expect, test } from "vitest";
import type { PublisherHandle } from "../../../src/relay/publisher/publisher.ts";
import type { MediaMessage } from "../../../src/relay/stream/media-message.ts";
import { mediaOf, RelayStage, target } from "../../support/stages/relay-stage.ts";
import {
  AAC_CONFIG,
  AVC_CONFIG,
  aacFrame,
  audio,
  avcFrame,
  metadata,
  video,
} from "../../support/streams/media-messages.ts";

const FRAME_MS = 40;
const playMs = (stage: RelayStage, targetId = 1): number | undefined =>
  stage.samples.at(-1)?.targets.find((each) => each.targetId === targetId)?.playMs;

/** Runs an encoder by the wall clock. */
function run(
  stage: RelayStage,
  publisher: PublisherHandle,
  seconds: number,
  frames: (timestamp: number, index: number) => MediaMessage[],
) {
  for (let index = 0; index < (seconds * 1_000) / FRAME_MS; index += 1) {
    for (const message of frames(Math.round(stage.clock.now()), index)) publisher.push(message);
    stage.clock.advance(FRAME_MS);
  }
}
const inter = (timestamp: number) => video(timestamp, avcFrame(false, 1));
const audioFrame = (timestamp: number) => audio(timestamp, aacFrame(1));
const flat = (timestamp: number) => [inter(timestamp), audioFrame(timestamp)];
const groups = (timestamp: number, index: number) => [
  video(timestamp, avcFrame(index % 50 === 0, 1)),
  audioFrame(timestamp),
];

test("an accepted target without a keyframe reports after 5 s that it waits for one, counts no play time, and stops waiting at the first", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  run(stage, publisher, 4, flat);
  expect(stage.status()?.warning?.code).toBeUndefined();
  run(stage, publisher, 4, flat);
  expect([stage.status()?.status, stage.status()?.warning?.code, playMs(stage)]).toEqual([
    "PUBLISHING",
    "WAITS_FOR_KEYFRAME",
    0,
  ]);
  const warning = stage.status()?.warning;
  expect(warning?.message).toContain("it is waiting for a keyframe");
  expect(warning?.messageKo).toContain("키프레임을 기다리고");
  run(stage, publisher, 4, groups);
  expect(stage.status()?.warning?.code).toBeUndefined();
  expect(playMs(stage)).toBeGreaterThan(2_000);
  expect(playMs(stage)).toBeLessThanOrEqual(4_000);
});

test("after the last keyframe a target that joins later waits, and those on air go on; both are reported apart", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  run(stage, publisher, 12, (timestamp, index) => [video(timestamp, avcFrame(index === 0, 1)), audioFrame(timestamp)]);
  stage.engine.apply(stage.spec([target(1), target(2)]));
  stage.dialer.latest(2).accept();
  run(stage, publisher, 7, flat);
  expect([stage.status(1)?.warning?.code, stage.status(2)?.warning?.code]).toEqual([undefined, "WAITS_FOR_KEYFRAME"]);
  expect([playMs(stage, 1), playMs(stage, 2)]).toEqual([expect.any(Number), 0]);
  expect(playMs(stage, 1)).toBeGreaterThan(17_000);
});

test("a target that got headers alone waits for media", () => {
  const stage = new RelayStage(600);
  stage.onAir(target(1));
  stage.clock.advance(7_000);
  expect([stage.status()?.status, stage.status()?.warning?.code, playMs(stage)]).toEqual([
    "PUBLISHING",
    "WAITS_FOR_MEDIA",
    0,
  ]);
});

test("video that a header announces and that never comes is left out after 5 s, and audio goes alone", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  run(stage, publisher, 10, (timestamp) => [audioFrame(timestamp)]);
  expect(stage.status()?.warning?.code).toBeUndefined();
  expect(mediaOf(stage.dialer.latest(1)).filter(({ payload }) => payload[1] === 1).length).toBeGreaterThan(100);
});

test.each<readonly [string, MediaMessage[], (timestamp: number, index: number) => MediaMessage[]]>([
  ["audio alone", [audio(0, AAC_CONFIG)], (timestamp) => [audioFrame(timestamp)]],
  [
    "audio alone, with metadata that announces video",
    [metadata({ width: 640, videocodecid: 7 }), audio(0, AAC_CONFIG)],
    (timestamp) => [audioFrame(timestamp)],
  ],
  ["video alone", [video(0, AVC_CONFIG)], (timestamp, index) => [video(timestamp, avcFrame(index % 50 === 0, 1))]],
  ["no headers at all", [], groups],
  ["timestamps that stand still", [video(0, AVC_CONFIG)], (_, index) => [video(0, avcFrame(index % 50 === 0, 1))]],
  [
    "timestamps that go back",
    [video(0, AVC_CONFIG)],
    (timestamp, index) => [video(Math.max(0, 100_000 - timestamp), avcFrame(index % 50 === 0, 1))],
  ],
  [
    "keyframes that are marked as inter frames",
    [video(0, AVC_CONFIG)],
    (timestamp, index) => {
      const frame = avcFrame(index % 50 === 0, 1);
      frame[0] = 0x27;
      return [video(timestamp, frame)];
    },
  ],
  ["audio without a header", [], (timestamp) => [audio(timestamp, Buffer.from("2ffffb9064", "hex"))]],
])("%s: media flows, and no target waits", (_, head, frames) => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  for (const message of head) publisher.push(message);
  const [first] = frames(0, 0);
  if (head.length === 0 && first !== undefined) publisher.push(first);
  stage.dialer.latest(1).accept();
  run(stage, publisher, 12, frames);
  expect([stage.status()?.status, stage.status()?.warning?.code]).toEqual(["PUBLISHING", undefined]);
  expect(playMs(stage)).toBeGreaterThan(8_000);
});

test("metadata alone makes the relay dial no target", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  stage.open().push(metadata({ width: 640 }));
  stage.clock.advance(10_000);
  expect(stage.dialer.links).toHaveLength(0);
});

test("a target in a hold without anything to repeat waits for media, and its earlier time on air stays counted", () => {
  const stage = new RelayStage(600);
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  // Fanfare has no silence for MP3.
  publisher.push(audio(0, Buffer.from("2ffffb9064", "hex")));
  stage.dialer.latest(1).accept();
  run(stage, publisher, 6, (timestamp) => [audio(timestamp, Buffer.from("2ffffb9064", "hex"))]);
  publisher.end("connection-lost");
  stage.clock.advance(20_000);
  expect([stage.status()?.status, stage.status()?.warning?.code]).toEqual(["PUBLISHING", "WAITS_FOR_MEDIA"]);
  expect(playMs(stage)).toBeGreaterThanOrEqual(5_000);
  // Up to 5 s were counted before it was known.
  expect(playMs(stage)).toBeLessThanOrEqual(12_000);
});

test("a hold with filler counts as on air", () => {
  const stage = new RelayStage(600);
  const publisher = stage.onAir(target(1));
  run(stage, publisher, 4, groups);
  publisher.end("connection-lost");
  stage.clock.advance(20_000);
  expect(stage.status()?.warning?.code).toBeUndefined();
  expect(playMs(stage)).toBeGreaterThan(20_000);
});

test("a target that chose a track whose keyframe does not come waits, others do not", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1), target(2, { tracks: { video: 1, audio: 0 } })]));
  const publisher = stage.open();
  publisher.push(audio(0, AAC_CONFIG));
  publisher.push(video(0, AVC_CONFIG));
  publisher.push(video(0, Buffer.concat([Buffer.from("96006176633101", "hex"), AVC_CONFIG.subarray(5)])));
  for (const link of stage.dialer.links) link.accept();
  const second = Buffer.from("a60161766331010000000000000341 9a01".replaceAll(" ", ""), "hex");
  run(stage, publisher, 8, (timestamp, index) => [...groups(timestamp, index), video(timestamp, second)]);
  expect([stage.status(1)?.warning?.code, stage.status(2)?.warning?.code]).toEqual([undefined, "WAITS_FOR_KEYFRAME"]);
});

test("a target that lost frames of a stream without further keyframes reports so, while its audio goes on", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  const link = stage.dialer.latest(1);
  link.isTaking = false;
  const large = (timestamp: number) => [video(timestamp, avcFrame(false, 1, 2_000)), audioFrame(timestamp)];
  // It takes something each second, so that it does not stall, and less than the stream has.
  for (let second = 0; second < 9; second += 1) {
    run(stage, publisher, 1, large);
    link.drain();
  }
  expect(stage.samples.at(-1)?.targets[0]?.drops.untilKeyframe).toBeGreaterThan(0);
  link.isTaking = true;
  link.drain();
  const before = mediaOf(link).length;
  run(stage, publisher, 8, flat);
  expect(
    mediaOf(link)
      .slice(before)
      .every(({ type }) => type === 8),
  ).toBe(true);
  expect([stage.status()?.status, stage.status()?.warning?.code]).toEqual(["PUBLISHING", "WAITS_FOR_KEYFRAME"]);
});

test("video without keyframes behind filler is counted as dropped and reported after 5 s, and no target is called slow for it", () => {
  const stage = new RelayStage(20);
  const publisher = stage.onAir(target(1));
  const endless = (timestamp: number, index: number) => [
    video(timestamp, avcFrame(stage.clock.now() < 1 && index === 0, 1)),
    audioFrame(timestamp),
  ];
  run(stage, publisher, 6, endless);
  run(stage, publisher, 4, () => []);
  run(stage, publisher, 20, endless);
  expect([stage.status()?.status, stage.status()?.warning?.code]).toEqual(["PUBLISHING", "WAITS_FOR_KEYFRAME"]);
  const warnings = stage.facts.flatMap((each) => (each.kind === "target-status" ? [each.status.warning?.code] : []));
  expect(warnings).not.toContain("SLOW");
  const framesSent = () => mediaOf(stage.dialer.latest(1)).filter(({ type }) => type === 9).length;
  // All that came after the pause: every frame is sent or counted. Before it a frame each 40 ms, the header, and
  // filler.
  expect(stage.samples.at(-1)?.targets[0]?.drops.untilKeyframe).toBeGreaterThanOrEqual(495);
  const before = framesSent();
  run(stage, publisher, 4, groups);
  expect([framesSent() - before, stage.status()?.warning?.code]).toEqual([100, undefined]);
});
