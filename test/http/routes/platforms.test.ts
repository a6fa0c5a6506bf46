import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TargetStatus } from "../../../src/thread-protocol/targets/target-status.ts";
import { slowTarget } from "../../../src/thread-protocol/targets/target-warnings.ts";
import { Api, CHANNELS, PLATFORM } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

async function platforms(channelId: string) {
  const { status, body } = await api.get(`${CHANNELS}/${channelId}/platforms`);
  expect(status).toBe(200);
  expect(Object.keys(body)).toEqual(["content"]);
  return body.content;
}

test("a platform that was never tried is READY, with every counter at 0", async () => {
  const { channelId } = await api.create();
  expect(await platforms(channelId)).toEqual([
    {
      ...PLATFORM,
      platId: 1,
      enabled: true,
      bufferPolicy: "drop",
      connectStatus: "READY",
      bytesPerSecond: 0,
      bytesTotalTrans: 0,
      totalBytesPerSecond: 0,
      totalPlaySecond: 0,
      totalRetryCount: 0,
    },
  ]);
});

test("the channel in an answer has every published key with the published type and value", async () => {
  const published = JSON.parse(readFileSync(new URL("../../fixtures/platform-list.json", import.meta.url), "utf8"));
  const [youtube, twitch] = published.content;
  // The example's second address is the word "string", which is no address.
  const { channelId, restream } = await api.create({
    restream: [youtube, { ...twitch, rtmpUrl: "rtmp://string" }],
  });
  api.runtime.start(channelId, 1);
  api.runtime.status(channelId, restream[0].platId, { status: "CONNECTING", sinceTime: 2 });
  api.runtime.status(channelId, restream[1].platId, { status: "FAIL", sinceTime: 3 });
  const content = await platforms(channelId);
  const { platId: _first, ...youtubeRest } = youtube;
  const { platId: _second, ...twitchRest } = twitch;
  expect(content[0]).toMatchObject(youtubeRest);
  expect(content[1]).toMatchObject({ ...twitchRest, rtmpUrl: "rtmp://string", password: "s*****" });
  for (const [index, example] of [youtube, twitch].entries()) {
    for (const [key, value] of Object.entries(example)) expect(typeof content[index][key], key).toBe(typeof value);
  }
  expect(Object.keys(content[0])).not.toContain("id");
  expect(Object.keys(content[0])).not.toContain("password");
});

test("live status and counters are shown, rates as whole bytes, durations as whole seconds", async () => {
  const { channelId } = await api.create();
  const lastError = {
    code: "TCP_REFUSED",
    severity: "transient",
    message: "The platform refused the connection: check host and port.",
    messageKo: "플랫폼이 연결을 거부했습니다. 호스트와 포트를 확인해 주세요.",
    time: 1_700_000_003_000,
  } as const;
  const failing: TargetStatus = {
    status: "FAIL",
    sinceTime: 1_700_000_003_000,
    lastError,
    retryAttempt: 2,
    nextRetryTime: 1_700_000_005_000,
  };
  api.runtime.start(channelId, 1_700_000_000_000);
  api.runtime.status(channelId, 1, failing);
  const counters = { bytesPerSecond: 187_500, bytesTotal: 900_000, playMs: 4_999, retryCount: 3 };
  const drops = { overTime: 4, overBytes: 1, untilKeyframe: 2 };
  api.runtime.sample(channelId, 1, {
    ...counters,
    droppedFrames: 7,
    drops,
    queueMs: 120.4,
    unackedBytes: 2_500,
    ackedBytes: 4_000,
    isUnstable: true,
  });
  expect(await platforms(channelId)).toEqual([
    {
      ...PLATFORM,
      platId: 1,
      enabled: true,
      bufferPolicy: "drop",
      connectStatus: "FAIL",
      connectStatusTime: 1_700_000_003_000,
      bytesPerSecond: 187_500,
      bytesTotalTrans: 900_000,
      totalBytesPerSecond: 900_000,
      totalPlaySecond: 4,
      totalRetryCount: 3,
      droppedFrames: 7,
      droppedFramesByCause: drops,
      queueMilliseconds: 120,
      unackedBytes: 2_500,
      bytesAcknowledged: 4_000,
      stability: "unstable",
      lastError,
      retryAttempt: 2,
      nextRetryTime: 1_700_000_005_000,
      onAirSeconds: 4,
    },
  ]);
});

