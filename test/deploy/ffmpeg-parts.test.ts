import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SLATE_AUDIO_CODECS, SLATE_VIDEO_CODECS } from "../../src/control/channels/slate-form.ts";
import { frameArguments } from "../../src/media-files/read-format.ts";
import { fileArguments } from "../../src/sources/file-arguments.ts";
import { pullArguments } from "../../src/sources/pull-arguments.ts";
import { hlsInput, RTMP_INPUT, RTSP_INPUT, SRT_INPUT } from "../../src/sources/pull-links/pull-inputs.ts";
import { slateArguments, videoEncoders } from "../../src/sources/slates/slate-arguments.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";

type Names = Readonly<Record<"demuxer" | "indev" | "muxer" | "encoder" | "bsf" | "filter" | "protocol", Set<string>>>;

/** What the command line calls differently than `./configure`. */
const DEMUXERS: Readonly<Record<string, string>> = {
  ...{ mp4: "mov", webm: "matroska", mpeg: "mpegps" },
  ...{ png_pipe: "image_png_pipe", jpeg_pipe: "image_jpeg_pipe", webp_pipe: "image_webp_pipe" },
};
/** FFmpeg uses them inside of other forms. As files they are not let in. */
const INSIDE_OTHERS = ["ac3", "dts", "dv", "eac3", "h264", "hevc", "loas", "m4v", "mpegvideo"];
const SIZE = { width: 640, height: 360, frameRate: 25 };
const AUDIO = { sampleRate: 48_000, channels: 2 };
const VIDEO_FILE = { kind: "video", videoCodec: "vp9", pixelFormat: "yuv420p", width: 320, height: 180 } as const;
const COPIED_FILE = { ...VIDEO_FILE, videoCodec: "h264", width: 640, height: 360 } as const;

const parts = new Map<string, ReadonlySet<string>>();
for (const line of readFileSync(join(ROOT, "deploy", "docker", "ffmpeg-parts"), "utf8").split("\n")) {
  const [, kind = "", names = ""] = /^([a-z]+): *(\S+)$/.exec(line) ?? [];
  if (kind !== "") parts.set(kind, new Set([...(parts.get(kind) ?? []), ...names.split(",")]));
}
const partsOf = (kind: keyof Names | "decoder") => parts.get(kind) ?? new Set<string>();

/** Adds every part that these arguments of FFmpeg name. */
function addNames(names: Names, args: readonly string[]): void {
  const last = args.lastIndexOf("-i");
  let form = "";
  for (const [at, option] of args.entries()) {
    const value = args[at + 1] ?? "";
    const list = value.split(",");
    if (option === "-f") {
      form = value;
      if (value === "lavfi") names.indev.add(value);
      else if (at < last) names.demuxer.add(DEMUXERS[value] ?? value);
      else names.muxer.add(value);
    }
    if (option === "-format_whitelist") for (const each of list) names.demuxer.add(DEMUXERS[each] ?? each);
    if (option === "-protocol_whitelist") for (const each of list) names.protocol.add(each);
    if (/^-c:[av]$/.test(option) && value !== "copy") names.encoder.add(value.replaceAll("-", "_"));
    if (/^-bsf:[av]$/.test(option)) for (const each of list) names.bsf.add(each);
    const isGraph = option === "-vf" || option === "-af" || (option === "-i" && form === "lavfi");
    if (isGraph) for (const each of list) names.filter.add(each.split("=")[0] ?? "");
  }
  names.protocol.add(args.at(-1)?.split(":")[0] ?? "");
}

function everyCommand(): readonly (readonly string[])[] {
  const run = { ...SIZE, audio: AUDIO };
  const slates = SLATE_VIDEO_CODECS.flatMap((videoCodec) =>
    SLATE_AUDIO_CODECS.flatMap((codec) => {
      const form = { ...SIZE, videoCodec, audio: { codec, ...AUDIO } };
      const video = videoEncoders(form).find((args) => partsOf("encoder").has(encoderOf(args)));
      const files = [VIDEO_FILE, { ...VIDEO_FILE, audioCodec: "aac" }];
      return video === undefined ? [] : files.map((file) => slateArguments("clip.mp4", file, form, video));
    }),
  );
  return [
    ...[RTMP_INPUT, RTSP_INPUT, SRT_INPUT, hlsInput("http://127.0.0.1:1/")].map((input) => pullArguments(input, true)),
    ...[VIDEO_FILE, COPIED_FILE, { ...VIDEO_FILE, hdr: "HLG", isInterlaced: true } as const].map((file) =>
      fileArguments("clip.mp4", file, run),
    ),
    frameArguments("clip.mp4", 1_000),
    frameArguments("clip.mp4", 1_000, "PQ"),
    ...slates,
  ];
}

const encoderOf = (args: readonly string[]) => (args[args.indexOf("-c:v") + 1] ?? "").replaceAll("-", "_");

test("the image's FFmpeg has what Fanfare names, and no form, encoder or protocol more", () => {
  const sets = () => new Set<string>();
  const names: Names = {
    ...{
      demuxer: sets(),
      indev: sets(),
      muxer: sets(),
      encoder: sets(),
      bsf: sets(),
      filter: sets(),
      protocol: sets(),
    },
  };
  for (const args of everyCommand()) addNames(names, args);
  const sorted = (set: Iterable<string>) => [...set].toSorted();
  expect(sorted([...names.demuxer, ...INSIDE_OTHERS])).toEqual(sorted(partsOf("demuxer")));
  for (const kind of ["indev", "muxer", "encoder", "protocol"] as const)
    expect(sorted(names[kind]), kind).toEqual(sorted(partsOf(kind)));
  // FFmpeg adds others by itself.
  for (const kind of ["bsf", "filter"] as const) {
    expect(names[kind].size > 0, kind).toBe(kind === "filter");
    expect(
      sorted(names[kind]).filter((name) => !partsOf(kind).has(name)),
      kind,
    ).toEqual([]);
  }
});

test("a slate of each codec can be made with it", () => {
  const withoutEncoder = SLATE_VIDEO_CODECS.filter(
    (videoCodec) => !videoEncoders({ ...SIZE, videoCodec }).some((args) => partsOf("encoder").has(encoderOf(args))),
  );
  expect(withoutEncoder).toEqual([]);
});

test("no other file of the sources has options for FFmpeg's inputs, codecs and filters", () => {
  const option = /"-(?:i|vf|af|filter_complex|c:[av]|bsf:[av]|(?:protocol|format)_whitelist)"/;
  const isOne = (path: string) => option.test(readFileSync(join(ROOT, path), "utf8"));
  const files = globSync("src/**/*.ts", { cwd: ROOT }).filter(isOne);
  expect(files.toSorted()).toEqual([
    ...["src/ffmpeg/input.ts", "src/media-files/read-format.ts", "src/sources/file-arguments.ts"],
    ...[
      "src/sources/pull-arguments.ts",
      "src/sources/pull-links/pull-inputs.ts",
      "src/sources/slates/slate-arguments.ts",
    ],
  ]);
});
