import { expect, test } from "vitest";
import { z } from "zod";
import type { ApiClient, Channel } from "../../support/dashboard/api-client.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { type Clip, makeClip } from "../../support/streams/clip.ts";
import { packetHashes } from "../../support/streams/packet-hashes.ts";
import { expectProperStart, expectSentPackets } from "../../support/streams/recorded-stream.ts";
import type { NginxTarget } from "../../support/targets/nginx-target.ts";

/** How long a platform may take to be PUBLISHING after a request, and to have begun: a keyframe comes every 2 s. */
const JOIN_DEADLINE_MS = 8_000;
/**
 * Video and audio frames of two seconds. nginx names recordings by the second: there is at most one of a key in a
 * second.
 */
const TAGS_OF_TWO_SECONDS = 144;

const platformsOf = ({ channelId }: Channel): string => `/api/v2/re-stream/channels/${channelId}/platforms`;

/** The frames of a recording are an unbroken run of what was sent, from the configuration and a keyframe on. */
async function expectUnbrokenRun(target: NginxTarget, key: string, clip: Clip, index = 0): Promise<void> {
  const recording = (await target.recordings(key))[index];
  if (recording === undefined) throw new Error(`no recording ${index} of ${key}`);
  expectProperStart(recording.tags);
  const [sent, got] = await Promise.all([packetHashes(clip.path), packetHashes(recording.path)]);
  for (const kind of ["video", "audio"] as const) {
    const first = sent[kind].indexOf(got[kind][0] ?? "");
    expect(first, kind).toBeGreaterThanOrEqual(0);
    expect(got[kind]).toEqual(sent[kind].slice(first, first + got[kind].length));
  }
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof Error ? error.message : "";
}

test.concurrent("platforms are added, edited, switched off and on, and removed on air, and no other one is affected", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const clip = await makeClip({ seconds: 30 });
  const [sibling, edited, switched, added] = [
    await stage.nginx(),
    await stage.nginx(),
    await stage.nginx(),
    await stage.nginx(),
  ];
  const { api } = await sharedServer(stage);
  const keys = {
    sibling: uniqueKey("sibling"),
    edited: uniqueKey("edited"),
    moved: uniqueKey("moved"),
    switched: uniqueKey("switched"),
    added: uniqueKey("added"),
  };
  const channel = await api.createChannel("edits_on_air", [
    { rtmpUrl: sibling.url, streamKey: keys.sibling },
    { rtmpUrl: edited.url, streamKey: keys.edited },
    { rtmpUrl: switched.url, streamKey: keys.switched },
  ]);
  const platforms = await api.platforms(channel.channelId);
  const [, editedId, switchedId] = platforms.map(({ platId }) => platId);
  const watch = stage.watch(api, channel);
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  for (const index of [0, 1, 2]) {
    await watch.until(index, ({ connectStatus }) => connectStatus === "PUBLISHING", JOIN_DEADLINE_MS);
  }
  const hasBegun = (target: NginxTarget, key: string, index = 0) =>
    target.waitForRecording(key, (tags) => tags.length > TAGS_OF_TWO_SECONDS, JOIN_DEADLINE_MS, index);
  await hasBegun(sibling, keys.sibling);
  await hasBegun(edited, keys.edited);
  await hasBegun(switched, keys.switched);

  stage.keepSecret(keys.added);
  const addition = { targetName: "CUSTOM", rtmpUrl: added.url, streamKey: keys.added };
  const { platId: addedId } = z
    .object({ platId: z.int() })
    .parse(await api.request("POST", platformsOf(channel), addition));
  await watch.until(3, ({ connectStatus }) => connectStatus === "PUBLISHING", JOIN_DEADLINE_MS);
  await hasBegun(added, keys.added);

  stage.keepSecret(keys.moved);
  const move = { rtmpUrl: edited.url, streamKey: keys.moved };
  expect(await refusal(api.request("PUT", `${platformsOf(channel)}/${editedId}`, move))).toContain("250005");
  await api.request("PUT", `${platformsOf(channel)}/${editedId}?onAir=true`, move);
  await hasBegun(edited, keys.moved);

  const off = await api.request("PUT", `${platformsOf(channel)}/${switchedId}/off`);
  expect(off).toMatchObject({ enabled: false, connectStatus: "READY", bytesPerSecond: 0 });
  // nginx refuses a key that is still being published: it accepts it again because it was ended properly.
  const on = await api.request("PUT", `${platformsOf(channel)}/${switchedId}/on`);
  expect(on).toMatchObject({ enabled: true, connectStatus: expect.stringMatching(/^(CONNECTING|PUBLISHING)$/) });
  await watch.until(2, ({ connectStatus }) => connectStatus === "PUBLISHING", JOIN_DEADLINE_MS);
  await hasBegun(switched, keys.switched, 1);

  const removed = await api.request("DELETE", `${platformsOf(channel)}/${addedId}`);
  expect(removed).toMatchObject({ platId: addedId, connectStatus: "READY" });
  expect((await api.platforms(channel.channelId)).map(({ platId }) => platId)).toEqual(
    platforms.map(({ platId }) => platId),
  );

  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  await expectSentPackets(sibling, keys.sibling, clip.path);
  expect(await sibling.recordings(keys.sibling)).toHaveLength(1);
  await expectUnbrokenRun(edited, keys.edited, clip);
  expect((await expectSentPackets(edited, keys.moved, clip.path)).framesSkipped).toBeGreaterThan(0);
  await expectUnbrokenRun(switched, keys.switched, clip);
  expect((await expectSentPackets(switched, keys.switched, clip.path, 1)).framesSkipped).toBeGreaterThan(0);
  await expectUnbrokenRun(added, keys.added, clip);

  const statuses = watch.statuses(0).filter((status) => status !== "READY" && status !== "CONNECTING");
  expect(statuses).toEqual(["PUBLISHING"]);
  for (const index of [0, 1, 2]) expect(watch.errorCodes(index)).toEqual([]);
  expect(watch.latest(0)?.totalRetryCount).toBe(0);
});

