import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LOOK_LIMITS, PLAY_LIMITS } from "../../src/ffmpeg/job-limits.ts";
import { startChild } from "../../src/ffmpeg/limited-child.ts";
import { run } from "../../src/ffmpeg/run.ts";
import { readFormat } from "../../src/media-files/read-format.ts";
import { encodeFlvTag, FLV_FILE_START, type FlvTag } from "../../src/protocol/flv/flv-tag.ts";
import { parseAvcConfig } from "../../src/protocol/flv/video/avc-config.ts";
import { Clip } from "../../src/sources/clip.ts";
import { fileArguments } from "../../src/sources/file-arguments.ts";
import { type RunFormat, runFormat } from "../../src/sources/run-format.ts";
import { readFlv } from "../../src/testkit/flv-file.ts";
import { testedFfmpeg } from "../support/checks/tested-image.ts";
import { makeFile } from "../support/streams/made-files.ts";

const NEVER = new AbortController().signal;
const SECONDS = 3;
const VIDEO_TAG = 9;
const AUDIO_TAG = 8;
const DATA_TAG = 18;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-changing-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function tested() {
  const ffmpeg = testedFfmpeg();
  if (ffmpeg === undefined) throw new Error("FFmpeg is missing");
  return ffmpeg;
}

/** Files of this kind, one behind the other, as `cat` joins transport streams. */
async function joined(name: string, parts: readonly Partial<Parameters<typeof makeFile>[2]>[]) {
  const bytes: Buffer[] = [];
  for (const [index, part] of parts.entries())
    bytes.push(await readFile(await makeFile(folder, `${name}-${index}.ts`, { seconds: SECONDS, ...part })));
  const path = join(folder, name);
  await writeFile(path, Buffer.concat(bytes));
  return path;
}

/** What plays of a file; `form`: absent: it is alone in its list. */
async function played(path: string, form?: RunFormat): Promise<Clip> {
  const format = await readFormat(tested(), path, NEVER);
  if ("reason" in format) throw new Error(format.reason);
  const args = fileArguments(path, format, form ?? runFormat([format]));
  const clip = new Clip(startChild(tested().ffmpeg, args, PLAY_LIMITS));
  await clip.gone;
  return clip;
}

/** What FFmpeg decodes of it: one line for each frame, without the line's end. */
async function decoded(tags: readonly FlvTag[], stream: string, entries: string): Promise<readonly string[]> {
  const path = join(folder, `${stream.replace(":", "-")}.flv`);
  await writeFile(path, Buffer.concat([FLV_FILE_START, ...tags.map(encodeFlvTag)]));
  const args = ["-v", "error", "-select_streams", stream, "-show_entries", `frame=${entries}`, "-of", "csv=p=0", path];
  const result = await run(tested().ffprobe, args, { ...LOOK_LIMITS, outputBytes: 4 * 1_024 * 1_024 });
  if ("reason" in result) throw new Error(result.reason);
  // The data beside a frame are empty lines.
  const lines = result.output.toString().split("\n");
  return lines.map((line) => line.replace(/,$/, "")).filter((line) => line !== "");
}

const isVideo = ({ type }: FlvTag) => type === VIDEO_TAG;
const isHeader = ({ payload }: FlvTag) => payload[1] === 0;

/** The sizes that the sequence headers say, each with the time of the keyframe behind it. */
function headersOf(tags: readonly FlvTag[]): readonly string[] {
  const video = tags.filter(isVideo);
  return video.flatMap((tag, index) => {
    if (!isHeader(tag)) return [];
    const { width, height } = parseAvcConfig(tag.payload.subarray(5))?.format ?? {};
    const next = video[index + 1];
    return [`${width}x${height} before ${next?.payload[0] === 0x17 ? "a keyframe" : "another frame"}`];
  });
}

/** The types of the parameter sets in a frame. */
function setsOf(payload: Buffer): readonly number[] {
  const types: number[] = [];
  for (let at = 5; at + 4 < payload.length; at += 4 + payload.readUInt32BE(at))
    types.push((payload[at + 4] ?? 0) & 0x1f);
  return types.filter((type) => type === 7 || type === 8);
}

test("a transport stream whose size changes in its middle is copied, each part behind its own sequence header", async () => {
  const path = await joined("sizes.ts", [{ size: "320x180" }, { size: "640x360" }, { size: "320x180" }]);
  const { waiting: tags, failure } = await played(path);
  expect(failure).toBe(undefined);
  expect(headersOf(tags)).toEqual(["320x180", "640x360", "320x180"].map((size) => `${size} before a keyframe`));
  expect(tags.filter((tag) => isVideo(tag) && tag.payload[1] === 1)).toHaveLength(3 * SECONDS * 30);
});

