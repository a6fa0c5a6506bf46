import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { MediaFormat } from "../../src/control/ports/media-files.ts";
import { LOOK_LIMITS } from "../../src/ffmpeg/job-limits.ts";
import { run } from "../../src/ffmpeg/run.ts";
import { readFormat, readFrame, readMedia } from "../../src/media-files/read-format.ts";
import { FlvReader } from "../../src/protocol/flv/flv-reader.ts";
import { fileArguments } from "../../src/sources/file-arguments.ts";
import { runFormat } from "../../src/sources/run-format.ts";
import { testedFfmpeg } from "../support/checks/tested-image.ts";
import { runToEnd, startChild } from "../support/processes/children.ts";

const NEVER = new AbortController().signal;
/** No file below has this form, so that every one is decoded. */
const RUN = { width: 128, height: 72, frameRate: 25, audio: { sampleRate: 44_100, channels: 2 } };
const LIMITS = { ...LOOK_LIMITS, outputBytes: 4 * 1024 * 1024 };
const AUDIO_TAG = 8;
const VIDEO_TAG = 9;
const PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=256x144:rate=25"];
const SUBTITLES = "1\n00:00:00,000 --> 00:00:00,200\nsaid\n";

/** A file's name, how FFmpeg makes it, and the codecs that it has then. */
const FILES: readonly (readonly [name: string, options: string, codecs: string])[] = [
  ["phone.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p10le -c:a ac3", "hevc ac3"],
  ["web.mp4", "-c:v libsvtav1 -preset 12 -c:a eac3", "av1 eac3"],
  ["camera.mkv", "-c:v libx264 -preset ultrafast -pix_fmt yuv422p10le -c:a flac", "h264 flac"],
  ["disc.mkv", "-c:v ffv1 -c:a dca -strict -2", "ffv1 dts"],
  ["browser.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus", "vp9 opus"],
  ["older.webm", "-c:v libvpx -deadline realtime -c:a libvorbis", "vp8 vorbis"],
  ["free.ogv", "-c:v libtheora -c:a flac", "theora flac"],
  ["editor.mov", "-c:v prores -c:a pcm_s24le", "prores pcm_s24le"],
  ["avid.mov", "-c:v dnxhd -profile:v dnxhr_sq -pix_fmt yuv422p -c:a pcm_s16be", "dnxhd pcm_s16be"],
  ["apple.mov", "-c:v qtrle -c:a alac", "qtrle alac"],
  ["still.avi", "-c:v mjpeg -pix_fmt yuvj422p -c:a adpcm_ms", "mjpeg adpcm_ms"],
  ["xvid.avi", "-c:v mpeg4 -vtag XVID -c:a libmp3lame", "mpeg4 mp3"],
  ["feed.ts", "-c:v mpeg2video -pix_fmt yuv422p -c:a s302m -strict -2", "mpeg2video s302m"],
  ["disc.vob", "-c:v mpeg2video -c:a pcm_dvd", "mpeg2video pcm_dvd"],
  ["flash.flv", "-c:v flv -c:a nellymoser -ac 1 -ar 44100", "flv1 nellymoser"],
  ["windows.wmv", "-c:v wmv2 -c:a wmav2", "wmv2 wmav2"],
  ["said.mp4", "-map 0:v -map 1:a -map 2:s -c:v libx264 -preset ultrafast -c:a aac -c:s mov_text", "h264 aac"],
];

const folder = mkdtempSync(join(tmpdir(), "fanfare-forms-"));
const subtitles = join(folder, "said.srt");
writeFileSync(subtitles, SUBTITLES);
afterAll(() => rmSync(folder, { recursive: true }));

function tested() {
  const ffmpeg = testedFfmpeg();
  if (ffmpeg === undefined) throw new Error("FFmpeg is missing");
  return ffmpeg;
}

test.each(FILES)("%s is played", async (name, options, codecs) => {
  const path = join(folder, name);
  const input = [
    ...PICTURE,
    "-f",
    "lavfi",
    "-i",
    "sine=sample_rate=48000",
    ...(name === "said.mp4" ? ["-i", subtitles] : []),
  ];
  await runToEnd("ffmpeg", ["-v", "error", ...input, "-t", "0.4", "-ac", "2", ...options.split(" "), path]);
  const format = await readFormat(tested(), path, NEVER);
  if ("reason" in format) throw new Error(format.reason);
  expect(`${format.videoCodec} ${format.audioCodec}`).toBe(codecs);
  const played = await run(tested().ffmpeg, fileArguments(path, format, RUN), LIMITS);
  if ("reason" in played) throw new Error(played.reason);
  const types = new FlvReader().push(played.output).map(({ type }) => type);
  expect(types.filter((type) => type === VIDEO_TAG).length).toBeGreaterThan(5);
  expect(types.filter((type) => type === AUDIO_TAG).length).toBeGreaterThan(5);
});