async function isRefused(stage: Stage, clip: Clip, channel: Channel): Promise<boolean> {
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  return (await encoder.exited).code !== 0;
}

async function act(api: ApiClient, channel: Channel, method: string, action: string): Promise<unknown> {
  return await api.request(method, `/api/v2/re-stream/channels/${channel.channelId}/${action}`);
}

test.concurrent("a channel is blocked, ended and given another key on air, and platforms are tested without media", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const clip = await makeClip({ seconds: 6 });
  const nginx = await stage.nginx();
  const { api } = await sharedServer(stage);
  const key = uniqueKey("blocked");
  const channel = await api.createChannel("blocked", [
    { rtmpUrl: nginx.url, streamKey: key },
    { rtmpUrl: `rtmp://127.0.0.1:${await freePort()}/live`, streamKey: uniqueKey("nobody") },
  ]);
  const [{ platId } = { platId: 0 }, { platId: closedId } = { platId: 0 }] = await api.platforms(channel.channelId);
  const tried = (id: number) => api.request("POST", `${platformsOf(channel)}/${id}/test`);
  expect(await tried(platId)).toEqual({ ok: true, stage: "publish", milliseconds: expect.any(Number) });
  expect(await tried(closedId)).toMatchObject({ ok: false, stage: "connect", lastError: { code: "TCP_REFUSED" } });
  // nginx writes a recording for every publish; the recording of a test is empty.
  expect((await nginx.recordings(key)).flatMap(({ tags }) => tags)).toEqual([]);

  const watch = stage.watch(api, channel);
  const publish = async () => {
    // The last broadcast has to be over, or it would count as the next one.
    await watch.until(0, ({ connectStatus }) => connectStatus === "READY", JOIN_DEADLINE_MS);
    const encoder = await stage.ffmpeg(clip, publishUrl(channel), { loops: true });
    await watch.until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", JOIN_DEADLINE_MS);
    return encoder;
  };
  const blocked = await publish();
  expect(await refusal(tried(platId))).toContain("250005");
  const off = await act(api, channel, "PUT", "off");
  expect(off).toMatchObject({ channelStatus: "BLOCK", isPublishing: false });
  expect((await blocked.exited).signal).toBeNull();
  expect(await isRefused(stage, clip, channel)).toBe(true);
  expect(await act(api, channel, "PUT", "on")).toMatchObject({ channelStatus: "READY" });

  const ended = await publish();
  expect(await act(api, channel, "POST", "end")).toMatchObject({ channelStatus: "READY", isPublishing: false });
  expect((await ended.exited).signal).toBeNull();

  const cut = await publish();
  const { streamKey } = z.object({ streamKey: z.string() }).parse(await act(api, channel, "POST", "stream-key"));
  stage.keepSecret(streamKey);
  expect((await cut.exited).signal).toBeNull();
  expect(await isRefused(stage, clip, channel)).toBe(true);
  // The broadcast is held meanwhile, and an encoder with the new key goes on with it.
  const held = await api.channel(channel.channelId);
  expect(held).toMatchObject({ isPublishing: true, channelStatus: "PUBLISHING" });
  const renewed = await stage.ffmpeg(clip, publishUrl({ ...channel, streamKey }));
  expect(await renewed.exited, renewed.stderr()).toEqual({ code: 0, signal: null });
  await watch.until(0, ({ connectStatus }) => connectStatus === "READY", JOIN_DEADLINE_MS);
  // Three broadcasts: blocked, ended, and the one that was held.
  const platformStatuses = watch.statuses(0).filter((status) => status !== "CONNECTING");
  expect(platformStatuses).toEqual(["READY", "PUBLISHING", "READY", "PUBLISHING", "READY", "PUBLISHING", "READY"]);
  const over = await api.channel(channel.channelId);
  expect(over["recentPublishStartTime"]).toBe(held["recentPublishStartTime"]);
});