test("a platform that is PUBLISHING shows its warnings", async () => {
  const { channelId } = await api.create();
  const warning = slowTarget(31_250, 59_500);
  api.runtime.start(channelId, 1);
  api.runtime.status(channelId, 1, { status: "PUBLISHING", sinceTime: 2, warning });
  api.runtime.sample(channelId, 1, {});
  const [platform] = await platforms(channelId);
  expect(platform).toMatchObject({ connectStatus: "PUBLISHING", stability: "stable", warning });
  expect(warning).toEqual({
    code: "SLOW",
    message: expect.stringContaining("accepts only 250 of 476 kbit/s"),
    messageKo: expect.stringContaining("476 kbit/s 가운데 250 kbit/s"),
  });
});

test("once the broadcast is over nothing flows, and the totals stay", async () => {
  const { channelId } = await api.create();
  api.runtime.start(channelId, 1);
  api.runtime.status(channelId, 1, { status: "PUBLISHING", sinceTime: 2 });
  api.runtime.sample(channelId, 1, { bytesPerSecond: 500, bytesTotal: 600, playMs: 7_000, queueMs: 5 });
  api.runtime.status(channelId, 1, { status: "READY", sinceTime: 9 });
  api.runtime.leave(channelId, 9);
  const [platform] = await platforms(channelId);
  expect(platform).toMatchObject({
    connectStatus: "READY",
    connectStatusTime: 9,
    bytesPerSecond: 0,
    bytesTotalTrans: 600,
    totalPlaySecond: 7,
  });
  expect(platform).not.toHaveProperty("queueMilliseconds");
});

test("platforms of two channels never mix", async () => {
  const first = await api.create();
  const second = await api.create();
  api.runtime.start(first.channelId, 1);
  api.runtime.status(first.channelId, first.restream[0].platId, { status: "PUBLISHING", sinceTime: 2 });
  expect(await platforms(first.channelId)).toMatchObject([{ platId: 1, connectStatus: "PUBLISHING" }]);
  expect(await platforms(second.channelId)).toMatchObject([{ platId: 2, connectStatus: "READY" }]);
});

const LOGIN = { id: "user", password: "hunter2" };

async function edit(channelId: string, body: object, query = "") {
  return api.put(`${CHANNELS}/${channelId}/platforms/1${query}`, body);
}

test("an edit returns the platform's settings, and the channel has them from then on", async () => {
  const { channelId } = await api.create({ restream: [{ ...PLATFORM, ...LOGIN }, PLATFORM] });
  const answer = await edit(channelId, {
    rtmpUrl: "rtmps://new.example.com/app",
    streamKey: "new-key",
    streamId: "me",
    streamPassword: "secret",
    targetName: "TWITCH",
  });
  expect(answer.status).toBe(200);
  const edited = {
    platId: 1,
    targetName: "YOUTUBE",
    rtmpUrl: "rtmps://new.example.com/app",
    streamKey: "new-key",
    id: "me",
    password: "s*****",
    enabled: true,
    bufferPolicy: "drop",
  };
  expect(answer.body).toEqual({ content: edited });
  const { body } = await api.get(`${CHANNELS}/${channelId}`);
  expect(body.content.restream).toEqual([edited, { ...PLATFORM, platId: 2, enabled: true, bufferPolicy: "drop" }]);
  expect(api.runtime.applied).toMatchObject([{ channelId, revision: 2, targets: [{ streamKey: "new-key" }, {}] }]);
});

