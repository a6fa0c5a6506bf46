import { expect, onTestFinished, test, vi } from "vitest";
import { readBox } from "../../src/protocol/mp4/box-reader.ts";
import { readMovieHeader } from "../../src/protocol/mp4/movie-header.ts";
import { readFragmentTimes } from "../../src/protocol/mp4/read-fragment.ts";
import {
  type FileLimits,
  type FileStart,
  type GrowingFile,
  StreamRecorder,
} from "../../src/recording/container/stream-recorder.ts";
import type { RecordingEnd } from "../../src/thread-protocol/recordings/recordings.ts";
import { audioTag, batch, frames, heads, videoTag } from "../support/recordings/batches.ts";
import {
  AAC_CONFIG_CHANGED,
  AVC_CONFIG,
  AVC_CONFIG_CHANGED,
  aacFrame,
  avcFrame,
} from "../support/streams/media-messages.ts";

const ENDLESS: FileLimits = { fileMs: 1e12, fileBytes: 1e12 };

type MadeFile = FileStart & {
  readonly parts: Buffer[];
  end?: { readonly reason: RecordingEnd; readonly durationMs: number };
};

/** A stream recorder whose files are in memory. */
function recorderOf(limits = ENDLESS) {
  const files: MadeFile[] = [];
  const openFile = (start: FileStart): GrowingFile => {
    const file: MadeFile = { ...start, parts: [] };
    files.push(file);
    return {
      get bytes() {
        return Buffer.concat(file.parts).length;
      },
      append: (chunks) => void file.parts.push(Buffer.concat(chunks)),
      finish: (reason, durationMs) => {
        file.end = { reason, durationMs };
      },
    };
  };
  return { files, recorder: new StreamRecorder({ limits, openFile }) };
}

/** The samples' times of each fragment of a file, by track. */
function fragmentsOf({ parts }: MadeFile) {
  const [header = Buffer.alloc(0), ...fragments] = parts;
  expect(readMovieHeader(header)?.tracks.map(({ trackId }) => trackId)).toEqual([1, 2]);
  return fragments.map((fragment) => readFragmentTimes(fragment.subarray(0, readBox(fragment, 0)?.end)));
}

test("a recording goes on for longer than FLV's times have bits: 49.7 days", async () => {
  const turn = 2 ** 32;
  // A few frames each ten days, and some around the moment at which the times begin anew.
  const begins = [0, 864_000_000, 1_728_000_000, 2_592_000_000, 3_456_000_000, turn - 400];
  const frame = (beginMs: number, index: number) =>
    videoTag((beginMs + index * 40) % turn, avcFrame(index % 10 === 0, 1, 100));
  const tags = begins.flatMap((beginMs) => Array.from({ length: 40 }, (_, index) => frame(beginMs, index)));
  const { files, recorder } = recorderOf({ ...ENDLESS, fileMs: 600 });
  await recorder.take(batch(...heads(), ...tags));
  await recorder.end("BROADCAST_ENDED");
  const made = files.map(({ offsetMs, end }) => [offsetMs, end?.durationMs]);
  // Each lasts up to the keyframe with which the next one begins.
  expect(made[0]).toEqual([0, 800]);
  expect(made.slice(-2)).toEqual([
    [turn - 400, 800],
    [turn + 400, 760],
  ]);
});

test("a stream becomes one MP4 file whose fragments are at most half a second after the first", async () => {
  const { files, recorder } = recorderOf();
  await recorder.take(batch(...heads(), ...frames(0, 3_000)));
  await recorder.end("BROADCAST_ENDED");
  const [file] = files;
  expect(files).toHaveLength(1);
  expect(file).toMatchObject({
    container: "mp4",
    offsetMs: 0,
    tracks: [
      { kind: "video", codec: "avc", width: 640, height: 360 },
      { kind: "audio", codec: "aac", sampleRate: 48_000, channels: 2 },
    ],
    end: { reason: "BROADCAST_ENDED", durationMs: 2_960 },
  });
  const fragments = file === undefined ? [] : fragmentsOf(file);
  const video = fragments.map((times) => times?.find(({ trackId }) => trackId === 1));
  // Each begins where the one before it ended.
  expect(video.map((run) => run?.startUnits)).toEqual([0, ...video.slice(0, -1).map((run) => run?.endUnits)]);
  expect(video.at(-1)?.endUnits).toBe(3_000);
  const lengths = video.map((run) => (run?.endUnits ?? 0) - (run?.startUnits ?? 0));
  expect(Math.max(...lengths)).toBeLessThanOrEqual(500);
  expect(fragments.at(-1)?.find(({ trackId }) => trackId === 2)?.endUnits).toBe(3 * 48_000);
});

