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

/** What FFmpeg's SRT output sends as one message. */
const PAYLOAD_BYTES = 7 * 188;

let folder: string;
let clipPath: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-ts-"));
  clipPath = (await makeClip({ seconds: 3, kilobits: 400, size: "320x180", hasBFrames: true })).path;
});
afterAll(() => rm(folder, { recursive: true }));

/** The clip as FFmpeg's transport stream, with these output options. */
async function transportStream(name: string, ...options: readonly string[]): Promise<Buffer> {
  const path = join(folder, name);
  const input = ["-hide_banner", "-loglevel", "error", "-nostdin", "-i", clipPath];
  await runToEnd("ffmpeg", [...input, "-c", "copy", ...options, "-f", "mpegts", path]);
  return readFile(path);
}

function demuxed(bytes: Buffer, payloadBytes = PAYLOAD_BYTES): { demuxer: TsDemuxer; messages: readonly TsMessage[] } {
  const demuxer = new TsDemuxer();
  const messages: TsMessage[] = [];
  for (let at = 0; at < bytes.length; at += payloadBytes) {
    messages.push(...demuxer.push(bytes.subarray(at, at + payloadBytes)));
  }
  return { demuxer, messages: [...messages, ...demuxer.end()] };
}

test("where bytes are missing within packets, frames are missing, and none is made of two halves", async () => {
  const bytes = await transportStream("holes.ts");
  const framesOf = (holed: Buffer) =>
    demuxed(holed).messages.flatMap(({ kind, payload }) => (kind === "video" ? payload.toString("hex") : []));
  const whole = new Set(framesOf(bytes));
  for (let at = 20_000; at < bytes.length - 1_456; at += 1_787) {
    const frames = framesOf(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1_456)]));
    expect([at, frames.filter((frame) => !whole.has(frame)).length]).toEqual([at, 0]);
  }
});

test("FFmpeg's own choice of audio, MP2, is not taken for MP3: it is named as what it is", async () => {
  const bytes = await transportStream("mp2.ts", "-c:a", "mp2", "-b:a", "192k");
  const audio = demuxed(bytes).messages.filter(({ kind }) => kind === "audio");
  expect(audio.length).toBeGreaterThan(20);
  expect(new Set(audio.map(({ payload }) => payload.toString("hex")))).toEqual(new Set(["f000000000000000"]));
});

function payloads(messages: readonly TsMessage[], kind: "audio" | "video"): readonly string[] {
  return messages.filter((message) => message.kind === kind).map(({ payload }) => payload.toString("hex"));
}

test("FFmpeg's transport stream gives the messages that it sends over RTMP, at their times", async () => {
  const { demuxer, messages } = demuxed(await transportStream("clip.ts"));
  expect({ progress: demuxer.progress, ...demuxer.counts }).toEqual({
    progress: "media",
    continuityErrors: 0,
    transportErrors: 0,
    scrambled: 0,
    syncLosses: 0,
    droppedPes: 0,
  });
  // FFmpeg marks the end of the video, and writes a configuration with an extension that says nothing.
  const tags = readFlv(await readFile(clipPath)).filter(({ payload }) => payload[0] !== 0x17 || payload[1] !== 2);
  for (const [kind, type] of [["video", 9] as const, ["audio", 8] as const]) {
    const expected = tags.filter((tag) => tag.type === type);
    const found = messages.filter((message) => message.kind === kind);
    const hex = expected.map(({ payload }) => payload.toString("hex"));
    if (kind === "audio") hex[0] = hex[0]?.slice(0, 8) ?? "";
    expect(payloads(messages, kind)).toEqual(hex);
    // A header has the time of its first frame here, and 0 in FFmpeg's.
    const shifts = found.slice(1).map(({ timestamp }, index) => timestamp - (expected[index + 1]?.timestamp ?? 0));
    expect(Math.max(...shifts) - Math.min(...shifts)).toBeLessThanOrEqual(1);
  }
  const times = messages.filter(({ kind }) => kind !== "data").map(({ timestamp }) => timestamp);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test("where the network cuts the bytes changes nothing", async () => {
  const bytes = await transportStream("cut.ts");
  const whole = demuxed(bytes, bytes.length).messages;
  for (const payloadBytes of [61, 188, 1_000]) expect(demuxed(bytes, payloadBytes).messages).toEqual(whole);
});

test("LATM gives the frames and the configuration of the same AAC over RTMP", async () => {
  const { messages } = demuxed(await transportStream("latm.ts", "-vn", "-mpegts_flags", "latm"));
  const tags = readFlv(await readFile(clipPath)).filter(({ type }) => type === 8);
  const [, ...expected] = tags.map(({ payload }) => payload.toString("hex"));
  expect(payloads(messages, "audio")).toEqual(["af001190", ...expected]);
});

const CODECS = [
  { name: "ac3", encoder: "ac3", headBytes: 5 },
  { name: "eac3", encoder: "eac3", headBytes: 5 },
  { name: "mp3", encoder: "libmp3lame", headBytes: 1 },
];

test.for(CODECS)("$name gives the bytes that FFmpeg's demuxer finds", async ({ name, encoder, headBytes }) => {
  const bytes = await transportStream(`${name}.ts`, "-vn", "-c:a", encoder);
  const { messages } = demuxed(bytes);
  const raw = join(folder, `${name}.raw`);
  const input = ["-hide_banner", "-loglevel", "error", "-nostdin", "-i", join(folder, `${name}.ts`)];
  await runToEnd("ffmpeg", [...input, "-map", "0:a", "-c", "copy", "-f", "data", raw]);
  const bodies = messages.flatMap(({ kind, payload }) => (kind === "audio" ? [payload.subarray(headBytes)] : []));
  expect(Buffer.concat(bodies).equals(await readFile(raw))).toBe(true);
  expect(bodies.length).toBeGreaterThan(80);
});

test("HEVC decodes to the same frames after both ways through the relay's form", async () => {
  const encoded = ["-an", "-t", "1", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error"];
  const { messages } = demuxed(await transportStream("hevc.ts", ...encoded));
  const muxer = new TsMuxer();
  const firstMs = messages[0]?.timestamp ?? 0;
  const parts = messages.flatMap(({ kind, payload, timestamp }) =>
    kind === "data" ? [] : [muxer.write({ kind, payload, timeMs: timestamp - firstMs })],
  );
  await writeFile(join(folder, "hevc-again.ts"), Buffer.concat(parts));
  const decoded = async (name: string) => {
    const input = ["-hide_banner", "-loglevel", "warning", "-nostdin", "-i", join(folder, name)];
    return runToEnd("ffmpeg", [...input, "-f", "md5", "-"]);
  };
  const before = await decoded("hevc.ts");
  expect(before).toMatch(/^MD5=\w+\n$/);
  expect(await decoded("hevc-again.ts")).toBe(before);
});
