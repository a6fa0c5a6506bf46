import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { encodeFlvTag, FLV_FILE_START, type FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { runToEnd } from "../../support/processes/children.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { isCodedMedia, isVideo } from "../../support/streams/flv-file.ts";
import { longGroupClip } from "../../support/streams/long-group-clip.ts";

const DEADLINE_MS = 30_000;

/** Sent before any player connects: some half a second. */
const MESSAGES_BEFORE = 40;

type Urls = { readonly rtmp: string; readonly http: string };

/** Commands that play into an FLV file, for a second or two. VLC plays RTMP as the first or the third does. */
const PLAYERS: Readonly<Record<string, (urls: Urls, path: string) => readonly [program: string, args: string[]]>> = {
  "FFmpeg over RTMP": ({ rtmp }, path) => ["ffmpeg", ffmpegArguments(rtmp, path)],
  "FFmpeg over HTTP": ({ http }, path) => ["ffmpeg", ffmpegArguments(http, path)],
  librtmp: ({ rtmp }, path) => [
    "gst-launch-1.0",
    // So many pieces of 4 KiB.
    ["-q", "rtmpsrc", `location=${rtmp} live=1`, "num-buffers=12", "!", "filesink", `location=${path}`],
  ],
  "GStreamer's own": ({ rtmp }, path) => [
    "gst-launch-1.0",
    // So many messages.
    ["-q", "rtmp2src", `location=${rtmp}`, "num-buffers=80", "!", "filesink", `location=${path}`],
  ],
};

function ffmpegArguments(url: string, path: string): string[] {
  return ["-v", "error", "-nostdin", "-i", url, "-t", "1", "-c", "copy", "-y", path];
}

const shown = ({ payload }: FlvTag): string => payload.toString("hex");
const isFrame = (tag: FlvTag): boolean => isVideo(tag) && isCodedMedia(tag);

test("every player shows a frame at once, seconds before the next keyframe, and the others without a gap", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { api, fanfare } = await sharedServer(stage);
  const channel = await api.createChannel("players", [{ rtmpUrl: target.url, streamKey: uniqueKey("a") }]);
  const path = `/api/v2/re-stream/channels/${channel.channelId}/preview-token`;
  const made = z.object({ url: z.string() }).parse(await api.request("POST", path));
  const token = made.url.split("=")[1] ?? "";
  const urls = {
    rtmp: `rtmp://127.0.0.1:${fanfare.rtmpPort}/preview/${channel.channelId}?token=${token}`,
    http: fanfare.origin + made.url,
  };
  const clip = await longGroupClip(stage.folder);
  const encoder = stage.kitEncoder(channel, { clip });
  await waitFor("the broadcast", DEADLINE_MS, () => encoder.report.messagesSent > MESSAGES_BEFORE || undefined);

  const play = async ([name, commandOf]: readonly [string, (typeof PLAYERS)[string]]) => {
    const file = join(stage.folder, `${name.replaceAll(/\W/g, "_")}.flv`);
    const [program, args] = commandOf(urls, file);
    await runToEnd(program, args);
    return { name, file, tags: readFlv(await readFile(file)) };
  };
  const played = await Promise.all(Object.entries(PLAYERS).map(play));

  // All of them connected within the first GOP, whose one keyframe is the first frame of all, and was sent long before.
  const sent = [...clip.tags()].filter(isFrame);
  for (const { name, file, tags } of played) {
    const frames = tags.filter(isFrame);
    expect(frames.length, name).toBeGreaterThan(10);
    expect(frames.map(shown), name).toEqual(sent.slice(0, frames.length).map(shown));
    // A player may leave in the middle of a frame.
    await writeFile(file, Buffer.concat([FLV_FILE_START, ...tags.map(encodeFlvTag)]));
    expect(await decodingErrors(file), name).toBe("");
  }
});
