import { expect, test } from "vitest";
import { FLV_VIDEO_START } from "../../src/protocol/flv/flv-tag.ts";
import { keyframeFile } from "../../src/relay/stream/keyframe-file.ts";
import type { Keyframe } from "../../src/thread-protocol/keyframe.ts";
import { RelayStage } from "../support/stages/relay-stage.ts";
import { AVC_CONFIG, audio, avcFrame, video } from "../support/streams/media-messages.ts";

/** The payloads of the tags of a file, after a check of the bytes between them. */
function tagsOf(keyframe: Keyframe): Buffer[] {
  if (keyframe.found !== "keyframe") throw new Error(keyframe.found);
  const bytes = Buffer.from(keyframe.bytes);
  expect(bytes.subarray(0, 13)).toEqual(FLV_VIDEO_START);
  const tags: Buffer[] = [];
  for (let at = 13; at < bytes.length; ) {
    const length = bytes.readUIntBE(at + 1, 3);
    expect([bytes[at], bytes.readUIntBE(at + 4, 3), bytes.readUInt32BE(at + 11 + length)]).toEqual([9, 0, 11 + length]);
    tags.push(bytes.subarray(at + 11, at + 11 + length));
    at += 11 + length + 4;
  }
  return tags;
}

function onAir(holdSeconds = 0) {
  const stage = new RelayStage(holdSeconds);
  stage.engine.introduce(stage.spec([]));
  const publisher = stage.open();
  publisher.push(video(0, AVC_CONFIG));
  return { stage, publisher, keyframe: (known?: number) => stage.engine.keyframe("ls-1", known) };
}

test("the last keyframe comes with its sequence header and its arrival time, and is unchanged until the next", () => {
  const { stage, publisher, keyframe } = onAir();
  expect(keyframe()).toEqual({ found: "none" });
  const time = stage.clock.wallNow();
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(video(40, avcFrame(false, 2)));
  stage.clock.advance(1_000);
  expect(tagsOf(keyframe())).toEqual([AVC_CONFIG, avcFrame(true, 1)]);
  expect(keyframe()).toMatchObject({ time });
  expect(keyframe(time)).toEqual({ found: "unchanged" });
  expect(keyframe(time - 1)).toMatchObject({ found: "keyframe" });
  publisher.push(video(1_000, avcFrame(true, 3)));
  publisher.push(video(1_040, avcFrame(false, 4)));
  expect(keyframe(time)).toMatchObject({ found: "keyframe", time: time + 1_000 });
  expect(tagsOf(keyframe(time))).toEqual([AVC_CONFIG, avcFrame(true, 3)]);
});

test("the last keyframe outlives a group of pictures of any length and a hold, and ends with the broadcast", () => {
  const { stage, publisher, keyframe } = onAir(60);
  publisher.push(video(0, avcFrame(true, 1)));
  stage.pass(publisher, 30_000);
  expect(tagsOf(keyframe())).toEqual([AVC_CONFIG, avcFrame(true, 1)]);
  publisher.end("connection-lost");
  stage.clock.advance(30_000);
  expect(tagsOf(keyframe())).toEqual([AVC_CONFIG, avcFrame(true, 1)]);
  stage.engine.end("ls-1");
  expect(keyframe()).toEqual({ found: "none" });
  expect(stage.engine.keyframe("ls-2", undefined)).toEqual({ found: "none" });
});

test("filler's frames keep their memory while the stream goes on, after the group of pictures is forgotten too", () => {
  const { stage, publisher, keyframe } = onAir(60);
  const key = avcFrame(true, 1, 100_000);
  publisher.push(video(0, key));
  publisher.push(video(40, avcFrame(false, 2, 100_000)));
  // Beyond the cache's 10 s.
  for (let timestamp = 80; timestamp < 11_000; timestamp += 200) {
    publisher.push(video(timestamp, avcFrame(false, 3, 100_000)));
    stage.clock.advance(200);
  }
  // Another channel takes every block that is free.
  stage.engine.introduce(stage.spec([], "ls-2"));
  const other = stage.open("ls-2");
  other.push(video(0, AVC_CONFIG));
  for (let frame = 0; frame < 80; frame += 1) other.push(video(frame * 40, avcFrame(frame === 0, 4, 100_000)));
  expect(tagsOf(keyframe()).map((tag) => tag.equals(AVC_CONFIG) || tag.equals(key))).toEqual([true, true]);
});

test("audio alone has no keyframe", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([]));
  stage.open().push(audio(0, Buffer.from("af0121", "hex")));
  expect(stage.engine.keyframe("ls-1", undefined)).toEqual({ found: "none" });
});

test("HEVC under codec id 12 is written in Enhanced RTMP's form, which decoders know", () => {
  const config = Buffer.from("1c0000000001020304", "hex");
  const key = Buffer.from("1c0100000500000002aabb", "hex");
  expect(tagsOf(keyframeFile(key, config, 1)).map((tag) => tag.toString("hex"))).toEqual([
    "906876633101020304",
    "916876633100000500000002aabb",
  ]);
});

test("a keyframe with more than 4 MiB is not kept", () => {
  const key = Buffer.alloc(4 * 1024 * 1024 + 1, 1);
  expect(keyframeFile(key, undefined, 1)).toEqual({ found: "too-large" });
  expect(keyframeFile(key.subarray(1), undefined, 1)).toMatchObject({ found: "keyframe" });
});
