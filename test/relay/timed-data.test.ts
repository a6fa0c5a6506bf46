import { expect, test } from "vitest";
import { encodeAmf0 } from "../../src/protocol/amf0/encode.ts";
import type { Amf0Value } from "../../src/protocol/amf0/value.ts";
import type { MediaMessage } from "../../src/relay/stream/media-message.ts";
import type { TargetSpec } from "../../src/thread-protocol/channel-spec.ts";
import { RelayStage, target } from "../support/stages/relay-stage.ts";
import { aacFrame, audio, avcFrame, video } from "../support/streams/media-messages.ts";

const DATA_AMF0 = 18;
const CUE: readonly Amf0Value[] = ["onCuePoint", "ad"];

const data = (timestamp: number, values: readonly Amf0Value[]): MediaMessage => ({
  kind: "data",
  timestamp,
  payload: encodeAmf0([...values]),
});

/** A channel on air for two seconds with a keyframe at 0, whose encoder's clock began at an hour. */
function stageOf(...targets: readonly TargetSpec[]) {
  const stage = new RelayStage();
  const publisher = stage.onAir(...targets);
  const startMs = 3_600_000;
  let nextMs = 0;
  const frame = (ms: number) => {
    publisher.push(video(startMs + ms, avcFrame(ms % 2_000 === 0, 1)));
    publisher.push(audio(startMs + ms, aacFrame(1)));
  };
  /** Frames each 40 ms up to this moment, and what `between` returns after the frames of its time. */
  const run = (untilMs: number, between: Readonly<Record<number, MediaMessage>> = {}) => {
    for (; nextMs < untilMs; nextMs += 40) {
      const ms = nextMs;
      frame(ms);
      const message = between[ms];
      if (message !== undefined) publisher.push({ ...message, timestamp: startMs + message.timestamp });
      stage.clock.advance(40);
    }
    stage.engine.flush();
  };
  return { stage, publisher, run, startMs };
}

/** What a target was sent after its headers, as type and time; timed data with its name. */
function sentTo(stage: RelayStage, targetId: number) {
  return stage.dialer
    .latest(targetId)
    .messages()
    .filter(({ type, payload }) => type === DATA_AMF0 && !payload.includes("onMetaData"));
}

test.each(["onTextData", "onCaptionInfo", "onCuePoint", "onFI"])(
  "%s is forwarded in its place and at its time, unchanged",
  (name) => {
    const { stage, run } = stageOf(target(1));
    const wrapped = ["@setDataFrame", name, "text"];
    run(2_000, { 400: data(410, [name, "text"]), 800: data(800, wrapped), 1200: data(1_205, [name, 7]) });
    expect(sentTo(stage, 1).map(({ timestamp, payload }) => [timestamp, payload])).toEqual([
      [410, encodeAmf0([name, "text"])],
      [800, encodeAmf0([...wrapped])],
      [1_205, encodeAmf0([name, 7])],
    ]);
    const all = stage.dialer.latest(1).messages();
    const at = all.findIndex(({ payload }) => payload.includes(name));
    expect(all.slice(at - 1, at + 2).map(({ type, timestamp }) => [type, timestamp])).toEqual([
      [8, 400],
      [18, 410],
      [9, 440],
    ]);
    expect(all.filter(({ type }) => type === 8 || type === 9).map(({ timestamp }) => timestamp % 40)).not.toContain(10);
  },
);

test("other data is left out, and metadata stays unchanged", () => {
  const { stage, run } = stageOf(target(1));
  run(400, {
    80: data(80, ["onPrivate", "secret"]),
    120: data(120, ["onCuePointer"]),
    160: data(160, ["@setDataFrame", "onOther"]),
  });
  expect(sentTo(stage, 1)).toEqual([]);
});

test("a target without timed data gets none, and everything else unchanged; a change on air reconnects it", () => {
  const { stage, run } = stageOf(target(1), target(2, { hasTimedData: false }));
  run(2_000, { 400: data(400, CUE) });
  expect([sentTo(stage, 1).length, sentTo(stage, 2).length]).toEqual([1, 0]);
  const media = (targetId: number) =>
    stage.dialer
      .latest(targetId)
      .messages()
      .filter(({ type }) => type !== DATA_AMF0)
      .map(({ type, timestamp }) => [type, timestamp]);
  expect(media(2)).toEqual(media(1));
  const links = stage.dialer.links.length;
  stage.engine.apply(stage.spec([target(1), target(2)]));
  expect(stage.dialer.links.length).toBe(links + 1);
  stage.dialer.latest(2).accept();
  run(4_000, { 2400: data(2_400, CUE) });
  // The earlier keyframe with what came after it, and the new one.
  expect(sentTo(stage, 2).map(({ timestamp }) => timestamp)).toEqual([400, 2_400]);
});

test("a target that joins late, or lost some, gets timed data at its time", () => {
  const { stage, run } = stageOf(target(1));
  run(4_200, { 400: data(400, CUE) });
  stage.engine.apply(stage.spec([target(1), target(3)]));
  stage.dialer.latest(3).accept();
  run(8_000, { 4400: data(4_400, CUE), 7000: data(7_000, CUE) });
  const [late] = stage.dialer
    .latest(3)
    .messages()
    .filter(({ type }) => type === 9)
    .slice(1);
  expect(late).toBeDefined();
  const times = (targetId: number) => sentTo(stage, targetId).map(({ timestamp }) => timestamp);
  expect(times(1)).toEqual([400, 4_400, 7_000]);
  expect(times(3)).toEqual([400, 3_000]);
});

test("timed data whose time does not fit its place gets its neighbours' time and moves none of them", () => {
  const { stage, run } = stageOf(target(1));
  run(2_000, { 400: data(9_000, CUE), 800: data(0, CUE) });
  expect(sentTo(stage, 1).map(({ timestamp }) => timestamp)).toEqual([420, 800]);
  const frames = stage.dialer
    .latest(1)
    .messages()
    .filter(({ type, payload }) => type === 9 && payload[1] === 1);
  expect(frames.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 50 }, (_, index) => index * 40));
});

test("too much timed data is left out and counted, and costs no frame", () => {
  const { stage, publisher, run, startMs } = stageOf(target(1));
  run(400);
  for (let count = 0; count < 300; count += 1) publisher.push(data(startMs + 400, CUE));
  publisher.push(data(startMs + 400, ["onTextData", "x".repeat(65_530)]));
  run(2_200);
  expect(sentTo(stage, 1)).toHaveLength(200);
  expect(stage.samples.at(-1)?.ingest.droppedData).toBe(101);
});
