import { afterEach, beforeEach, expect, test } from "vitest";
import { targetError } from "../../../src/thread-protocol/targets/target-errors.ts";
import { Api, CHANNELS, MANAGER, PLATFORM } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const OTHER = { accessKeyId: "OTHER000000000000001", secretKey: "other-secret-00000000000000000000000001" };

const eventsOf = async (channelId: string) => {
  const { body } = await api.get(`${CHANNELS}/${channelId}/events?pageSizeNo=100`);
  return body.content;
};
const put = (path: string, body?: unknown, key = MANAGER) => api.put(`${CHANNELS}/${path}`, body, key);
const post = (path: string, body?: unknown) => api.post(`${CHANNELS}/${path}`, body);

test("every change names its caller, also where two ask at once", async () => {
  await api.store.putAccessKey({ ...OTHER, role: "manager", name: "o", createdTime: 1 });
  const { channelId, restream } = await api.create();
  const [{ platId }] = restream;
  await post(`${channelId}/platforms`, PLATFORM);
  await Promise.all([
    put(`${channelId}/platforms/${platId}/off`),
    put(channelId, { hold: { seconds: 60 } }, OTHER),
    put(`${channelId}/off`, undefined, OTHER),
  ]);
  await api.events.written(5);
  const events: { eventCode: string; reason?: string; by: string }[] = await eventsOf(channelId);
  const byReason = Object.fromEntries(events.map(({ eventCode, reason, by }) => [reason ?? eventCode, by]));
  expect(byReason).toEqual({
    STREAM_RESERVE: MANAGER.accessKeyId,
    "target-added": MANAGER.accessKeyId,
    "target-turned-off": MANAGER.accessKeyId,
    "settings-changed": OTHER.accessKeyId,
    blocked: OTHER.accessKeyId,
  });
});

test("a rename has the former name, apart from what else is changed", async () => {
  const { channelId } = await api.create();
  await put(channelId, { channelName: "renamed_1" });
  await put(channelId, { channelName: "renamed_2", hold: { seconds: 1 } });
  await put(channelId, { channelName: "renamed_2" });
  await api.events.written(5);
  expect(await eventsOf(channelId)).toMatchObject([
    { reason: "settings-changed", description: "renamed_2 channel settings have been changed." },
    { reason: "settings-changed", description: "renamed_2 channel settings have been changed." },
    { reason: "renamed", description: "renamed_2 channel has been renamed, it was renamed_1." },
    { reason: "renamed", description: "renamed_1 channel has been renamed, it was channel001." },
    { eventCode: "STREAM_RESERVE" },
  ]);
});

test("a test of a platform is an event, with the reason where it failed", async () => {
  const { channelId, restream } = await api.create();
  const [{ platId }] = restream;
  await post(`${channelId}/platforms/${platId}/test`);
  const error = targetError("publish-refused");
  api.runtime.testResult = { isOk: false, stage: "publish", error, durationMs: 5 };
  await post(`${channelId}/platforms/${platId}/test`);
  await api.events.written(3);
  const about = { eventCode: "PLATFORM_TESTED", platId, targetName: "YOUTUBE", by: MANAGER.accessKeyId };
  expect(await eventsOf(channelId)).toMatchObject([
    {
      ...about,
      logLevel: "WARN",
      reason: "PUBLISH_REJECTED",
      description: `channel001 channel platform YOUTUBE (${platId}) has failed a test: PUBLISH_REJECTED.`,
    },
    {
      ...about,
      logLevel: "INFO",
      description: `channel001 channel platform YOUTUBE (${platId}) has passed a test.`,
    },
    { eventCode: "STREAM_RESERVE" },
  ]);
});

test("a broadcast that a person ends names that person, and a missing one is not ended", async () => {
  const { channelId } = await api.create();
  await post(`${channelId}/end`);
  api.runtime.start(channelId, 1);
  await post(`${channelId}/end`);
  await api.events.written(2);
  expect(await eventsOf(channelId)).toMatchObject([
    {
      reason: "end-requested",
      by: MANAGER.accessKeyId,
      description: "channel001 channel broadcast has been ended by a person.",
    },
    { eventCode: "STREAM_RESERVE" },
  ]);
});

test("an encoder with a wrong key is reported with its address, and never with the key", async () => {
  const refusal = {
    kind: "ingest-refused",
    time: 5,
    count: 2,
    remoteAddress: "192.0.2.9",
    reason: "unknown-key",
  } as const;
  api.events.refusedEncoders.fact({ ...refusal, time: api.clock.wallMs });
  const { body } = await api.get("/api/v2/re-stream/refused-encoders");
  expect(body.content).toEqual([
    {
      remoteAddress: "192.0.2.9",
      reason: "unknown-key",
      count: 2,
      firstTime: api.clock.wallMs,
      lastTime: api.clock.wallMs,
    },
  ]);
});
