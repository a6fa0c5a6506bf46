import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { runToEnd } from "../../support/processes/children.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { startFfmpegReceiver } from "../../support/targets/ffmpeg-receiver.ts";

const AUDIO = 8;
const VIDEO = 9;
/** An AAC frame at 48 kHz, rounded up. */
const FRAME_MS = 22;

test("a camera without sound reaches a platform with silence that FFmpeg decodes, in step with its video", async () => {
  const stage = await Stage.open();
  const { api } = await sharedServer(stage);
  const key = uniqueKey("silent");
  const path = join(stage.folder, "received.flv");
  const receiver = await startFfmpegReceiver(key, path);
  stage.encoder(receiver.child);
  const platform = { rtmpUrl: receiver.url, streamKey: key, silentAudio: "always" };
  const channel = await api.createChannel("silent", [platform]);
  const watch = stage.watch(api, channel);

  const clip = await makeClip({ seconds: 8 });
  const mute = join(stage.folder, "mute.flv");
  await runToEnd("ffmpeg", ["-hide_banner", "-loglevel", "error", "-i", clip.path, "-an", "-c", "copy", mute]);
  const encoder = await stage.ffmpeg({ ...clip, path: mute }, publishUrl(channel));
  await watch.until(0, ({ silenceAdded }) => silenceAdded === true, 15_000);
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  expect(await receiver.child.exited, receiver.child.stderr()).toEqual({ code: 0, signal: null });

  const tags = readFlv(await readFile(path));
  const timesOf = (type: number) =>
    tags.flatMap((tag) => (tag.type === type && tag.payload[1] === 1 ? [tag.timestamp] : []));
  const [audio, video] = [timesOf(AUDIO), timesOf(VIDEO)];
  expect(audio.length).toBeGreaterThan(100);
  expect(Math.abs((audio[0] ?? 0) - (video[0] ?? 0))).toBeLessThanOrEqual(1);
  expect((video.at(-1) ?? 0) - (audio.at(-1) ?? 0)).toBeLessThanOrEqual(FRAME_MS);
  const startMs = audio[0] ?? 0;
  const exact = audio.map((_, frame) => startMs + Math.round((frame * 1_024) / 48));
  expect(audio).toEqual(exact);
  expect(await decodingErrors(path)).toBe("");
  const entries = ["-select_streams", "a", "-show_entries", "stream=codec_name,sample_rate,channels", "-of", "csv=p=0"];
  expect((await runToEnd("ffprobe", ["-v", "error", ...entries, path])).trim()).toBe("aac,48000,2");
});