test("how a stream is cut into batches changes nothing", async () => {
  // A file holds the time when it was made, in seconds.
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const tags = [...heads(), ...frames(0, 1_600)];
  const whole = recorderOf();
  await whole.recorder.take(batch(...tags));
  const single = recorderOf();
  for (const tag of tags) await single.recorder.take(batch(tag));
  await Promise.all([whole.recorder.end("TURNED_OFF"), single.recorder.end("TURNED_OFF")]);
  expect(Buffer.concat(single.files[0]?.parts ?? [])).toEqual(Buffer.concat(whole.files[0]?.parts ?? []));
});

test("composition times and sync flags are those of the frames", async () => {
  const { files, recorder } = recorderOf();
  const pictures = [
    videoTag(0, avcFrame(true, 1, 60, 80)),
    videoTag(40, avcFrame(false, 2, 50, -40)),
    videoTag(80, avcFrame(false, 3, 40, 0)),
  ];
  await recorder.take(batch(videoTag(0, AVC_CONFIG), ...pictures));
  await recorder.end("TURNED_OFF");
  const fragment = files[0]?.parts[1] ?? Buffer.alloc(0);
  const at = fragment.indexOf("trun") + 16 - 4;
  const samples = [0, 1, 2].map((index) => {
    const from = at + 4 + index * 16;
    return [0, 4, 8, 12].map((offset) => fragment.readInt32BE(from + offset));
  });
  // Duration, bytes with the NAL unit's length, flags, composition time.
  expect(samples).toEqual([
    [40, 64, 0x02_00_00_00, 80],
    [40, 54, 0x01_01_00_00, -40],
    [40, 44, 0x01_01_00_00, 0],
  ]);
});

test.each([
  ["time", { ...ENDLESS, fileMs: 1_500 }],
  ["size", { ...ENDLESS, fileBytes: 5_000 }],
] as const)("the next file begins at the first keyframe after the limit of %s", async (_name, limits) => {
  const { files, recorder } = recorderOf(limits);
  await recorder.take(batch(...heads(), ...frames(0, 5_000)));
  await recorder.end("BROADCAST_ENDED");
  expect(files.map(({ offsetMs, end }) => [offsetMs, end?.reason])).toEqual([
    [0, "NEXT_FILE"],
    [2_000, "NEXT_FILE"],
    [4_000, "BROADCAST_ENDED"],
  ]);
});

test.each([
  ["video", videoTag(1_200, AVC_CONFIG_CHANGED)],
  ["audio", audioTag(1_200, AAC_CONFIG_CHANGED)],
] as const)("changed parameters of the %s begin a new file at the next keyframe", async (_name, config) => {
  const { files, recorder } = recorderOf();
  await recorder.take(batch(...heads(), ...frames(0, 1_200), config, ...frames(1_200, 3_000)));
  await recorder.end("BROADCAST_ENDED");
  expect(files.map(({ offsetMs, end }) => [offsetMs, end?.reason])).toEqual([
    [0, "STREAM_CHANGED"],
    [2_000, "BROADCAST_ENDED"],
  ]);
});

test("the same headers again change nothing", async () => {
  const { files, recorder } = recorderOf();
  await recorder.take(batch(...heads(), ...frames(0, 1_000), ...heads(), ...frames(1_000, 2_000)));
  await recorder.end("BROADCAST_ENDED");
  expect(files.map(({ end }) => end)).toEqual([{ reason: "BROADCAST_ENDED", durationMs: 1_960 }]);
});

test("audio alone is recorded from its first frame", async () => {
  const { files, recorder } = recorderOf();
  const sound = Array.from({ length: 50 }, (_, index) => audioTag(index * 20, aacFrame(index)));
  await recorder.take(batch(heads()[0] ?? Buffer.alloc(0), ...sound));
  await recorder.end("BROADCAST_ENDED");
  expect(files).toMatchObject([{ container: "mp4", tracks: [{ kind: "audio" }], end: { durationMs: 980 } }]);
});

test("a codec without a form in MP4 makes an FLV file with the tags as they came, timed from its start", async () => {
  const { files, recorder } = recorderOf();
  const speex = Buffer.from([0xb2, 1, 2, 3]);
  const tags = [videoTag(400, avcFrame(true, 1)), audioTag(410, speex), videoTag(440, avcFrame(false, 2))];
  await recorder.take(batch(videoTag(0, AVC_CONFIG), ...tags));
  await recorder.end("BROADCAST_ENDED");
  const times = [videoTag(0, avcFrame(true, 1)), audioTag(10, speex), videoTag(40, avcFrame(false, 2))];
  expect(files).toMatchObject([{ container: "flv", tracks: [{ codec: "avc" }, { codec: "speex" }] }]);
  const start = Buffer.from("464c5601050000000900000000", "hex");
  expect(Buffer.concat(files[0]?.parts ?? [])).toEqual(Buffer.concat([start, videoTag(0, AVC_CONFIG), ...times]));
});
