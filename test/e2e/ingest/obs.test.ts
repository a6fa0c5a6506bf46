import { expect, test } from "vitest";
import { ObsEncoder } from "../../support/encoders/obs-encoder.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { isAudio, isCodedMedia, isVideo } from "../../support/streams/flv-file.ts";
import { expectProperStart } from "../../support/streams/recorded-stream.ts";

const DEADLINE_MS = 30_000;

test("OBS publishes, is shown correctly, and its stop ends the broadcast", async () => {
  const stage = await Stage.open();
  const nginx = await stage.nginx();
  const { api } = await sharedServer(stage);
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
  // A clean stop starts no hold: it is over, long before a hold's two minutes.
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

test("OBS logs in, and with a wrong password is refused and says so", async () => {
  const stage = await Stage.open();
  const { api } = await sharedServer(stage);
  const login = { id: "obs", password: uniqueKey("password") };
  stage.keepSecret(login.password);
  const nowhere = { rtmpUrl: "rtmp://127.0.0.1:9/x", streamKey: uniqueKey("nowhere") };
  const { channelId } = await api.createChannel("obs_login", [nowhere]);
  await api.request("PUT", `/api/v2/re-stream/channels/${channelId}`, { ingestAuth: login });
  const { publishUrl, streamKey } = await api.channel(channelId);

  const obs = await ObsEncoder.start({ folder: stage.folder, publishUrl, streamKey, login });
  stage.onClose(() => obs.kill());
  const isOnAir = async () => (await api.channel(channelId)).isPublishing;
  await waitFor("OBS on air", DEADLINE_MS, async () => (await isOnAir()) || undefined);
  await obs.stopStreaming();
  await waitFor("the end", DEADLINE_MS, async () => !(await isOnAir()) || undefined);

  await obs.startStreaming({ publishUrl, streamKey, login: { ...login, password: "wrong" } });
  await obs.says("Authentication failed: wrong password");
  expect(await isOnAir()).toBe(false);
  const events = () => api.request("GET", `/api/v2/re-stream/channels/${channelId}/events`);
  await waitFor(
    "the event",
    DEADLINE_MS,
    async () => JSON.stringify(await events()).includes("AUTH_FAILED") || undefined,
  );
});
