import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import type { Channel } from "../../support/dashboard/api-client.ts";
import { runToEnd } from "../../support/processes/children.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { type EncodedTrack, encode, readTracks } from "../../support/streams/encoded-tracks.ts";
import { interleaved, messagesOf } from "../../support/streams/track-messages.ts";

const DEADLINE_MS = 30_000;
const SECONDS = 3;
const VIDEO = ["libx264", "-preset", "ultrafast", "-bf", "2"];
const listed = z.array(
  z.looseObject({
    recordingId: z.string(),
    state: z.string(),
    tracks: z.array(z.object({ codec: z.string() }).loose()),
  }),
);
const probed = z.object({ packets: z.array(z.object({ stream_index: z.int(), dts_time: z.coerce.number() })) });

/** When each packet of each track is decoded, in milliseconds of the file. */
async function timesIn(path: string): Promise<readonly (readonly number[])[]> {
  const args = ["-v", "error", "-show_entries", "packet=stream_index,dts_time", "-of", "json", path];
  const { packets } = probed.parse(JSON.parse(await runToEnd("ffprobe", args)));
  const count = 1 + Math.max(...packets.map(({ stream_index }) => stream_index));
  return Array.from({ length: count }, (_, index) =>
    packets.filter((packet) => packet.stream_index === index).map(({ dts_time }) => Math.round(dts_time * 1_000)),
  );
}

const bytesOf = ({ packets }: EncodedTrack) => packets.map(({ bytes }) => bytes.toString("base64"));

test("a second audio track of Enhanced RTMP is recorded beside the first, byte for byte and in step", async () => {
  const stage = await Stage.open();
  const { api } = await stage.server();
  const target = await stage.target();
  // AAC, as OBS sends it for archives: of other bitrates, so that no packet of one is in the other.
  const [main, second] = await Promise.all(
    ["128k", "64k"].map(async (bitrate) =>
      readTracks(
        await encode(stage.folder, bitrate, { video: VIDEO, audio: ["aac", "-b:a", bitrate], seconds: SECONDS }),
      ),
    ),
  );
  const [video, first] = main ?? [];
  const further = second?.[1];
  if (video === undefined || first === undefined || further === undefined) throw new Error("a track is missing");
  const recordedChannel = async (name: string) => {
    const channel = await api.createChannel(name, [{ rtmpUrl: target.url, streamKey: uniqueKey(name) }]);
    await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}`, { recording: { enabled: true } });
    return channel;
  };
  const list = async ({ channelId }: Channel) =>
    listed.parse(await api.request("GET", `/api/v2/re-stream/recordings?channelId=${channelId}`));
  // The recorder runs from the first recording on: the second misses nothing.
  const other = await recordedChannel("other");
  stage.kitEncoder(other, { clip: syntheticClip() });
  await waitFor("the recorder", DEADLINE_MS, async () => (await list(other))[0]);
  const channel = await recordedChannel("two_tracks");
  const tags = interleaved([
    messagesOf(video, "legacy"),
    messagesOf(first, "legacy"),
    messagesOf(further, { trackId: 1 }),
  ]);
  const encoder = stage.kitEncoder(channel, { clip: { durationMs: SECONDS * 1_000, tags: () => tags } });
  expect((await encoder.closed).end).toEqual({ how: "finished" });
  const file = await waitFor("the recording", DEADLINE_MS, async () => {
    const [found] = await list(channel);
    return found?.state === "FINISHED" ? found : undefined;
  });
  expect(file.tracks.map(({ codec }) => codec)).toEqual(["avc", "aac", "aac"]);

  const path = join(stage.folder, "data", "recordings", channel.channelId, `${file.recordingId}.mp4`);
  const recorded = await readTracks(path);
  expect(recorded.map(({ kind, fourCc }) => [kind, fourCc])).toEqual([
    ["video", "avc1"],
    ["audio", "mp4a"],
    ["audio", "mp4a"],
  ]);
  const sent = [video, first, further];
  expect(recorded.map(bytesOf)).toEqual(sent.map(bytesOf));
  // Every packet of every track is where it was in the stream, to the millisecond.
  const times = await timesIn(path);
  for (const [index, { packets }] of sent.entries()) {
    const off = packets.map(({ timestamp }, packet) => Math.abs((times[index]?.[packet] ?? Number.NaN) - timestamp));
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
  }
  expect(await decodingErrors(path)).toBe("");
});
