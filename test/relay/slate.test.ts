import { expect, test } from "vitest";
import { encodeFlvTag, FLV_FILE_START, type FlvTag } from "../../src/protocol/flv/flv-tag.ts";
import type { IngestSample } from "../../src/thread-protocol/samples.ts";
import { mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { oneTrackTag, VideoPacket } from "../support/streams/enhanced-tags.ts";
import {
  AAC_CONFIG,
  AAC_CONFIG_CHANGED,
  AVC_CONFIG,
  AVC_CONFIG_CHANGED,
  aacFrame,
  audio,
  avcFrame,
  video,
} from "../support/streams/media-messages.ts";

/** A round of two seconds, a frame each 500 ms, which bear their number. */
const ROUND: readonly FlvTag[] = [
  { type: 9, timestamp: 0, payload: AVC_CONFIG_CHANGED },
  ...[0, 500, 1_000, 1_500].map((timestamp, index) => ({ type: 9, timestamp, payload: slateFrame(index) })),
];
const FLV = Buffer.concat([FLV_FILE_START, ...ROUND.map(encodeFlvTag)]);

function slateFrame(index: number): Buffer {
  return avcFrame(index === 0, 0xa0 + index);
}

const isSlate = (payload: Buffer): boolean => payload.readUInt8(payload.length - 1) >= 0xa0;

function stageOf() {
  const stage = new RelayStage(60);
  const publisher = stage.onAir(target(1));
  let at = 0;
  /** The encoder goes on: a keyframe each second, video each 100 ms, audio beside it. */
  const goOn = (forMs: number): void => {
    for (let leftMs = forMs; leftMs > 0; leftMs -= 100) {
      publisher.push(audio(at, aacFrame(1)));
      publisher.push(video(at, avcFrame(at % 1_000 === 0, 0)));
      at += 100;
      stage.clock.advance(100);
    }
  };
  goOn(2_000);
  stage.engine.setSlate("ls-1", FLV);
  const sent = () => mediaOf(stage.dialer.latest(1));
  const ingest = (): IngestSample | undefined => {
    stage.clock.advance(1_000);
    return stage.samples.at(-1)?.ingest;
  };
  return { stage, publisher, goOn, sent, ingest };
}

const steps = (times: readonly number[]) => times.slice(1).map((time, index) => time - (times[index] ?? 0));

test("a hold shows the slate in rounds with silence beside it, and the encoder's return ends it at a keyframe", () => {
  const { stage, publisher, sent } = stageOf();
  publisher.end("connection-lost");
  expect(stage.facts.at(-2)).toMatchObject({ kind: "ingest-held", isSlateShown: true });
  stage.clock.advance(10_000);
  const slate = sent().filter(({ type, payload }) => type === 9 && isSlate(payload));
  expect(slate.slice(0, 6).map(({ payload }) => payload.readUInt8(payload.length - 1) - 0xa0)).toEqual([
    0, 1, 2, 3, 0, 1,
  ]);
  expect(new Set(steps(slate.map(({ timestamp }) => timestamp)))).toEqual(new Set([500]));
  const header = sent().findIndex(({ payload }) => payload.equals(AVC_CONFIG_CHANGED));
  const first = sent().findIndex(({ payload }) => payload.equals(slateFrame(0)));
  expect(header).toBeLessThan(first);
  const during = sent()
    .slice(first)
    .filter(({ type }) => type === 8);
  expect(during.length).toBeGreaterThan(300);

  const again = stage.open("ls-1", "test", 2);
  again.push(audio(0, AAC_CONFIG));
  again.push(video(0, AVC_CONFIG));
  again.push(video(0, avcFrame(false, 0)));
  again.push(video(40, avcFrame(true, 0)));
  stage.clock.advance(200);
  const after = sent().slice(sent().findLastIndex(({ type, payload }) => type === 9 && isSlate(payload)) + 1);
  expect(after.filter(({ type }) => type === 9)[0]?.payload).toEqual(AVC_CONFIG);
  expect(stage.dialer.links).toHaveLength(1);
  expect(Math.min(...steps(sent().map(({ timestamp }) => timestamp)))).toBeGreaterThanOrEqual(0);
});

test("the curtain shows the slate while the encoder goes on, and opens at the encoder's next keyframe", () => {
  const { stage, goOn, sent, ingest } = stageOf();
  stage.engine.setCurtain("ls-1", true);
  const before = sent().length;
  goOn(5_000);
  const behind = sent()
    .slice(before)
    .filter(({ type, payload }) => type === 9 && !payload.equals(AVC_CONFIG_CHANGED));
  expect(behind.length).toBeGreaterThan(8);
  expect(behind.every(({ payload }) => isSlate(payload))).toBe(true);
  expect(stage.samples.at(-1)?.ingest).toMatchObject({ state: "LIVE", isCurtainClosed: true, isSlateShown: true });
  goOn(500);
  stage.engine.setCurtain("ls-1", false);
  goOn(2_000);
  const last = sent().findLastIndex(({ type, payload }) => type === 9 && isSlate(payload));
  const [header, keyframe] = sent()
    .slice(last + 1)
    .filter(({ type }) => type === 9);
  expect(header?.payload).toEqual(AVC_CONFIG);
  // The parameter sets stand before the keyframe's own unit.
  expect(keyframe?.payload.subarray(-avcFrame(true, 0).length + 5)).toEqual(avcFrame(true, 0).subarray(5));
  expect(Math.min(...steps(sent().map(({ timestamp }) => timestamp)))).toBeGreaterThanOrEqual(0);
  expect(stage.dialer.links).toHaveLength(1);
  expect(ingest()).not.toHaveProperty("isSlateShown");
});

test("an encoder that takes over behind the curtain is shown once it opens", () => {
  const { stage, goOn, sent } = stageOf();
  stage.engine.setCurtain("ls-1", true);
  goOn(1_000);
  const other = stage.open("ls-1", "other", 2);
  other.push(audio(0, AAC_CONFIG));
  other.push(video(0, AVC_CONFIG));
  const from = sent().length;
  for (let at = 0; at < 3_000; at += 100) {
    other.push(video(at, avcFrame(at % 1_000 === 0, 0)));
    stage.clock.advance(100);
  }
  expect(stage.dismissed).toEqual([1]);
  expect(
    sent()
      .slice(from)
      .filter(({ type, payload }) => type === 9 && payload.readUInt8(1) === 1)
      .every(({ payload }) => isSlate(payload)),
  ).toBe(true);
  stage.engine.setCurtain("ls-1", false);
  other.push(video(3_000, avcFrame(true, 0)));
  stage.clock.advance(100);
  expect(isSlate(sent().at(-1)?.payload ?? AVC_CONFIG_CHANGED)).toBe(false);
});

test("without a slate, or with one that does not fit, the last frame stands as before; the curtain ends with the broadcast", () => {
  const { stage, publisher, goOn, sent } = stageOf();
  stage.engine.setSlate("ls-1", Buffer.from("no FLV at all, but long enough"));
  stage.engine.setCurtain("ls-1", true);
  goOn(1_000);
  expect(stage.samples.at(-1)?.ingest).toMatchObject({ isCurtainClosed: true });
  expect(sent().some(({ type, payload }) => type === 9 && isSlate(payload))).toBe(false);
  publisher.end("connection-lost");
  expect(stage.facts.find(({ kind }) => kind === "ingest-held")).not.toHaveProperty("isSlateShown");
  stage.engine.end("ls-1");
  const next = stage.open("ls-1", "next", 3);
  next.push(audio(0, AAC_CONFIG));
  next.push(video(0, AVC_CONFIG));
  next.push(video(0, avcFrame(true, 0)));
  stage.clock.advance(2_000);
  expect(stage.samples.at(-1)?.ingest).not.toHaveProperty("isCurtainClosed");
});

test("a slate stands for a stream that names its codec by FourCC, in that form", () => {
  const stage = new RelayStage(60);
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  const enhanced = (tag: number, body: Buffer) => Buffer.concat([Buffer.from([tag]), Buffer.from("avc1"), body]);
  publisher.push(audio(0, AAC_CONFIG));
  publisher.push(video(0, enhanced(0x90, AVC_CONFIG.subarray(5))));
  stage.dialer.latest(1).accept(1, true, true);
  for (let at = 0; at < 2_000; at += 100) {
    publisher.push(audio(at, aacFrame(1)));
    publisher.push(video(at, enhanced(at % 1_000 === 0 ? 0x93 : 0xa3, avcFrame(at % 1_000 === 0, 0).subarray(5))));
    stage.clock.advance(100);
  }
  stage.engine.setSlate("ls-1", FLV);
  publisher.end("connection-lost");
  stage.clock.advance(6_000);
  const sent = mediaOf(stage.dialer.latest(1)).filter(({ type }) => type === 9);
  expect([...new Set(sent.map(({ payload }) => payload.toString("latin1", 1, 5)))]).toEqual(["avc1"]);
  const header = sent.findIndex(({ payload }) => payload.equals(enhanced(0x90, AVC_CONFIG_CHANGED.subarray(5))));
  expect(header).toBeGreaterThan(0);
  expect(sent[header + 1]?.payload).toEqual(enhanced(0x93, slateFrame(0).subarray(5)));
  expect(sent[header + 2]?.payload).toEqual(enhanced(0xa3, slateFrame(1).subarray(5)));
});

/** A header or frame of H.264 or AAC as that of a further track. */
function ofTrack(trackId: number, payload: Buffer, isKeyframe = false): Buffer {
  const isVideo = (payload.readUInt8(0) & 0x0f) === 7;
  const isConfig = payload.readUInt8(1) === 0;
  const packetType = isConfig ? VideoPacket.SequenceStart : VideoPacket.CodedFrames;
  const tag = { kind: isVideo ? "video" : "audio", isKeyframe: isKeyframe || isConfig, packetType } as const;
  return oneTrackTag(tag, { trackId, fourCc: isVideo ? "avc1" : "mp4a", body: payload.subarray(2) });
}

/** Two tracks of each kind; audio of the second one is of 44.1 kHz. Its video has the mark 0x51, that of the first 0x50. */
function pushTracks(publisher: ReturnType<RelayStage["open"]>, at: number): void {
  const isKey = at % 1_000 === 0;
  publisher.push(audio(at, aacFrame(1)));
  publisher.push(audio(at, ofTrack(1, aacFrame(2))));
  publisher.push(video(at, avcFrame(isKey, 0x50)));
  publisher.push(video(at, ofTrack(1, avcFrame(isKey, 0x51), isKey)));
}

function pushHeads(publisher: ReturnType<RelayStage["open"]>): void {
  publisher.push(audio(0, AAC_CONFIG));
  publisher.push(audio(0, ofTrack(1, AAC_CONFIG_CHANGED)));
  publisher.push(video(0, AVC_CONFIG));
  // H.264's configuration has no composition time in Enhanced RTMP's form.
  const head = { kind: "video", isKeyframe: true, packetType: VideoPacket.SequenceStart } as const;
  publisher.push(video(0, oneTrackTag(head, { trackId: 1, fourCc: "avc1", body: AVC_CONFIG.subarray(5) })));
}

test("of a stream with several tracks the slate stands for the default ones; targets of other video get its last frame", () => {
  const stage = new RelayStage(60);
  const choices = [
    { video: 0, audio: 1 },
    { video: 1, audio: 0 },
  ] as const;
  stage.engine.introduce(stage.spec([target(1), ...choices.map((tracks, index) => target(index + 2, { tracks }))]));
  const publisher = stage.open();
  pushHeads(publisher);
  for (const link of stage.dialer.links) link.accept(1, true, true);
  for (let at = 0; at < 2_000; at += 100) {
    pushTracks(publisher, at);
    stage.clock.advance(100);
  }
  stage.engine.setSlate("ls-1", FLV);
  const before = [1, 2, 3].map((targetId) => mediaOf(stage.dialer.latest(targetId)).length);
  publisher.end("connection-lost");
  stage.clock.advance(10_000);
  const ingest = stage.samples.at(-1)?.ingest;
  expect([ingest?.isSlateShown, ingest?.slateMisfit]).toEqual([true, undefined]);
  // The thumbnail shows what viewers of the default tracks see.
  const thumbnail = stage.engine.keyframe("ls-1", undefined);
  if (thumbnail.found !== "keyframe") throw new Error(thumbnail.found);
  expect(Buffer.from(thumbnail.bytes).includes(slateFrame(0))).toBe(true);
  const [all, music, other] = [1, 2, 3].map((targetId, index) => {
    const since = mediaOf(stage.dialer.latest(targetId)).slice(before[index]);
    const shown = since.filter(({ type, payload }) => type === 9 && payload.readUInt8(1) === 1);
    return {
      slate: shown.filter(({ payload }) => isSlate(payload)).length,
      rest: new Set(shown.flatMap(({ payload }) => (isSlate(payload) ? [] : [payload.at(-1)]))),
      isHeaderSent: since.some(({ payload }) => payload.equals(AVC_CONFIG_CHANGED)),
      silences: since.filter(({ type, payload }) => type === 8 && payload.readUInt8(1) === 1).length,
    };
  });
  for (const got of [all, music]) expect(got).toMatchObject({ rest: new Set(), isHeaderSent: true });
  expect(all?.slate).toBeGreaterThan(12);
  expect(music?.slate).toBe(all?.slate);
  // 48 and 44.1 kHz: each target hears silence of its own track's form.
  expect((music?.silences ?? 0) / (all?.silences ?? 1)).toBeCloseTo(44.1 / 48, 1);
  expect(other).toMatchObject({ slate: 0, rest: new Set([0x51]), isHeaderSent: false });
  const again = stage.open("ls-1", "test", 2);
  pushHeads(again);
  for (let at = 0; at < 2_000; at += 100) {
    pushTracks(again, at);
    stage.clock.advance(100);
  }
  expect(stage.dialer.links).toHaveLength(3);
  for (const targetId of [1, 2, 3]) {
    const got = mediaOf(stage.dialer.latest(targetId));
    expect(Math.min(...steps(got.map(({ timestamp }) => timestamp)))).toBeGreaterThanOrEqual(0);
    expect(got.findLast(({ type }) => type === 9)?.payload.at(-1)).toBe(targetId === 2 ? 0x50 : 0x51);
  }
});

test("the sample says why a slate cannot stand for the stream", () => {
  const { stage, ingest } = stageOf();
  expect(ingest()).not.toHaveProperty("slateMisfit");
  const sound = [
    { type: 8, timestamp: 0, payload: AAC_CONFIG_CHANGED },
    { type: 8, timestamp: 0, payload: aacFrame(1) },
  ].map(encodeFlvTag);
  stage.engine.setSlate("ls-1", Buffer.concat([FLV, ...sound]));
  expect(ingest()?.slateMisfit).toBe("form");
  stage.engine.setSlate("ls-1", undefined);
  expect(ingest()).not.toHaveProperty("slateMisfit");

  const numbered = new RelayStage(60);
  numbered.engine.introduce(numbered.spec([target(1)]));
  const publisher = numbered.open();
  const head = { kind: "video", isKeyframe: true, packetType: VideoPacket.SequenceStart } as const;
  publisher.push(video(0, oneTrackTag(head, { trackId: 1, fourCc: "avc1", body: AVC_CONFIG.subarray(5) })));
  publisher.push(video(0, ofTrack(1, avcFrame(true, 0x51), true)));
  numbered.engine.setSlate("ls-1", FLV);
  numbered.clock.advance(1_000);
  expect(numbered.samples.at(-1)?.ingest.slateMisfit).toBe("tracks");
});
