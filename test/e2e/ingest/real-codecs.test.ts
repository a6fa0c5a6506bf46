import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage } from "../../support/stages/stage.ts";
import { decodedHashes } from "../../support/streams/decoding.ts";
import { type EncodedTrack, encode, readTracks } from "../../support/streams/encoded-tracks.ts";
import { matroskaFile } from "../../support/streams/matroska.ts";
import { interleaved, messagesOf, trackOf } from "../../support/streams/track-messages.ts";
import { type Receiver, receiver, recordingOf } from "../../support/targets/receiver.ts";

const SECONDS = 6;
/** A target gets all of the first group whose connection is made before it ends: a busy machine takes a second for that. */
const GROUP_SECONDS = 5;
const LENGTH = { seconds: SECONDS, groupSeconds: GROUP_SECONDS };
const FRAME_COUNT = SECONDS * 25;

const X264 = ["libx264", "-preset", "ultrafast", "-bf", "2"];
const X265 = ["libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=2"];
const FRAME_SIZE = { width: 320, height: 180 };

/**
 * Everything that Debian's FFmpeg can encode; `shows`: the codec that the channel reports. VP9's header has no size.
 */
const CODECS = [
  {
    name: "HEVC with B-frames, and Opus",
    video: X265,
    audio: ["libopus"],
    shows: { videoCodec: "hevc", audioCodec: "opus", ...FRAME_SIZE },
  },
  {
    name: "AV1 and FLAC",
    video: ["libsvtav1", "-preset", "12"],
    audio: ["flac"],
    shows: { videoCodec: "av1", audioCodec: "flac", ...FRAME_SIZE },
  },
  {
    name: "VP9 and AC-3",
    video: ["libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
    audio: ["ac3"],
    shows: { videoCodec: "vp9", audioCodec: "ac3" },
  },
  {
    name: "H.264 with B-frames by FourCC, and E-AC-3",
    video: X264,
    audio: ["eac3"],
    shows: { videoCodec: "avc", audioCodec: "eac3", ...FRAME_SIZE },
  },
  {
    name: "H.264 and MP3 by FourCC",
    video: X264,
    audio: ["libmp3lame"],
    shows: { videoCodec: "avc", audioCodec: "mp3", ...FRAME_SIZE },
  },
];

// One server for all of them, side by side: a test waits mostly for the stream's own time.
const stage = await Stage.open(afterAll);
const server = await sharedServer(stage);

/** Publishes these messages in real time, to the end; returns the channel as it was. */
async function publish(tags: readonly FlvTag[], receivers: readonly Receiver[]) {
  const channel = await server.api.createChannel(
    "real_codecs",
    receivers.map(({ platform }) => platform),
  );
  const clip = { durationMs: SECONDS * 1_000, tags: () => tags };
  const encoder = stage.kitEncoder(channel, { clip });
  expect((await encoder.closed).end).toEqual({ how: "finished" });
  return server.api.channel(channel.channelId);
}

async function receivedBy(which: Receiver): Promise<FlvTag[]> {
  return readFlv(await readFile(await recordingOf(which)));
}

/** FFmpeg decodes what a target got to exactly the video and audio that the encoder's own file decodes to. */
async function expectDecoded(name: string, tracks: readonly EncodedTrack[], originalPath: string): Promise<void> {
  const path = join(stage.folder, `${name}.mkv`);
  await writeFile(path, matroskaFile(tracks));
  const [got, expected] = [await decodedHashes(path), await decodedHashes(originalPath)];
  expect(expected.video).toHaveLength(FRAME_COUNT);
  expect(expected.audio.length).toBeGreaterThan(SECONDS * 10);
  expect(got).toEqual(expected);
}

/** Properties that decoding alone does not show: when a frame is presented, and where players may begin. */
function timesOf({ fourCc, packets }: EncodedTrack) {
  const times = packets.map(({ timestamp, compositionMs, isKeyframe }) => ({ timestamp, compositionMs, isKeyframe }));
  return { fourCc, times };
}

describe.concurrent("codecs that FFmpeg encoded", () => {
  test.each(CODECS)("$name: FFmpeg decodes at the target what it encoded", async ({ name, shows, ...encoders }) => {
    const file = name.replaceAll(/\W/g, "_");
    const path = await encode(stage.folder, file, { ...encoders, ...LENGTH });
    const tracks = await readTracks(path);
    const target = await receiver(stage);
    const channel = await publish(interleaved(tracks.map((track) => messagesOf(track, "plain"))), [target]);
    expect(channel).toMatchObject({ ingest: shows });

    const tags = await receivedBy(target);
    const received = [trackOf(tags, "video"), trackOf(tags, "audio")];
    expect(received.map(timesOf)).toEqual(tracks.map(timesOf));
    await expectDecoded(file, received, path);
  });

  test("two tracks of each kind decode, and so does the one of each that a target chose", async () => {
    const [defaultPath, otherPath] = await Promise.all([
      encode(stage.folder, "default", { video: X264, audio: ["aac"], ...LENGTH }),
      encode(stage.folder, "other", { video: X265, audio: ["libopus"], ...LENGTH }),
    ]);
    const [defaults, others] = [await readTracks(defaultPath), await readTracks(otherPath)];
    const all = await receiver(stage);
    const old = await receiver(stage, { tracks: { video: 0, audio: 0 } });
    const other = await receiver(stage, { tracks: { video: 1, audio: 1 } });
    const tags = interleaved([
      ...defaults.map((track) => messagesOf(track, "legacy")),
      ...others.map((track) => messagesOf(track, { trackId: 1 })),
    ]);
    await publish(tags, [all, old, other]);

    const tagsOfAll = await receivedBy(all);
    await expectDecoded("all-0", [trackOf(tagsOfAll, "video", 0), trackOf(tagsOfAll, "audio", 0)], defaultPath);
    await expectDecoded("all-1", [trackOf(tagsOfAll, "video", 1), trackOf(tagsOfAll, "audio", 1)], otherPath);
    // FFmpeg reads the legacy form by itself.
    expect(await decodedHashes(await recordingOf(old))).toEqual(await decodedHashes(defaultPath));
    const tagsOfOther = await receivedBy(other);
    await expectDecoded("other", [trackOf(tagsOfOther, "video"), trackOf(tagsOfOther, "audio")], otherPath);
  });
});
