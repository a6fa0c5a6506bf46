import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { startSrtReceiver } from "../../support/encoders/srt-encoder.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { isCodedMedia } from "../../support/streams/flv-file.ts";
import { packetHashes } from "../../support/streams/packet-hashes.ts";

const PASSPHRASE = "correct-horse-battery";
const CHANGE_MAX_MS = 30_000;
const DELAY_S = 3;
const VIDEO = 9;
const FRAME_MS = 40;
const stage = await Stage.open(afterAll);
const { api } = await stage.server();
stage.keepSecret(PASSPHRASE);

/** Each tag's type, its time since the first of them, and its bytes. */
const bytesAndTimes = (tags: readonly FlvTag[]) =>
  tags.map(({ type, timestamp, payload }) => [type, timestamp - (tags[0]?.timestamp ?? 0), payload.toString("base64")]);

test.concurrent("a delayed platform gets the same bytes later, the rest after the end, and what a cut leaves", async () => {
  const nginx = await stage.nginx();
  const [live, late, cut] = ["live", "late", "cut"].map(uniqueKey) as [string, string, string];
  const platforms = [
    { rtmpUrl: nginx.url, streamKey: live },
    { rtmpUrl: nginx.url, streamKey: late, delaySeconds: DELAY_S },
    { rtmpUrl: nginx.url, streamKey: cut, delaySeconds: DELAY_S },
  ];
  const channel = await api.createChannel("delayed", platforms);
  const watch = stage.watch(api, channel);
  const clip = await makeClip({ seconds: 12 });
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  await watch.until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", CHANGE_MAX_MS);
  const filling = await watch.seen(1, ({ delay }) => delay?.state === "FILLING", CHANGE_MAX_MS);
  expect(filling.connectStatus).toBe("READY");
  await watch.until(2, ({ delay }) => delay?.state === "DELAYED", CHANGE_MAX_MS);
  // It has a second of media before the cut.
  await nginx.waitForRecording(cut, (tags) => (tags.at(-1)?.timestamp ?? 0) > 1_000, CHANGE_MAX_MS);
  const cutPath = `/api/v2/re-stream/channels/${channel.channelId}/platforms/${watch.latest(2)?.platId}/cut-delay`;
  await api.request("PUT", cutPath);
  await watch.seen(2, ({ delay }) => delay?.state === "LIVE", CHANGE_MAX_MS);
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  await watch.seen(1, ({ delay }) => delay?.state === "DRAINING", CHANGE_MAX_MS);
  await watch.until(0, ({ connectStatus }) => connectStatus === "READY", CHANGE_MAX_MS);
  await watch.until(1, ({ connectStatus, delay }) => connectStatus === "READY" && delay === undefined, CHANGE_MAX_MS);
  // On loopback a connection is made between two looks.
  const settled = watch.statuses(1).filter((status) => status !== "CONNECTING");
  expect(settled).toEqual(["READY", "PUBLISHING", "READY"]);

  const [now] = await nginx.recordings(live);
  const [later] = await nginx.recordings(late);
  const [jumped, ...others] = await nginx.recordings(cut);
  if (now === undefined || later === undefined || jumped === undefined) throw new Error("a recording is missing");
  expect(others).toEqual([]);
  expect(now.tags.length).toBeGreaterThan(500);
  // A target that is there late, delayed or not, begins with a later keyframe than the other.
  const frames = later.tags.filter(isCodedMedia);
  const shown = now.tags.filter(isCodedMedia);
  const isLiveFirst = frames.every(({ payload }) => shown[0]?.payload.equals(payload) !== true);
  const [longer, shorter] = isLiveFirst ? [shown, frames] : [frames, shown];
  const first = longer.findIndex(({ payload }) => shorter[0]?.payload.equals(payload) === true);
  expect(first).toBeGreaterThan(-1);
  expect(bytesAndTimes(longer.slice(first))).toEqual(bytesAndTimes(shorter));
  const [laterHeads, heads] = [later, now].map(({ tags }) => tags.filter((tag) => !isCodedMedia(tag)));
  expect(bytesAndTimes(laterHeads ?? [])).toEqual(bytesAndTimes(heads ?? []));
  expect(await decodingErrors(jumped.path)).toBe("");
  const times = jumped.tags.flatMap(({ type, timestamp }) => (type === VIDEO ? [timestamp] : []));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const [sent, got] = await Promise.all([packetHashes(clip.path), packetHashes(jumped.path)]);
  const leftOutMs = (sent.video.length - sent.video.indexOf(got.video[0] ?? "") - got.video.length) * FRAME_MS;
  // A cut goes to a keyframe, and those come every two seconds.
  expect(leftOutMs).toBeGreaterThan(DELAY_S * 1_000 - 500);
  expect(leftOutMs).toBeLessThan(DELAY_S * 1_000 + 2_500);
  const gaps = times.map((time, index) => time - (times[index - 1] ?? time));
  // What a cut leaves out leaves no hole: its time goes on as the clock did, over a pause of the machine too.
  expect(Math.max(...gaps)).toBeLessThan(DELAY_S * 1_000 - 500);
  expect(await readdir(join(stage.folder, "data"))).not.toContain("delays");
});

test.concurrent("over encrypted SRT a delayed platform gets the encoder's frames, from the first one on", async () => {
  const port = await freePort();
  const path = join(stage.folder, "delayed.ts");
  const receiver = stage.encoder(await startSrtReceiver("ffmpeg", port, path, { passphrase: PASSPHRASE }));
  const rtmpUrl = `srt://127.0.0.1:${port}?passphrase=${PASSPHRASE}&pbkeylen=32`;
  const channel = await api.createChannel("delayed_srt", [{ rtmpUrl, streamKey: "#!::r=live/key", delaySeconds: 2 }]);
  const watch = stage.watch(api, channel);
  const clip = await makeClip({ seconds: 8 });
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  await watch.until(0, ({ delay }) => delay?.state === "DELAYED", CHANGE_MAX_MS);
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  await watch.until(0, ({ connectStatus }) => connectStatus === "READY", CHANGE_MAX_MS);
  await receiver.exited;
  const [sent, got] = await Promise.all([packetHashes(clip.path), packetHashes(path)]);
  // It begins at the first keyframe after the connection: the first one, the second, at 2 s, or the third.
  expect([0, 50, 100]).toContain(sent.video.length - got.video.length);
  expect(await decodingErrors(path)).toBe("");
});
