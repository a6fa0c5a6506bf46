import { expect, test } from "vitest";
import { classifyVideo } from "../../../src/protocol/flv/video/video-tag.ts";
import { payloadOf } from "../../../src/relay/packing/rtmp-chunks.ts";
import { Rendition, type RenditionShape, type Unpacked } from "../../../src/relay/rendition/rendition.ts";
import { Renditions } from "../../../src/relay/rendition/renditions.ts";
import { BlockStore } from "../../../src/relay/stream/block-store.ts";
import { DecoderConfig } from "../../../src/relay/stream/config/decoder-config.ts";
import { FillerStock } from "../../../src/relay/stream/filler/filler-stock.ts";
import { type StreamChoice, WHOLE_STREAM } from "../../../src/relay/subscriber/subscriber.ts";
import { AVC_CONFIG, aacFrame, avcFrame } from "../../support/streams/media-messages.ts";
import { Recorder } from "../../support/targets/recorder.ts";

const AS_IT_COMES: RenditionShape = { hasHevcEnhanced: false, isLegacy: false, hasTimedData: true, hasSilence: false };
const rendition = (changes: Partial<RenditionShape> = {}) =>
  new Rendition({ ...AS_IT_COMES, ...changes }, new BlockStore());

function frame(kind: "audio" | "video", timeMs: number, payload: Buffer, isKeyframe = false): Unpacked {
  const marks = { isConfig: false, isKeyframe, trackId: 0, startsTrack: isKeyframe };
  return { kind, type: kind === "audio" ? 8 : 9, ...marks, payload, timeMs, arrivalMs: timeMs };
}

const captions = { ...frame("audio", 20, Buffer.from("0200056f6e437565", "hex")), type: 18 };
/** H.264 in Enhanced RTMP's form: a keyframe with coded frames, composition time 0. */
const ENHANCED_KEY = Buffer.concat([Buffer.from("9161766331000000", "hex"), avcFrame(true, 1).subarray(5)]);

test("each packet is the step from the one before it of its kind, and is counted by kind", () => {
  const one = rendition();
  const packets = [
    one.cut(frame("video", 1_000, avcFrame(true, 1), true)),
    one.cut(frame("audio", 1_010, aacFrame(1))),
    one.cut(frame("video", 1_040, avcFrame(false, 2))),
    one.cut(frame("audio", 1_031, aacFrame(2))),
  ];
  expect(packets.map((packet) => [packet?.kind, packet?.ordinal, packet?.deltaMs])).toEqual([
    ["video", 1, 1_000],
    ["audio", 1, 1_010],
    ["video", 2, 40],
    ["audio", 2, 21],
  ]);
  expect(one.batch.packets).toEqual(packets);
  expect(one.gop.packets).toEqual(packets);
});

test("a keyframe begins a block of memory, unless the group before it lies in one block", () => {
  const one = rendition();
  const cut = (isKeyframe: boolean, bytes: number) => {
    const packet = one.cut(frame("video", 0, Buffer.alloc(bytes, isKeyframe ? 0x17 : 0x27), isKeyframe));
    one.settle();
    return packet?.block;
  };
  const [first, second] = [cut(true, 100_000), cut(false, 100_000)];
  expect(second).toBe(first);
  expect(cut(true, 20_000)).toBe(first);
  const third = cut(false, 100_000);
  expect(third).not.toBe(first);
  const next = cut(true, 20_000);
  expect([first, third]).not.toContain(next);
  expect(cut(false, 20_000)).toBe(next);
});

test("after the broadcast time starts at 0 again, and the ordinals go on", () => {
  const one = rendition();
  one.cut(frame("video", 5_000, avcFrame(true, 1), true));
  one.startOver();
  expect([one.gop.packets, one.batch.packets]).toEqual([[], []]);
  expect(one.cut(frame("video", 30, avcFrame(true, 2), true))).toMatchObject({ ordinal: 2, deltaMs: 30 });
});

test("a rendition without timed data leaves it out, and nothing else", () => {
  const [all, without] = [rendition(), rendition({ hasTimedData: false })];
  expect(all.cut(captions)?.type).toBe(18);
  expect(without.cut(captions)).toBeUndefined();
  expect(without.cut(frame("audio", 20, aacFrame(1)))?.ordinal).toBe(1);
});

test("the legacy rendition has H.264 in the legacy form, the other rendition has it unchanged", () => {
  const message = frame("video", 0, ENHANCED_KEY, true);
  const [asItCame, legacy] = [rendition().cut(message), rendition({ isLegacy: true }).cut(message)];
  if (asItCame === undefined || legacy === undefined) throw new Error("nothing was cut");
  expect(payloadOf(asItCame)).toEqual(ENHANCED_KEY);
  expect(payloadOf(legacy)).toEqual(avcFrame(true, 1));
  expect(classifyVideo(payloadOf(legacy)).form).toBe("legacy");
});

test("a subscriber's choice and the stream decide its rendition; equal choices share one, and an unused one is dropped", () => {
  const renditions = new Renditions(new BlockStore(), new FillerStock());
  const avc = new DecoderConfig();
  avc.setConfig("video", "video 0 config", AVC_CONFIG);
  const enhanced = new DecoderConfig();
  enhanced.setConfig(
    "video",
    "video 0 config",
    Buffer.concat([Buffer.from("9061766331", "hex"), AVC_CONFIG.subarray(5)]),
  );
  const assign = (config: DecoderConfig, changes: Partial<StreamChoice>) => {
    const subscriber = Object.assign(new Recorder(), { choice: { ...WHOLE_STREAM, ...changes } });
    return { subscriber, rendition: renditions.assign(subscriber, config, 0) };
  };
  const [main] = renditions.all;
  expect(assign(avc, {}).rendition).toBe(main);
  expect(assign(avc, { takesEnhanced: false }).rendition).toBe(main);
  expect(assign(enhanced, {}).rendition).toBe(main);
  const legacy = assign(enhanced, { takesEnhanced: false });
  expect(legacy.rendition.shape).toEqual({ ...AS_IT_COMES, isLegacy: true });
  const tracks = { video: 1, audio: 0 };
  const chosen = assign(enhanced, { takesEnhanced: false, tracks });
  expect(chosen.rendition.shape).toEqual({ ...AS_IT_COMES, tracks });
  expect(assign(avc, { tracks }).rendition).toBe(chosen.rendition);
  renditions.prepare([WHOLE_STREAM]);
  expect(renditions.all).toEqual([main, legacy.rendition, chosen.rendition]);
  legacy.subscriber.end("cut");
  renditions.prepare([WHOLE_STREAM]);
  expect(renditions.all).toEqual([main, chosen.rendition]);
});
