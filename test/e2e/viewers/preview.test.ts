import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Clip, syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { type MessageRecord, recordMessage } from "../../../src/testkit/message-record.ts";
import { type ExitResult, startChild } from "../../support/processes/children.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { stalledPreview } from "../../support/targets/stalled-viewer.ts";

const DEADLINE_MS = 30_000;
const SECOND_KEY = z.object({ accessKey: z.string(), secretKey: z.string() });

/** A viewer counts as stalled once the kernels' buffers are full: with less than this they would take very long to fill. */
const KILOBITS = 6_000;
/** Each look for a place is a connection that stays open. */
const POLL_MS = 250;
/** Places for viewers of one channel. */
const PLACES = 4;

test.concurrent("FFmpeg plays the preview, and viewers that take nothing are cut and cost the target no byte", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target({}, { messagesMax: 10 });
  const { api, fanfare } = await sharedServer(stage);
  const channel = await api.createChannel("preview", [{ rtmpUrl: target.url, streamKey: uniqueKey("a") }]);
  const clip = syntheticClip({ video: "360p", kilobits: KILOBITS });
  const encoder = stage.kitEncoder(channel, { clip });
  await encoder.accepted;
  const path = `/api/v2/re-stream/channels/${channel.channelId}/preview-token`;
  const made = z.object({ url: z.string() }).parse(await api.request("POST", path));
  const url = fanfare.origin + made.url;

  await playsWell(stage, url);

  // Such a viewer does not leave by itself. One more than there are places gets in only where one was cut.
  for (let count = 0; count < PLACES + 1; count += 1) {
    await waitFor(
      "a place",
      DEADLINE_MS,
      async () => (await stalledPreview(stage, url)) || undefined,
      undefined,
      POLL_MS,
    );
  }

  const { payloadBytes } = await encoder.stop("clean");
  const [metadata] = clip.tags();
  const messages = target.connections[0]?.report.messages ?? [];
  const expected = payloadBytes - (metadata?.payload.length ?? 0) - bytesBefore(clip, messages);
  const received = () => target.connections[0]?.report.mediaBytes;
  await waitFor(
    "every byte at the target",
    DEADLINE_MS,
    () => received() === expected || undefined,
    () => `${received()} of ${expected}`,
  );
  expect(target.connections).toHaveLength(1);
});

test.concurrent("FFmpeg plays the preview over RTMP, with a token, as often as there is a place", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target();
  const { api, fanfare } = await sharedServer(stage);
  const channel = await api.createChannel("preview", [{ rtmpUrl: target.url, streamKey: uniqueKey("a") }]);
  const path = `/api/v2/re-stream/channels/${channel.channelId}/preview-token`;
  const made = z.object({ url: z.string() }).parse(await api.request("POST", path));
  const token = made.url.split("=")[1] ?? "";
  stage.keepSecret(token);
  const url = `rtmp://127.0.0.1:${fanfare.rtmpPort}/preview/${channel.channelId}`;
  expect(await refusal(`${url}?token=${token}`)).toContain("There is no such preview now.");

  const encoder = stage.kitEncoder(channel, { clip: syntheticClip({ video: "360p" }) });
  await encoder.accepted;
  await waitFor("media", DEADLINE_MS, () => (target.connections[0]?.report.mediaBytes ?? 0) > 0 || undefined);
  await playsWell(stage, `${url}?token=${token}`);
  expect(await refusal(`${url}?token=${token}x`)).toContain("There is no such preview now.");

  // A player with the token of a deleted key is disconnected at once.
  const second = SECOND_KEY.parse(await api.request("POST", "/api/v2/access-keys", { role: "manager" }));
  stage.keepSecret(second.secretKey);
  const headers = { authorization: `Bearer ${second.secretKey}` };
  const asked = await fetch(fanfare.origin + path, { method: "POST", headers });
  const doomed = z.object({ content: z.object({ url: z.string() }) }).parse(await asked.json()).content.url;
  const [cut] = await waitFor("a place", DEADLINE_MS, () => watchToTheEnd(`${url}?token=${doomed.split("=")[1]}`));
  await api.request("DELETE", `/api/v2/access-keys/${second.accessKey}`);
  expect(await cut).toMatchObject({ code: 0 });

  const ends: Promise<ExitResult>[] = [];
  for (let count = 0; count < PLACES; count += 1) {
    // The place of the last player is free a moment after it left.
    ends.push(...(await waitFor("a place", DEADLINE_MS, () => watchToTheEnd(`${url}?token=${token}`))));
  }
  expect(await refusal(`${url}?token=${token}`)).toContain("The preview cannot be shown now.");
  expect((await fetch(fanfare.origin + made.url)).status).toBe(429);
  // The end of a broadcast ends its players too.
  await encoder.stop("clean");
  for (const end of ends) expect(await end).toMatchObject({ code: 0 });
});

/** Bytes of the clip's frames before the first of these messages: a target that is there late begins with a later keyframe. */
function bytesBefore(clip: Clip, messages: readonly MessageRecord[]): number {
  const isFrame = ({ kind, isConfig }: MessageRecord) => kind !== "data" && !isConfig;
  const first = messages.find(isFrame)?.hash;
  let bytes = 0;
  for (const tag of clip.tags()) {
    if (tag.timestamp > DEADLINE_MS) break;
    const record = recordMessage({ ...tag, streamId: 1 });
    if (record === undefined || !isFrame(record)) continue;
    if (record.hash === first) return bytes;
    bytes += tag.payload.length;
  }
  throw new Error("the target's first frame is none of the clip");
}

/** FFmpeg plays two seconds of it and decodes every frame without an error. */
async function playsWell(stage: Stage, url: string): Promise<void> {
  const file = join(stage.folder, "preview.flv");
  const player = await startChild("ffmpeg", [
    ...["-v", "error", "-nostdin", "-i", url],
    ...["-t", "2", "-c", "copy", "-y", file],
  ]);
  expect([(await player.exited).code, player.stderr()]).toEqual([0, ""]);
  expect(await decodingErrors(file)).toBe("");
  const entries = ["-show_entries", "stream=codec_name,width", "-of", "csv=p=0", file];
  const shown = await startChild("ffprobe", ["-v", "error", ...entries]);
  await shown.exited;
  expect(shown.stdout().trim().split("\n").sort()).toEqual(["aac", "h264,640"]);
}

/** FFmpeg's message about an address that it cannot play. */
async function refusal(url: string): Promise<string> {
  const player = await startChild("ffmpeg", ["-v", "error", "-nostdin", "-i", url, "-f", "null", "-"]);
  expect((await player.exited).code).not.toBe(0);
  return player.stderr();
}

/**
 * An FFmpeg that plays to the end; undefined where it found no place. Wrapped, since the caller does not wait for it.
 */
async function watchToTheEnd(url: string): Promise<Promise<ExitResult>[] | undefined> {
  const player = await startChild("ffmpeg", [
    ...["-v", "error", "-nostdin", "-i", url],
    ...["-c", "copy", "-f", "flv", "-flush_packets", "1", "pipe:1"],
  ]);
  const isPlaying = await Promise.race([
    player.exited.then(() => false),
    waitFor("the player", DEADLINE_MS, () => player.stdout().length > 0 || undefined),
  ]);
  return isPlaying ? [player.exited] : undefined;
}
