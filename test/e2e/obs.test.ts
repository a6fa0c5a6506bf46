import { expect, test } from "vitest";
import { decodingErrors } from "../support/decoding.ts";
import { isAudio, isCodedMedia, isVideo } from "../support/flv-file.ts";
import { ObsEncoder } from "../support/obs-encoder.ts";
import { expectProperStart } from "../support/recorded-stream.ts";
import { Stage, uniqueKey } from "../support/stage.ts";
import { waitFor } from "../support/waiting.ts";

const DEADLINE_MS = 30_000;

test("OBS publishes, is shown as it is, and its stop is the broadcast's end", async () => {
  const stage = await Stage.open();
  const nginx = await stage.nginx();
  const { api } = await stage.server();
  const key = uniqueKey("obs");
  const channel = await api.createChannel("obs", [{ rtmpUrl: nginx.url, streamKey: key }]);
  const watch = stage.watch(api, channel);

  const { publishUrl, streamKey } = channel;
  const obs = await ObsEncoder.start({ folder: stage.folder, publishUrl, streamKey });
  stage.onClose(() => obs.kill());
  await watch.until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", DEADLINE_MS);
  await nginx.waitForRecording(key, (tags) => (tags.at(-1)?.timestamp ?? 0) >= 3_000, DEADLINE_MS);
  expect(await api.channel(channel.channelId)).toMatchObject({
    channelStatus: "PUBLISHING",
    ingest: {
      state: "LIVE",
      encoder: "FMLE/3.0 (compatible; FMSc/1.0)",
      videoCodec: "avc",
      width: 640,
      height: 360,
      audioCodec: "aac",
      sampleRate: 48_000,
      channels: 2,
    },
  });
  await obs.stopStreaming();
  await watch.until(0, ({ connectStatus }) => connectStatus === "READY", DEADLINE_MS);
  expect(watch.statuses(0)).not.toContain("FAIL");
  // A clean stop holds nothing: it is over, long before a hold's two minutes.
  await waitFor("the end", DEADLINE_MS, async () => {
    const { channelStatus, ingest } = await api.channel(channel.channelId);
    return channelStatus === "READY" && JSON.stringify(ingest).includes('"state":"ENDED"') ? true : undefined;
  });

  const recordings = await nginx.recordings(key);
  expect(recordings).toHaveLength(1);
  for (const { tags, path } of recordings) {
    expectProperStart(tags);
    expect(tags.filter((tag) => isVideo(tag) && isCodedMedia(tag)).length).toBeGreaterThan(60);
    expect(tags.filter((tag) => isAudio(tag) && isCodedMedia(tag)).length).toBeGreaterThan(90);
    expect(await decodingErrors(path)).toBe("");
  }
});