test("a transport stream that does not change has one sequence header", async () => {
  const path = await joined("same.ts", [{ size: "320x180" }, { size: "320x180" }]);
  expect(headersOf((await played(path)).waiting)).toEqual(["320x180 before a keyframe"]);
});

test("audio whose sample rate and channels change in the middle of a transport stream keeps its pitch and its form", async () => {
  const mono = ["-ar", "44100", "-ac", "1"];
  const path = await joined("audio.ts", [{ size: "320x180" }, { size: "320x180", audio: mono }]);
  const { waiting: tags } = await played(path);
  const audio = tags.filter(({ type }) => type === AUDIO_TAG);
  expect(audio.filter(isHeader)).toHaveLength(1);
  const samples = await decoded(audio, "a:0", "nb_samples,channels");
  expect(new Set(samples.map((line) => line.split(",")[1]))).toEqual(new Set(["2"]));
  const seconds = samples.reduce((sum, line) => sum + Number(line.split(",")[0]), 0) / 48_000;
  expect(Math.abs(seconds - 2 * SECONDS)).toBeLessThan(0.3);
});

test("a transport stream without audio whose times begin anew plays to its end among files with audio", async () => {
  const path = await joined("silent.ts", [
    { size: "320x180", audio: "none" },
    { size: "320x180", audio: "none" },
  ]);
  const form = { width: 320, height: 180, frameRate: 30, audio: { sampleRate: 48_000, channels: 2 } };
  const { waiting: tags } = await played(path, form);
  expect(tags.filter((tag) => isVideo(tag) && tag.payload[1] === 1)).toHaveLength(2 * SECONDS * 30);
});

test("a transport stream that changes to another codec is given up there, with that reason", async () => {
  const path = await joined("codecs.ts", [{ size: "320x180" }, { size: "320x180", videoCodec: "libx265" }]);
  const clip = await played(path);
  expect(clip.failure).toBe("its video changes to another codec within the file");
  // No frame of the other codec, which a platform would take for H.264.
  expect(clip.waiting.filter((tag) => isVideo(tag) && tag.payload[1] === 1)).toHaveLength(SECONDS * 30);
});

test.each([
  { name: "of another size", sizes: ["320x180", "640x360"] },
  { name: "of the same form, as a recorder writes it where its encoder came back", sizes: ["320x180", "320x180"] },
])("FLV with a second sequence header, $name, is copied, and decodes with the headers alone", async ({ sizes }) => {
  const parts: FlvTag[][] = [];
  for (const [index, size] of sizes.entries())
    parts.push(readFlv(await readFile(await makeFile(folder, `part-${index}.flv`, { seconds: SECONDS, size }))));
  const later = (tag: FlvTag) => ({ ...tag, timestamp: tag.timestamp + SECONDS * 1_000 + 100 });
  const tags = [...(parts[0] ?? []), ...(parts[1] ?? []).filter(({ type }) => type !== DATA_TAG).map(later)];
  const path = join(folder, "headers.flv");
  await writeFile(path, Buffer.concat([FLV_FILE_START, ...tags.map(encodeFlvTag)]));
  const { waiting, failure } = await played(path);
  expect(failure).toBe(undefined);
  // FFmpeg leaves out one that is not new.
  expect(headersOf(waiting)).toEqual([...new Set(sizes)].map((size) => `${size} before a keyframe`));
  const keyframes = waiting.filter((tag) => isVideo(tag) && tag.payload[0] === 0x17 && tag.payload[1] === 1);
  expect(keyframes).toHaveLength(2 * SECONDS);
  expect(await decoded(waiting, "v:0", "width")).toEqual(
    sizes.flatMap((size) => Array(SECONDS * 30).fill(size.slice(0, 3))),
  );
});

test("each keyframe of a copied file has its parameter sets, once", async () => {
  for (const name of ["once.mp4", "once.mkv", "once.flv", "once.ts"]) {
    const { waiting } = await played(await makeFile(folder, name, { seconds: SECONDS, size: "320x180" }));
    const keyframes = waiting.filter((tag) => isVideo(tag) && tag.payload[0] === 0x17 && tag.payload[1] === 1);
    expect([name, keyframes.map(({ payload }) => setsOf(payload))]).toEqual([name, Array(SECONDS).fill([7, 8])]);
  }
});