async function formatOf(path: string): Promise<MediaFormat> {
  const format = await readFormat(tested(), path, NEVER);
  if ("reason" in format) throw new Error(format.reason);
  return format;
}

test.each([
  { name: "a phone's upright video", size: "256x144", how: "-metadata:s:v:0 rotate=90", shown: [144, 256] },
  { name: "a phone's video upside down", size: "256x144", how: "-metadata:s:v:0 rotate=180", shown: [256, 144] },
  { name: "video with wide pixels", size: "192x144", how: "-aspect 16:9", shown: [256, 144] },
])("$name is sent as players show it, although its codec would fit", async ({ name, size, how, shown }) => {
  const path = join(folder, `${name.replaceAll(" ", "-")}.mp4`);
  const made = join(folder, "made.mp4");
  const input = `-v error -y -f lavfi -i testsrc2=size=${size} -t 0.4`.split(" ");
  const encoder = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p".split(" ");
  await runToEnd("ffmpeg", [...input, ...encoder, made]);
  await runToEnd("ffmpeg", ["-v", "error", "-i", made, "-c", "copy", ...how.split(" "), path]);
  const format = await formatOf(path);
  const [width, height] = shown;
  expect(format).toMatchObject({ videoCodec: "h264", width, height, isTranscoded: true });
  const sent = await run(tested().ffmpeg, fileArguments(path, format, runFormat([format])), LIMITS);
  if ("reason" in sent) throw new Error(sent.reason);
  const flv = join(folder, "sent.flv");
  writeFileSync(flv, sent.output);
  expect(await formatOf(flv)).toMatchObject({ width, height });
  expect(await formatOf(flv)).not.toHaveProperty("isTranscoded");
});

/** White of a page in each curve of HDR (ITU-R BT.2408), of 10 bits, and a light three times as bright. */
const WHITES = [
  { hdr: "HLG", transfer: "arib-std-b67", white: 721, light: 842 },
  { hdr: "PQ", transfer: "smpte2084", white: 572, light: 672 },
] as const;

/** A second of one grey as HDR of a phone: HEVC with 10 bits in BT.2020. */
async function greyClip(name: string, transfer: string, code: number, options = ""): Promise<string> {
  const path = join(folder, name);
  const grey = `color=s=256x144:r=25,format=yuv420p10le,geq=lum=${code}:cb=512:cr=512`;
  const curve = `colorprim=bt2020:transfer=${transfer}:colormatrix=bt2020nc`;
  const coded = `-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params ${curve}:log-level=none ${options}`;
  await runToEnd("ffmpeg", [
    "-v",
    "error",
    "-y",
    "-f",
    "lavfi",
    "-i",
    grey,
    "-t",
    "1",
    ...coded.trim().split(" "),
    path,
  ]);
  return path;
}

/** The brightness of the middle of a file's first frame: 16 is black, 235 white. */
async function brightness(path: string): Promise<number> {
  const args = ["-v", "error", "-i", path, "-frames:v", "1", "-vf", "crop=64:36,scale=1:1,format=gray"];
  const result = await run("ffmpeg", [...args, "-f", "rawvideo", "pipe:1"], LIMITS);
  if ("reason" in result) throw new Error(result.reason);
  // `gray` has the full range.
  return 16 + ((result.output[0] ?? 0) / 255) * 219;
}

