import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { isVideo } from "../../support/streams/flv-file.ts";
import { expectSamePackets } from "../../support/streams/recorded-stream.ts";
import { startFfmpegReceiver } from "../../support/targets/ffmpeg-receiver.ts";

test("FFmpeg as a target records every video and audio frame, and ends with the broadcast", async () => {
  const stage = await Stage.open();
  const { api } = await sharedServer(stage);
  const key = uniqueKey("listening");
  const path = join(stage.folder, "received.flv");
  const receiver = await startFfmpegReceiver(key, path);
  stage.encoder(receiver.child);
  const channel = await api.createChannel("listening", [{ rtmpUrl: receiver.url, streamKey: key }]);
  const watch = stage.watch(api, channel);

  const clip = await makeClip({ seconds: 4 });
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  expect(await receiver.child.exited, receiver.child.stderr()).toEqual({ code: 0, signal: null });

  await watch.until(0, ({ connectStatus }) => connectStatus === "READY", 10_000);
  expect(watch.statuses(0)).not.toContain("FAIL");
  // FFmpeg ends a file with a mark of its own, at the last frame's time.
  const isEndMark = (tag: FlvTag): boolean => isVideo(tag) && tag.payload[1] === 2;
  const recording = { path, tags: readFlv(await readFile(path)).filter((tag) => !isEndMark(tag)) };
  expect(await expectSamePackets(recording, clip.path)).toBe(0);
  expect(await decodingErrors(path)).toBe("");
});
