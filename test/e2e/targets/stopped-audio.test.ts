import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { startChild } from "../../support/processes/children.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { isAudio, isCodedMedia, stepsBack } from "../../support/streams/flv-file.ts";
import { startFfmpegReceiver } from "../../support/targets/ffmpeg-receiver.ts";

/**
 * Audio is missed after 3 s, noticed within one more, and the first frame after the gap begins when it does. These are
 * the server's seconds: the stream's own are fewer where FFmpeg gets no processor in time, and more where the server
 * does not. The audio is away for 7 s.
 */
const GAP_MIN_MS = 2_000;
const GAP_MAX_MS = 6_000;
const FRAME_MS = 22;
/** Silence goes up to the audio that comes back: less than a frame is between them. */
const SEAM_MS = 22;

test("an encoder whose audio stops for 7 s: the platform gets silence of the same form, and FFmpeg decodes all of it", async () => {
  const stage = await Stage.open();
  const { api } = await sharedServer(stage);
  const key = uniqueKey("stopped");
  const path = join(stage.folder, "received.flv");
  const receiver = await startFfmpegReceiver(key, path);
  stage.encoder(receiver.child);
  const channel = await api.createChannel("stopped", [
    { rtmpUrl: receiver.url, streamKey: key, silentAudio: "always" },
  ]);
  const watch = stage.watch(api, channel);
  const clip = await makeClip({ seconds: 15 });
  // FFmpeg holds video back for audio that does not come, unless told otherwise.
  const gap = ["-max_interleave_delta", "100000", "-bsf:a", "noise=drop=gte(pts*tb\\,4)*lt(pts*tb\\,11)"];
  const encoder = stage.encoder(
    await startChild("ffmpeg", [
      "-v",
      "error",
      "-re",
      "-i",
      clip.path,
      "-c",
      "copy",
      ...gap,
      "-f",
      "flv",
      publishUrl(channel),
    ]),
  );
  await watch.until(0, ({ silenceAdded }) => silenceAdded === true, 20_000);
  await watch.until(0, ({ silenceAdded }) => silenceAdded === undefined, 20_000);
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  await receiver.child.exited;
  // The receiver's own FFmpeg ends a file with a mark of an earlier time.
  const tags = readFlv(await readFile(path)).filter(isCodedMedia);
  expect(stepsBack(tags)).toEqual([]);
  const times = tags.filter(isAudio).map(({ timestamp }) => timestamp);
  const gaps = times
    .map((time, index) => time - (times[index - 1] ?? time))
    .filter((gapMs) => gapMs > FRAME_MS + SEAM_MS);
  // One, before the silence; behind it nothing is missing.
  expect(gaps).toHaveLength(1);
  expect(gaps[0]).toBeGreaterThan(GAP_MIN_MS);
  expect(gaps[0]).toBeLessThan(GAP_MAX_MS);
  expect(await decodingErrors(path)).toBe("");
});
