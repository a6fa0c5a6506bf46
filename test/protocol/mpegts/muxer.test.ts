import { hash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TsMessage } from "../../../src/protocol/mpegts/message-order.ts";
import { TsMuxer } from "../../../src/protocol/mpegts/mux/ts-muxer.ts";
import { TsDemuxer } from "../../../src/protocol/mpegts/ts-demuxer.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { runToEnd } from "../../support/processes/children.ts";
import { makeClip } from "../../support/streams/clip.ts";

const AVC_CONFIG = Buffer.from(
  "1700000000014D400DFFE10019674D400DECA0A0CFCF80880000030008000003019078A14CB001000468CE3C80",
  "hex",
);
const AAC_CONFIG = Buffer.from("af001188", "hex");
const VIDEO_PID = 0x100;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-mux-"));
});
afterAll(() => rm(folder, { recursive: true }));

function videoFrame(bytes: number, { isKey = false, compositionTimeMs = 0 } = {}): Buffer {
  const frame = Buffer.alloc(9 + bytes, 0x55);
  frame[0] = isKey ? 0x17 : 0x27;
  frame[1] = 1;
  frame.writeIntBE(compositionTimeMs, 2, 3);
  frame.writeUInt32BE(bytes, 5);
  frame[9] = isKey ? 0x65 : 0x41;
  if (bytes > 1) frame[10] = 0x88;
  return frame;
}

type Packet = { readonly pid: number; readonly isStart: boolean; readonly continuity: number; readonly pcr?: number };

function packetsOf(bytes: Buffer): readonly Packet[] {
  expect(bytes.length % 188).toBe(0);
  return Array.from({ length: bytes.length / 188 }, (_, index) => {
    const packet = bytes.subarray(index * 188, index * 188 + 188);
    expect(packet[0]).toBe(0x47);
    const head = packet.readUInt16BE(1);
    const hasPcr = (packet.readUInt8(3) & 0x20) !== 0 && packet.readUInt8(4) > 0 && (packet.readUInt8(5) & 0x10) !== 0;
    const own = { pid: head & 0x1fff, isStart: (head & 0x4000) !== 0, continuity: packet.readUInt8(3) & 0x0f };
    return hasPcr ? { ...own, pcr: packet.readUInt32BE(6) * 2 + (packet.readUInt8(10) >> 7) } : own;
  });
}

function demuxed(bytes: Buffer): readonly TsMessage[] {
  const demuxer = new TsDemuxer();
  const messages = [...demuxer.push(bytes), ...demuxer.end()];
  expect(demuxer.counts).toEqual({
    continuityErrors: 0,
    transportErrors: 0,
    scrambled: 0,
    syncLosses: 0,
    droppedPes: 0,
  });
  return messages;
}

test("what FFmpeg encoded comes through, byte for byte, and FFmpeg decodes it without a word", async () => {
  const clip = await makeClip({ seconds: 3, kilobits: 400, size: "320x180", hasBFrames: true });
  const tags = readFlv(await readFile(clip.path)).filter(({ type, payload }) => type !== 18 && payload[1] !== 2);
  const muxer = new TsMuxer();
  const stream = Buffer.concat(
    tags.map(({ type, timestamp, payload }) =>
      muxer.write({ kind: type === 8 ? "audio" : "video", payload, timeMs: timestamp }),
    ),
  );
  const messages = demuxed(stream);
  for (const [kind, type] of [["video", 9] as const, ["audio", 8] as const]) {
    const expected = tags.filter((tag) => tag.type === type).slice(1);
    const found = messages.filter((message) => message.kind === kind).slice(1);
    const hashes = (list: readonly { readonly payload: Buffer }[]) => list.map(({ payload }) => hash("md5", payload));
    expect(hashes(found)).toEqual(hashes(expected));
    // Audio counts its samples; an FLV file has whole milliseconds.
    const shifts = found.map(({ timestamp }, index) => timestamp - (expected[index]?.timestamp ?? 0) - 1_000);
    expect(Math.min(...shifts)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...shifts)).toBeLessThanOrEqual(1);
  }
  const path = join(folder, "clip.ts");
  await writeFile(path, stream);
  const quiet = ["-hide_banner", "-nostdin", "-loglevel", "warning"];
  expect(await runToEnd("ffmpeg", [...quiet, "-xerror", "-i", path, "-f", "null", "-"])).toBe("");
  const entries = ["-show_entries", "stream=codec_name", "-of", "csv=p=0"];
  const codecs = await runToEnd("ffprobe", ["-v", "error", ...entries, path]);
  expect(new Set(codecs.split("\n").map((line) => line.trim()))).toEqual(new Set(["h264", "aac", ""]));
});