test.each(WHITES)("HDR of the curve $hdr is sent in the colours of SDR, and shown so", async (curve) => {
  const { hdr, transfer, white, light } = curve;
  const levels: number[] = [];
  for (const code of [white, light]) {
    const path = await greyClip(`${hdr}-${code}.mov`, transfer, code);
    const read = await readMedia(tested(), path, NEVER);
    if ("reason" in read) throw new Error(read.reason);
    expect(read.format).toMatchObject({ hdr, videoCodec: "hevc", pixelFormat: "yuv420p10le" });
    expect(read.format).not.toHaveProperty("isPale");
    const sent = await run(tested().ffmpeg, fileArguments(path, read.format, runFormat([read.format])), LIMITS);
    if ("reason" in sent) throw new Error(sent.reason);
    const flv = join(folder, "mapped.flv");
    writeFileSync(flv, sent.output);
    expect(await formatOf(flv)).not.toHaveProperty("hdr");
    const jpeg = join(folder, "mapped.jpg");
    writeFileSync(jpeg, read.frame);
    levels.push(await brightness(flv));
    expect(Math.abs((await brightness(jpeg)) - (levels.at(-1) ?? 0))).toBeLessThan(4);
  }
  const [whiteLevel = 0, lightLevel = 0] = levels;
  // Without the mapping white would be at 180 (HLG) or 142 (PQ).
  expect(whiteLevel).toBeGreaterThan(205);
  expect(whiteLevel).toBeLessThan(225);
  expect(lightLevel).toBeGreaterThan(whiteLevel + 5);
});

test("HDR of a phone that is turned, and in an odd size, is mapped too", async () => {
  const path = await greyClip("turned.mov", "arib-std-b67", 721);
  const turned = join(folder, "turned-over.mov");
  await runToEnd("ffmpeg", ["-v", "error", "-i", path, "-c", "copy", "-metadata:s:v:0", "rotate=90", turned]);
  const format = await formatOf(turned);
  const sent = await run(tested().ffmpeg, fileArguments(turned, format, { ...RUN, width: 322, height: 182 }), LIMITS);
  if ("reason" in sent) throw new Error(sent.reason);
  const flv = join(folder, "turned.flv");
  writeFileSync(flv, sent.output);
  expect(await formatOf(flv)).toMatchObject({ width: 322, height: 182 });
  expect(await brightness(flv)).toBeGreaterThan(205);
});

test("HDR of more than 1080p30 is mapped in the cheap way: what is brighter than a page is cut off", async () => {
  const form = { ...RUN, width: 1_920, height: 1_080, frameRate: 60 };
  const levels: number[] = [];
  for (const code of [721, 940]) {
    const path = await greyClip(`fast-${code}.mov`, "arib-std-b67", code);
    const args = fileArguments(path, await formatOf(path), form);
    expect(args.join(" ")).not.toContain("tonemap");
    const sent = await run(tested().ffmpeg, args, LIMITS);
    if ("reason" in sent) throw new Error(sent.reason);
    const flv = join(folder, "fast.flv");
    writeFileSync(flv, sent.output);
    levels.push(await brightness(flv));
  }
  expect(levels[0]).toBeGreaterThan(185);
  expect(levels[0]).toBeLessThan(215);
  expect(levels[1]).toBeGreaterThan(232);
});

test("an FFmpeg without the filters for HDR plays it in pale colours, and says so", async () => {
  const path = await greyClip("pale.mov", "smpte2084", 572);
  const without = join(folder, "without-filters");
  const refusal = 'case "$*" in *zscale*) echo "No such filter: \'zscale\'" >&2; exit 1 ;; esac';
  writeFileSync(without, `#!/bin/sh\n${refusal}\nexec ${tested().ffmpeg} "$@"\n`, { mode: 0o755 });
  const ffmpeg = { ...tested(), ffmpeg: without };
  const read = await readMedia(ffmpeg, path, NEVER);
  if ("reason" in read) throw new Error(read.reason);
  expect(read.format).toMatchObject({ hdr: "PQ", isPale: true });
  const sent = await run(without, fileArguments(path, read.format, RUN), LIMITS);
  expect(sent).toHaveProperty("output");
});

