import { expect, test } from "vitest";
import { DecoderConfig } from "../../../src/relay/stream/config/decoder-config.ts";
import { AVC_CONFIG } from "../../support/streams/media-messages.ts";

const METADATA = Buffer.from("made up");
const setHeader = (head: DecoderConfig) => void head.setConfig("video", "video 0 config", AVC_CONFIG);
const see = (head: DecoderConfig, codec: "avc" | "vp8", isKeyframe: boolean) => {
  head.setCodec("video", 0, codec);
  head.sawFrame("video", isKeyframe, 0);
};

/** For how long audio waits for video, in milliseconds from the first frame on. */
function waitMs(prepare: (head: DecoderConfig) => void): number {
  const head = new DecoderConfig();
  prepare(head);
  head.sawFrame("audio", false, 0);
  let nowMs = 0;
  while (nowMs < 60_000 && head.expectsVideo(nowMs)) nowMs += 1;
  return nowMs < 60_000 ? nowMs : Number.POSITIVE_INFINITY;
}

test.each<{ name: string; wantedMs: number; prepare: (head: DecoderConfig) => void }>([
  { name: "nothing", wantedMs: 0, prepare: () => undefined },
  { name: "metadata of audio", wantedMs: 0, prepare: (head) => void head.setMetadata(METADATA, false) },
  { name: "metadata that announces video", wantedMs: 2_000, prepare: (head) => void head.setMetadata(METADATA, true) },
  {
    name: "metadata that announces video no more",
    wantedMs: 0,
    prepare: (head) => {
      head.setMetadata(METADATA, true);
      head.setMetadata(Buffer.from("audio alone"), false);
    },
  },
  { name: "a header", wantedMs: 5_000, prepare: setHeader },
  { name: "inter frames without a header", wantedMs: 12_000, prepare: (head) => see(head, "avc", false) },
  {
    name: "a keyframe without a header",
    wantedMs: Number.POSITIVE_INFINITY,
    prepare: (head) => see(head, "avc", true),
  },
  {
    name: "a header and inter frames",
    wantedMs: Number.POSITIVE_INFINITY,
    prepare: (head) => {
      setHeader(head);
      see(head, "avc", false);
    },
  },
  {
    name: "inter frames of a codec without headers",
    wantedMs: Number.POSITIVE_INFINITY,
    prepare: (head) => see(head, "vp8", false),
  },
])("behind $name audio waits $wantedMs ms for video", ({ prepare, wantedMs }) => {
  expect(waitMs(prepare)).toBe(wantedMs);
});
