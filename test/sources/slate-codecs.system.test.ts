import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { slateForm } from "../../src/control/channels/slate-form.ts";
import type { MediaFile } from "../../src/control/ports/media-files.ts";
import { classifyAudio } from "../../src/protocol/flv/audio/audio-tag.ts";
import { classifyVideo } from "../../src/protocol/flv/video/video-tag.ts";
import { readSlate } from "../../src/relay/stream/slate/slate.ts";
import { SlateMaking } from "../../src/sources/slates/slate-making.ts";
import { testedFfmpeg } from "../support/checks/tested-image.ts";
import { runToEnd } from "../support/processes/children.ts";
import { mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { decodingErrors } from "../support/streams/decoding.ts";
import { type EncodedTrack, encode, readTracks } from "../support/streams/encoded-tracks.ts";
import { matroskaFile } from "../support/streams/matroska.ts";
import { interleaved, messagesOf } from "../support/streams/track-messages.ts";

const SECONDS = 6;
const CLOSES_MS = 2_000;
const OPENS_MS = 4_000;
const X265 = ["libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=2"];
const PICTURE: MediaFile = {
  ...{ fileId: "mf-a", name: "slate.png", bytes: 1, receivedBytes: 1, createdTime: 0, state: "ready" },
  format: { kind: "picture", videoCodec: "png", pixelFormat: "rgb24", width: 640, height: 480 },
};

let folder = "";
let picture = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-slates-"));
  picture = join(folder, "slate.png");
  await runToEnd("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=red:size=640x480", "-frames:v", "1", picture]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function slateMaking(file = PICTURE, path = picture): SlateMaking {
  const files = {
    get: () => file,
    path: () => path,
    problem: async () => undefined,
    kept: async () => undefined,
    keep: async () => undefined,
  };
  return new SlateMaking({ files, findFfmpeg: testedFfmpeg, stopping: new AbortController().signal });
}

/** What a target got of one kind, as a track; and how many frames there are that the encoder did not send. */
function gotOf(
  kind: "audio" | "video",
  sent: EncodedTrack,
  got: ReturnType<typeof mediaOf>,
): { readonly track: EncodedTrack; readonly others: number } {
  const own = got.filter(({ type }) => type === (kind === "video" ? 9 : 8));
  const frames = own.flatMap(({ timestamp, payload }) => {
    const video = kind === "video" ? classifyVideo(payload) : undefined;
    const { part, bodyOffset, bodyEnd } = video ?? classifyAudio(payload);
    const marks = { isKeyframe: video?.isKeyframe ?? true, compositionMs: video?.compositionTimeMs ?? 0 };
    return part === "frame" ? [{ timestamp, ...marks, bytes: payload.subarray(bodyOffset, bodyEnd) }] : [];
  });
  const known = new Set(sent.packets.map(({ bytes }) => bytes.toString("base64")));
  const others = frames.filter(({ bytes }) => !known.has(bytes.toString("base64"))).length;
  return { track: { ...sent, packets: frames }, others };
}

const STREAMS = [
  { name: "HEVC and Opus", video: X265, audio: ["libopus"], codecs: "hevc opus", heard: 40 },
  {
    ...{ name: "AV1 and AC-3", video: ["libsvtav1", "-preset", "12"], audio: ["ac3"] },
    ...{ codecs: "av1 ac3", heard: 40 },
  },
  {
    ...{ name: "H.264 by FourCC and MP3", video: ["libx264", "-preset", "ultrafast"], audio: ["libmp3lame"] },
    ...{ codecs: "avc mp3", heard: 40 },
  },
  {
    ...{ name: "HEVC of 10 bits and E-AC-3", video: [...X265, "-pix_fmt", "yuv420p10le"], audio: ["eac3"] },
    ...{ codecs: "hevc eac3", heard: 40, pixelFormat: "yuv420p10le" },
  },
  {
    ...{ name: "H.264 4:2:2 and FLAC", video: ["libx264", "-preset", "ultrafast", "-pix_fmt", "yuv422p"] },
    ...{ audio: ["flac"], codecs: "avc flac", heard: 15, pixelFormat: "yuv422p" },
  },
] as const satisfies readonly {
  readonly name: string;
  readonly video: readonly string[];
  readonly audio: readonly string[];
  readonly codecs: string;
  /** So many frames of audio there are in two seconds, at least. */
  readonly heard: number;
  readonly pixelFormat?: string;
}[];

test.each([
  { name: "that is over before the video", seconds: 3, input: ["-t", "0.5"], filter: "anull" },
  { name: "that begins late", seconds: 3, input: ["-itsoffset", "1", "-t", "2"], filter: "anull" },
  { name: "that begins very late", seconds: 15, input: ["-itsoffset", "13", "-t", "2"], filter: "anull" },
  { name: "with a gap", seconds: 3, input: ["-t", "3"], filter: "aselect='lt(t,0.5)+gt(t,2)'" },
])("a clip whose audio is one $name has audio in its whole round", async ({ seconds, input, filter }) => {
  const clip = join(folder, "clip.mkv");
  const video = ["-f", "lavfi", "-t", String(seconds), "-i", "testsrc2=size=320x180:rate=25"];
  const tone = [...input, "-f", "lavfi", "-i", "sine=sample_rate=48000", "-af", filter];
  const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le"];
  await runToEnd("ffmpeg", ["-v", "error", "-y", ...video, ...tone, ...codecs, clip]);
  const format = { kind: "video", videoCodec: "h264", pixelFormat: "yuv444p", width: 320, height: 180 } as const;
  const file: MediaFile = { ...PICTURE, format: { ...format, audioCodec: "pcm_s16le" } };
  const form = { videoCodec: "avc", width: 320, height: 180, frameRate: 25 } as const;
  const sound = { codec: "aac", sampleRate: 44_100, channels: 2 } as const;
  const made = await slateMaking(file, clip).make("mf-a", { ...form, audio: sound });
  const slate = "reason" in made ? undefined : readSlate(made.flv);
  const times = slate?.frames.flatMap(({ kind, timeMs }) => (kind === "audio" ? [timeMs] : [])) ?? [];
  const steps = [...times, slate?.lengthMs ?? 0].map((timeMs, at) => timeMs - (times[at - 1] ?? 0));
  // A frame of AAC has 23 ms. What an encoder begins with is shorter than two of them.
  expect([slate?.lengthMs, Math.max(...steps) < 70]).toEqual([seconds * 1_000, true]);
});

describe("the curtain in other codecs than H.264 and AAC", () => {
  test.each(STREAMS)(
    "$name decode over one connection, across both switches",
    async ({ name, codecs, heard: heardMin, ...stream }) => {
      const path = await encode(folder, name.replaceAll(/[ :]/g, "_"), { ...stream, seconds: SECONDS });
      const [video, audio] = await readTracks(path);
      if (video === undefined || audio === undefined) throw new Error("a track is missing");
      const stage = new RelayStage(60);
      stage.engine.introduce(stage.spec([target(1)]));
      const publisher = stage.open();
      const media = interleaved([video, audio].map((track) => messagesOf(track, "plain")));
      let isClosed: boolean | undefined;
      let isAccepted = false;
      for (const { type, timestamp, payload } of media) {
        stage.clock.advance(Math.max(0, timestamp - stage.clock.now()));
        if (isClosed === undefined && timestamp >= CLOSES_MS) {
          const ingest = stage.samples.at(-1)?.ingest;
          const form = ingest === undefined ? undefined : slateForm(ingest);
          if (form === undefined || form === "other") throw new Error(`no form: ${form}`);
          expect([form.videoCodec, form.audio?.codec].join(" ")).toBe(codecs);
          expect(form).toMatchObject({
            width: 320,
            height: 180,
            frameRate: 25,
            audio: { sampleRate: 48_000, channels: 2 },
          });
          expect(form.pixelFormat).toBe("pixelFormat" in stream ? stream.pixelFormat : undefined);
          const made = await slateMaking().make("mf-a", form);
          if ("reason" in made) throw new Error(made.reason);
          stage.engine.setSlate("ls-1", made.flv);
          stage.engine.setCurtain("ls-1", true);
          isClosed = true;
        }
        if (isClosed === true && timestamp >= OPENS_MS) {
          stage.engine.setCurtain("ls-1", false);
          isClosed = false;
        }
        publisher.push({ kind: type === 9 ? "video" : "audio", timestamp, payload });
        if (!isAccepted) stage.dialer.links[0]?.accept(1, true, true);
        isAccepted = stage.dialer.links.length > 0;
      }
      stage.clock.advance(1_000);
      const [link, ...links] = stage.dialer.links;
      expect(links).toEqual([]);
      const got = link === undefined ? [] : mediaOf(link);
      const back = got.findIndex(({ timestamp }, at) => timestamp < (got[at - 1]?.timestamp ?? 0));
      expect(back).toBe(-1);
      const [shown, heard] = [gotOf("video", video, got), gotOf("audio", audio, got)];
      // Two seconds of the slate, and its audio.
      expect(shown.others).toBeGreaterThan(45);
      expect(heard.others).toBeGreaterThan(heardMin);
      expect(stage.samples.some(({ ingest }) => ingest.slateMisfit !== undefined)).toBe(false);
      expect(shown.track.packets.length - shown.others).toBeGreaterThan(75);
      const file = join(folder, `${codecs}.mkv`);
      await writeFile(file, matroskaFile([shown.track, heard.track]));
      expect(await decodingErrors(file)).toBe("");
    },
  );

  test("an FFmpeg without the encoder is named as the reason", async () => {
    const fake = join(folder, "ffmpeg");
    await writeFile(fake, "#!/bin/sh\necho \"Unknown encoder 'libx265'\" >&2\nexit 1\n", { mode: 0o755 });
    const files = {
      get: () => PICTURE,
      path: () => picture,
      problem: async () => undefined,
      kept: async () => undefined,
      keep: async () => undefined,
    };
    const found = () => ({ ffmpeg: fake, ffprobe: fake });
    const making = new SlateMaking({ files, findFfmpeg: found, stopping: new AbortController().signal });
    expect(await making.make("mf-a", { videoCodec: "hevc", width: 320, height: 180, frameRate: 25 })).toEqual({
      reason: "FFmpeg on this server has no encoder for this codec: libx265",
    });
  });
});