test.each([
  { name: "H.264 in the size of the run", size: "720x576", encoder: "-c:v libx264 -preset ultrafast -pix_fmt yuv420p" },
  { name: "MPEG-2, which is scaled", size: "1440x1080", encoder: "-c:v mpeg2video -b:v 8M" },
])("interlaced video is deinterlaced: $name", async ({ size, encoder }) => {
  const path = join(folder, "fields.mkv");
  const moving = ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=50,scroll=h=0.02,interlace=scan=tff`];
  const coded = ["-t", "1", ...encoder.split(" "), "-flags", "+ilme+ildct", "-top", "1"];
  await runToEnd("ffmpeg", ["-v", "error", "-y", ...moving, ...coded, path]);
  const format = await formatOf(path);
  expect(format).toMatchObject({ isInterlaced: true, isTranscoded: true });
  const sent = await run(tested().ffmpeg, fileArguments(path, format, { ...RUN, width: 720, height: 576 }), LIMITS);
  if ("reason" in sent) throw new Error(sent.reason);
  const flv = join(folder, "frames.flv");
  writeFileSync(flv, sent.output);
  expect(await formatOf(flv)).not.toHaveProperty("isInterlaced");
  const looked = await startChild("ffmpeg", ["-v", "info", "-nostdin", "-i", flv, "-vf", "idet", "-f", "null", "-"]);
  await looked.exited;
  const [, top, bottom, frames] =
    /Multi frame.*TFF:\s*(\d+) BFF:\s*(\d+) Progressive:\s*(\d+)/.exec(looked.stderr()) ?? [];
  expect([Number(top) + Number(bottom), Number(frames) > 15]).toEqual([0, true]);
});

test("of several audio tracks the default one is played, and none that FFmpeg cannot decode", async () => {
  const tones = ["-f", "lavfi", "-i", "sine", "-f", "lavfi", "-i", "sine=frequency=880"];
  const tracks =
    "-map 0 -map 1 -map 2 -t 0.4 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a:0 ac3 -c:a:1 aac".split(" ");
  const [both, spatial, chosen] = [join(folder, "both.mp4"), join(folder, "spatial.mp4"), join(folder, "chosen.mkv")];
  await runToEnd("ffmpeg", ["-v", "error", "-y", ...PICTURE, ...tones, ...tracks, both]);
  expect(await formatOf(both)).toMatchObject({ audioCodec: "ac3" });
  expect(await formatOf(both)).not.toHaveProperty("audioIndex");
  // What newer phones record beside AAC, and FFmpeg does not know.
  const bytes = readFileSync(both);
  bytes.write("apac", bytes.indexOf("ac-3"), "latin1");
  writeFileSync(spatial, bytes);
  const dispositions = "-map 0 -c copy -disposition:a:0 0 -disposition:a:1 default".split(" ");
  await runToEnd("ffmpeg", ["-v", "error", "-i", both, ...dispositions, chosen]);
  for (const path of [spatial, chosen]) {
    const format = await formatOf(path);
    expect(format).toMatchObject({ audioCodec: "aac", audioIndex: 1 });
    for (const form of [RUN, runFormat([format])]) {
      const sent = await run(tested().ffmpeg, fileArguments(path, format, form), LIMITS);
      if ("reason" in sent) throw new Error(sent.reason);
      const audio = new FlvReader()
        .push(sent.output)
        .filter(({ type, payload }) => type === AUDIO_TAG && payload[1] === 1);
      expect(audio.length).toBeGreaterThan(10);
    }
  }
});

test.each([
  { name: "lossless video", options: "-qp 0 -pix_fmt yuv420p", isTranscoded: true },
  { name: "a profile of every decoder", options: "-profile:v high -pix_fmt yuv420p", isTranscoded: undefined },
])("H.264 that few decoders take is not copied, whatever its pixels: $name", async ({ options, isTranscoded }) => {
  const path = join(folder, "profile.mp4");
  const encoder = `-t 0.4 -c:v libx264 -preset ultrafast ${options}`.split(" ");
  await runToEnd("ffmpeg", ["-v", "error", "-y", ...PICTURE, ...encoder, path]);
  const format = await formatOf(path);
  expect([format.videoCodec, format.pixelFormat, format.isTranscoded]).toEqual(["h264", "yuv420p", isTranscoded]);
});

test("slides and still screens are sent with frames all the time, up to their end", async () => {
  const path = join(folder, "slides.mp4");
  const slides = "-f lavfi -i testsrc2=size=256x144:rate=1/4 -t 12 -c:v libx264 -pix_fmt yuv420p".split(" ");
  await runToEnd("ffmpeg", ["-v", "error", ...slides, path]);
  const format = await formatOf(path);
  const sent = await run(tested().ffmpeg, fileArguments(path, format, runFormat([format])), LIMITS);
  if ("reason" in sent) throw new Error(sent.reason);
  const frames = new FlvReader()
    .push(sent.output)
    .filter(({ type, payload }) => type === VIDEO_TAG && payload[1] === 1);
  expect(frames).toHaveLength(12 * 30);
  expect(frames.filter(({ payload }) => payload[0] === 0x17)).toHaveLength(6);
});

test("a video that was trimmed without coding it again is sent and heard without what was trimmed", async () => {
  const [whole, trimmed] = [join(folder, "whole.mp4"), join(folder, "trimmed.mp4")];
  const tone = ["-f", "lavfi", "-i", "sine=sample_rate=48000"];
  const encoder = "-t 2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 50 -c:a aac".split(" ");
  await runToEnd("ffmpeg", ["-v", "error", ...PICTURE, ...tone, ...encoder, whole]);
  await runToEnd("ffmpeg", ["-v", "error", "-ss", "0.8", "-i", whole, "-c", "copy", trimmed]);
  // The run-in of the encoder is hidden in each file.
  expect(await formatOf(whole)).not.toHaveProperty("isAudioTranscoded");
  const format = await formatOf(trimmed);
  expect(format).toMatchObject({ videoCodec: "h264", isTranscoded: true, audioCodec: "aac", isAudioTranscoded: true });
  const sent = await run(tested().ffmpeg, fileArguments(trimmed, format, runFormat([format])), LIMITS);
  if ("reason" in sent) throw new Error(sent.reason);
  const tags = new FlvReader().push(sent.output).filter(({ payload }) => payload[1] === 1);
  const [video, audio] = [VIDEO_TAG, AUDIO_TAG].map((type) => tags.filter((tag) => tag.type === type));
  expect(video).toHaveLength(30);
  const beginMs = (video?.[0]?.timestamp ?? 0) - (audio?.[0]?.timestamp ?? 0);
  expect(Math.abs(beginMs)).toBeLessThan(100);
  // 1.2 s of AAC, and what its encoder adds.
  expect(audio?.length).toBeGreaterThanOrEqual(56);
  expect(audio?.length).toBeLessThanOrEqual(60);
});

test("H.264 with B-frames in AVI, which has no times of presentation, is played", async () => {
  const path = join(folder, "camera.avi");
  const encoder = "-t 0.4 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 3".split(" ");
  await runToEnd("ffmpeg", ["-v", "error", ...PICTURE, ...encoder, path]);
  const format = await formatOf(path);
  const sent = await run(tested().ffmpeg, fileArguments(path, format, runFormat([format])), LIMITS);
  if ("reason" in sent) throw new Error(sent.reason);
  expect(new FlvReader().push(sent.output).filter(({ type }) => type === VIDEO_TAG).length).toBeGreaterThan(9);
});

test("a file has a frame also where its video is one picture at its start", async () => {
  const path = join(folder, "podcast.mp4");
  const audio = ["-f", "lavfi", "-i", "sine", "-t", "4", "-c:a", "aac"];
  const picture = ["-c:v", "libx264", "-preset", "ultrafast", "-frames:v", "1"];
  await runToEnd("ffmpeg", ["-v", "error", ...PICTURE, ...audio, ...picture, path]);
  expect(await readFrame(tested(), path, await formatOf(path), NEVER)).toBeInstanceOf(Buffer);
});

test("FLV without a known length has a frame, also where its only keyframe is the first one", async () => {
  const path = join(folder, "cut.flv");
  const encoder = "-t 1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 3 -b_strategy 0 -g 250".split(" ");
  await runToEnd("ffmpeg", ["-v", "error", ...PICTURE, ...encoder, "-flvflags", "no_duration_filesize", path]);
  // Its recorder ended in the middle of a frame.
  writeFileSync(path, readFileSync(path).subarray(0, -600));
  const format = await formatOf(path);
  expect(format).not.toHaveProperty("durationMs");
  expect(await readFrame(tested(), path, format, NEVER)).toBeInstanceOf(Buffer);
  // Others claim hours that are not in them.
  expect(await readFrame(tested(), path, { ...format, durationMs: 36_000_000 }, NEVER)).toBeInstanceOf(Buffer);
});

test.each(["slate.png", "slate.jpg", "slate.webp"])("%s is a picture", async (name) => {
  // The library's names have no endings.
  const path = join(folder, name.replace(".", "-"));
  await runToEnd("ffmpeg", ["-v", "error", ...PICTURE, "-frames:v", "1", join(folder, name)]);
  renameSync(join(folder, name), path);
  const format = await readFormat(tested(), path, NEVER);
  if ("reason" in format) throw new Error(format.reason);
  expect(format).toMatchObject({ kind: "picture", width: 256, height: 144 });
  expect(await readFrame(tested(), path, format, NEVER)).toBeInstanceOf(Buffer);
});
