import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { encodeFlvTag, FLV_FILE_START, type FlvTag } from "../../src/protocol/flv/flv-tag.ts";
import { type Clip, fileClip, loopedClip, syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { readFlv } from "../../src/testkit/flv-file.ts";
import { isAudio, isAudioHeader, isKeyframe, isVideo, isVideoHeader } from "../support/streams/flv-file.ts";

async function fileOf(tags: Iterable<FlvTag>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-clip-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "clip.flv");
  await writeFile(path, Buffer.concat([FLV_FILE_START, ...[...tags].map(encodeFlvTag)]));
  return path;
}

test("a synthetic clip has its headers first, a keyframe each second, and audio at its exact cadence", () => {
  const tags = [...syntheticClip({ seconds: 4, audio: { sampleRate: 44_100, channels: 2 } }).tags()];
  expect(tags.slice(0, 3).map((tag) => [tag.type, isVideoHeader(tag), isAudioHeader(tag)])).toEqual([
    [18, false, false],
    [9, true, false],
    [8, false, true],
  ]);
  expect(tags.filter(isKeyframe).map((tag) => tag.timestamp)).toEqual([0, 1_000, 2_000, 3_000]);
  const audio = tags.filter((tag) => isAudio(tag) && !isAudioHeader(tag)).map((tag) => tag.timestamp);
  expect(audio.slice(0, 5)).toEqual([0, 23, 46, 70, 93]);
  expect(audio.at(-1)).toBe(Math.round((172 * 1024 * 1000) / 44_100));
  expect(tags.map((tag) => tag.timestamp)).toEqual(tags.map((tag) => tag.timestamp).sort((a, b) => a - b));
});

test("frames are filled up to the requested rate", () => {
  const tags = [...syntheticClip({ seconds: 2, kilobits: 2_000, audio: "none" }).tags()];
  const bytes = tags.filter(isVideo).reduce((sum, tag) => sum + tag.payload.length, 0);
  expect((bytes * 8) / 2).toBeGreaterThanOrEqual(2_000_000);
  expect((bytes * 8) / 2).toBeLessThan(2_010_000);
});

test("one kind alone has only its own headers", () => {
  const kinds = (clip: Clip) => new Set([...clip.tags()].map((tag) => tag.type));
  expect(kinds(syntheticClip({ audio: "none", seconds: 1 }))).toEqual(new Set([18, 9]));
  expect(kinds(syntheticClip({ video: "none", seconds: 1 }))).toEqual(new Set([18, 8]));
});

test("clips with different first serials have no payload of a frame in common", () => {
  const payloads = (firstSerial: number) =>
    [...syntheticClip({ seconds: 2, firstSerial }).tags()]
      .filter((tag) => tag.type !== 18 && !isVideoHeader(tag) && !isAudioHeader(tag))
      .map((tag) => tag.payload.toString("hex"));
  const others = new Set(payloads(10_000));
  expect(payloads(0).filter((payload) => others.has(payload))).toEqual([]);
});

test("a looped clip goes on where it ended, and has its headers once", async () => {
  const looped = loopedClip(syntheticClip({ seconds: 1 }));
  const tags: FlvTag[] = [];
  for (const tag of looped.tags()) {
    if (tag.timestamp >= 3_000) break;
    tags.push(tag);
  }
  expect(looped.durationMs).toBe(Number.POSITIVE_INFINITY);
  expect(tags.filter(isKeyframe).map((tag) => tag.timestamp)).toEqual([0, 1_000, 2_000]);
  expect(tags.filter((tag) => tag.type === 18 || isVideoHeader(tag) || isAudioHeader(tag))).toHaveLength(3);
});

test("a file's media begins at 0 and has no end mark, and nothing else is changed", async () => {
  const made = [...syntheticClip({ seconds: 1 }).tags()].map((tag) => ({
    ...tag,
    timestamp: tag.timestamp + 0x1_000_000,
  }));
  const end = { type: 9, timestamp: 0x1_000_000 + 960, payload: Buffer.from("1702000000", "hex") };
  const read = readFlv(await readFile(await fileOf([...made, end])));
  expect(read).toEqual([...made, end]);
  const clip = fileClip(read);
  expect([...clip.tags()]).toEqual([...syntheticClip({ seconds: 1 }).tags()]);
  // The last audio frame, at 981 ms, lasts 21 ms.
  expect(clip.durationMs).toBe(1_002);
});

test("an unfinished last tag is left out, and another format is refused", () => {
  const file = Buffer.concat([FLV_FILE_START, encodeFlvTag({ type: 8, timestamp: 5, payload: Buffer.alloc(4) })]);
  expect(readFlv(file)).toHaveLength(1);
  expect(readFlv(file.subarray(0, -5))).toEqual([]);
  expect(readFlv(Buffer.alloc(0))).toEqual([]);
  expect(() => readFlv(Buffer.from("RIFFxxxxAVI "))).toThrow("not an FLV file");
});