test.each([
  ["absent", {}, "user", "hunter2"],
  ["null", { streamId: null, streamPassword: null }, "user", "hunter2"],
  ["the mask of the present password", { streamPassword: "h******" }, "user", "hunter2"],
  ["like a mask", { streamPassword: "h*****x" }, "user", "h*****x"],
  ["empty", { streamId: "", streamPassword: "" }, undefined, undefined],
  ["new", { streamId: "you", streamPassword: "other" }, "you", "other"],
  ["new under the names of the create body", { id: "you", password: "other" }, "you", "other"],
])("login that is %s in an edit leaves the right one", async (_name, change, loginId, loginPassword) => {
  const { channelId } = await api.create({ restream: [{ ...PLATFORM, ...LOGIN }] });
  expect((await edit(channelId, { rtmpUrl: PLATFORM.rtmpUrl, streamKey: "k", ...change })).status).toBe(200);
  const target = (await api.store.findChannel(channelId))?.targets[0];
  expect([target?.loginId, target?.loginPassword]).toEqual([loginId, loginPassword]);
});

test("an answer that is sent elsewhere stores no mask as a password, and sent back keeps the password", async () => {
  const { channelId, restream } = await api.create({ restream: [{ ...PLATFORM, ...LOGIN }, PLATFORM] });
  const [shown, other] = restream;
  const refused = async (
    answer: Promise<{ status: number; body: { error?: { errorCode: number; details: string } } }>,
  ) => {
    const { status, body } = await answer;
    return [status, body.error?.errorCode, body.error?.details];
  };
  const whole = (field: string) => [400, 250_002, `${field}: expected the text in full, not with asterisks.`];
  const platforms = `${CHANNELS}/${channelId}/platforms`;
  expect(await refused(api.post(platforms, shown))).toEqual(whole("password"));
  const copy = { channelName: "copy", planType: "STANDARD", restream: [other, shown] };
  expect(await refused(api.post(CHANNELS, copy))).toEqual(whole("restream[1].password"));
  expect(await refused(api.put(`${platforms}/${other?.platId}`, shown))).toEqual(whole("password"));
  expect(await refused(edit(channelId, { ...shown, streamPassword: "u******" }))).toEqual(whole("streamPassword"));
  expect((await edit(channelId, shown ?? {})).status).toBe(200);
  const targets = (await api.store.findChannel(channelId))?.targets;
  expect(targets?.map(({ loginPassword }) => loginPassword)).toEqual(["hunter2", undefined]);
});

test("an edit may switch a platform off and name it", async () => {
  const { channelId } = await api.create();
  const { rtmpUrl, streamKey } = PLATFORM;
  const named = await edit(channelId, {
    rtmpUrl,
    streamKey,
    enabled: false,
    label: "Backup",
    bufferPolicy: "disconnect",
  });
  expect(named.body.content).toMatchObject({ enabled: false, label: "Backup", bufferPolicy: "disconnect" });
  const kept = await edit(channelId, { rtmpUrl, streamKey });
  expect(kept.body.content).toMatchObject({ enabled: false, label: "Backup", bufferPolicy: "disconnect" });
  const cleared = await edit(channelId, { rtmpUrl, streamKey, label: "" });
  expect(cleared.body.content).not.toHaveProperty("label");
});

test("an edit on air is refused unless onAir says otherwise", async () => {
  const { channelId } = await api.create();
  api.runtime.start(channelId, 1);
  const body = { rtmpUrl: "rtmp://new/app", streamKey: "new" };
  for (const query of ["", "?onAir=false"]) {
    const refused = await edit(channelId, body, query);
    expect(refused.status).toBe(409);
    expect(refused.body.error).toMatchObject({ errorCode: 250005, message: "Channel not available." });
  }
  expect(api.runtime.applied).toEqual([]);
  expect((await edit(channelId, body, "?onAir=true")).status).toBe(200);
  expect(api.runtime.applied).toMatchObject([{ channelId, revision: 2, targets: [{ url: "rtmp://new/app" }] }]);
});

test("two edits at once both happen", async () => {
  const { channelId } = await api.create({ restream: [PLATFORM, PLATFORM] });
  const put = (platId: number) =>
    api.put(`${CHANNELS}/${channelId}/platforms/${platId}`, {
      rtmpUrl: `rtmp://host${platId}/app`,
      streamKey: `key${platId}`,
    });
  const answers = await Promise.all([put(1), put(2)]);
  expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
  expect((await platforms(channelId)).map((each: { streamKey: string }) => each.streamKey)).toEqual(["key1", "key2"]);
  expect(new Set(api.runtime.applied.map((spec) => spec.revision))).toEqual(new Set([2, 3]));
});