test("frames of every size around the packets' borders come through", () => {
  const muxer = new TsMuxer();
  const sent: Buffer[] = [];
  const write = (payload: Buffer, timeMs: number) => muxer.write({ kind: "video", payload, timeMs });
  const parts = [write(AVC_CONFIG, 0)];
  for (let bytes = 2; bytes <= 400; bytes += 1) {
    const compositionTimeMs = (bytes % 3) - 1;
    const frame = videoFrame(bytes, { isKey: bytes % 50 === 2, compositionTimeMs: compositionTimeMs * 40 });
    sent.push(frame);
    parts.push(write(frame, bytes * 40));
  }
  const found = demuxed(Buffer.concat(parts)).filter(({ kind }) => kind === "video");
  expect(found.slice(1).map(({ payload }) => payload.toString("hex"))).toEqual(
    sent.map((payload) => payload.toString("hex")),
  );
});

test("tables come before each keyframe and every 100 ms, a clock reference every 80 ms, before the frames' times", () => {
  const muxer = new TsMuxer();
  muxer.write({ kind: "video", payload: AVC_CONFIG, timeMs: 0 });
  muxer.write({ kind: "audio", payload: AAC_CONFIG, timeMs: 0 });
  const audio = Buffer.from("af01010203", "hex");
  const pids = (bytes: Buffer) => packetsOf(bytes).map(({ pid }) => pid);
  const video = (isKey: boolean, timeMs: number) =>
    muxer.write({ kind: "video", payload: videoFrame(40, { isKey }), timeMs });
  const first = video(true, 0);
  expect(pids(first)).toEqual([0, 0x1000, VIDEO_PID]);
  expect(packetsOf(first).at(-1)?.pcr).toBe(800 * 90);
  expect(pids(muxer.write({ kind: "audio", payload: audio, timeMs: 20 }))).toEqual([0x101]);
  expect(pids(video(false, 40))).toEqual([VIDEO_PID]);
  expect(pids(muxer.write({ kind: "audio", payload: audio, timeMs: 99 }))).toEqual([0x101]);
  // Audio alone: the clock goes on, in a packet that does not count.
  const late = muxer.write({ kind: "audio", payload: audio, timeMs: 120 });
  expect(pids(late)).toEqual([0, 0x1000, VIDEO_PID, 0x101]);
  expect(packetsOf(late)[2]?.pcr).toBe(920 * 90);
  expect(pids(video(true, 130))).toEqual([0, 0x1000, VIDEO_PID]);
});

test("a track that comes later changes the version of the table", () => {
  const muxer = new TsMuxer();
  const second = (hex: string) => Buffer.from(`95${hex}`, "hex");
  const stream = Buffer.concat([
    muxer.write({ kind: "audio", payload: AAC_CONFIG, timeMs: 0 }),
    muxer.write({ kind: "audio", payload: Buffer.from("af010102", "hex"), timeMs: 0 }),
    muxer.write({ kind: "audio", payload: second("0061632d3301"), timeMs: 10 }),
    muxer.write({
      kind: "audio",
      payload: second("0161632d33010b7700000040".padEnd(12 + 2 * 128, "0")),
      timeMs: 10,
    }),
    muxer.write({ kind: "audio", payload: Buffer.from("af010304", "hex"), timeMs: 21 }),
  ]);
  const found = demuxed(stream).filter(({ kind }) => kind === "audio");
  expect(found.map(({ payload }) => payload.toString("hex").slice(0, 14))).toEqual([
    "af001188",
    "af010102",
    "950161632d3301",
    "af010304",
  ]);
});

test("Opus with another number of channels changes the table, and is read with the new number", () => {
  const muxer = new TsMuxer();
  const head = (channels: number) =>
    Buffer.concat([
      Buffer.from("904f707573", "hex"),
      Buffer.from("OpusHead"),
      Buffer.from([1, channels]),
      Buffer.alloc(9),
    ]);
  const frame = Buffer.from("914f707573fc0102", "hex");
  const stream = Buffer.concat(
    [2, 2, 1].flatMap((channels, index) => [
      muxer.write({ kind: "audio", payload: head(channels), timeMs: 20 * index }),
      muxer.write({ kind: "audio", payload: frame, timeMs: 20 * index }),
    ]),
  );
  const heads = demuxed(stream).filter(({ kind, payload }) => kind === "audio" && payload[0] === 0x90);
  expect(heads.map(({ payload }) => payload[5 + 9])).toEqual([2, 1]);
});
