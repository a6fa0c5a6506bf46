import { expect, test } from "vitest";
import { RelayStage, target } from "../../support/stages/relay-stage.ts";
import { hex } from "../../support/streams/hex.ts";
import { audio, video } from "../../support/streams/media-messages.ts";

const AVC = video(0, hex("1700000000 0142c01effe1000101 01000102"));
const AAC = audio(0, hex("af00 1190"));
const HEVC_1 = video(0, hex("96 00 68766331 01 0103"));
const OPUS_1 = audio(0, hex("95 00 4f707573 01 4f707573"));
const keyframe = (timestamp: number) => video(timestamp, hex("17 01 000000 00000002 6501"));
const codecs = { video: ["avc"], audio: ["aac"] };

test("every codec that a target does not take is named, in whatever order they arrive", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1, { codecs })]));
  const publisher = stage.open();
  for (const message of [AAC, AVC, OPUS_1]) publisher.push(message);
  stage.clock.advance(1);
  expect(stage.status(1)?.lastError?.message).toContain("(Opus)");
  publisher.push(HEVC_1);
  stage.clock.advance(1);
  expect(stage.statuses(1).at(-1)).toBe("FAIL CODEC_UNSUPPORTED");
  expect(stage.status(1)?.lastError?.message).toContain("(HEVC, Opus)");
});

test("a default track that MPEG-TS has no form for is a reason over SRT, a further one is left out", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1, { url: "srt://192.0.2.7:9000" }), target(2)]));
  const publisher = stage.open();
  const [av1, flac1] = [video(0, hex("90 61763031 810c0c00")), audio(0, hex("95 00 664c6143 01 00"))];
  for (const message of [AAC, AVC, flac1]) publisher.push(message);
  stage.clock.advance(1);
  expect([stage.status(1)?.lastError, stage.status(2)?.lastError]).toEqual([undefined, undefined]);
  publisher.push(av1);
  stage.clock.advance(1);
  expect(stage.status(1)?.lastError?.message).toContain("(AV1 over SRT)");
  expect(stage.status(2)?.lastError).toBeUndefined();
});

test("a missing track that arrives in a codec the target does not take is reported at once", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1, { codecs, tracks: { video: 1, audio: 0 } })]));
  const publisher = stage.open();
  for (const message of [AAC, AVC]) publisher.push(message);
  const play = (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      publisher.push(keyframe(Math.round(stage.clock.now())));
      stage.clock.advance(1_000);
    }
  };
  play(7);
  expect(stage.status(1)?.lastError?.message).toContain("(#1)");
  publisher.push(HEVC_1);
  stage.clock.advance(1);
  expect(stage.status(1)?.lastError?.message).toContain("(HEVC)");
  // The target's problem did not change: it is not dialled in vain.
  const dials = stage.dialer.links.length;
  play(130);
  expect(stage.dialer.links).toHaveLength(dials);
  expect(stage.statuses(1).at(-1)).toBe("FAIL CODEC_UNSUPPORTED");
});
