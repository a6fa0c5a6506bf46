import { afterEach, beforeEach, expect, test } from "vitest";
import { Api, CHANNELS, MANAGER, PLATFORM, service, VIEWER } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const post = (channelId: string, ...rest: [body?: unknown, key?: typeof VIEWER]) =>
  api.post(`${CHANNELS}/${channelId}/test-pattern`, ...rest);
const remove = (channelId: string) => api.delete(`${CHANNELS}/${channelId}/test-pattern`);
const refusal = (what: string) => service(250005, "NOT_AVAILABLE", `${what} not available.`);

test("the pattern runs for five minutes by default, and the channel shows its end", async () => {
  const { channelId } = await api.create();
  const { status, body } = await post(channelId);
  expect(status).toBe(200);
  const [[spec, forMs] = []] = api.runtime.testPatterns;
  expect([spec?.channelId, forMs]).toEqual([channelId, 300_000]);
  const endTime = api.clock.wallNow() + 300_000;
  expect(body.content).toMatchObject({ isPublishing: true, ingest: { testPattern: { endTime } } });
});

test("DELETE stops it, and then there is none to stop", async () => {
  const { channelId } = await api.create();
  await post(channelId, { durationSeconds: 10 });
  expect(api.runtime.testPatterns.map(([, forMs]) => forMs)).toEqual([10_000]);
  const { status, body } = await remove(channelId);
  expect([status, body.content.isPublishing]).toEqual([200, false]);
  const again = await remove(channelId);
  expect(again.status).toBe(409);
  expect(again.body).toMatchObject(refusal("Test pattern"));
});

test("it goes to the chosen platforms alone, and a platform of another channel is not found", async () => {
  const { channelId } = await api.create({ restream: [PLATFORM, { ...PLATFORM, targetName: "TWITCH" }] });
  const stranger = (await api.create()).restream[0].platId;
  const unknown = await post(channelId, { platIds: [1, stranger] });
  expect([unknown.status, unknown.body]).toMatchObject([404, service(250004, "NOT_FOUND", "Platform not found.")]);
  expect(api.runtime.testPatterns).toEqual([]);
  expect((await post(channelId, { platIds: [2] })).status).toBe(200);
  expect(api.runtime.testPatterns.map(([, , targetIds]) => targetIds)).toEqual([[2]]);
});

test.each([9, 3_601, 10.5, "60"])("of %j seconds is refused", async (seconds) => {
  const { channelId } = await api.create();
  const { status, body } = await post(channelId, { durationSeconds: seconds });
  expect(status).toBe(400);
  expect(body).toMatchObject(service(250002, "INVALID_FORMAT", "durationSeconds: invalid value."));
  expect(api.runtime.testPatterns).toEqual([]);
});

test("an encoder on air, a running pattern and a channel that is off refuse a pattern, with their reason", async () => {
  const { channelId } = await api.create();
  await post(channelId);
  expect((await post(channelId)).body.error.details).toBe("The channel's test pattern is on air already.");
  await remove(channelId);
  api.runtime.start(channelId, 1);
  api.view.fact({ kind: "publisher-active", time: 1, channelId, ingestId: 1, slot: "main", heldMs: 0 });
  const { status, body } = await post(channelId);
  expect([status, body.error.details]).toEqual([
    409,
    "An encoder is on air, or the platforms are held for it: the test pattern would interrupt the broadcast.",
  ]);
  expect((await remove(channelId)).body.error.details).toBe("No test pattern of this channel is on air.");
  api.runtime.leave(channelId, 2);
  await api.put(`${CHANNELS}/${channelId}/off`);
  expect((await post(channelId)).body.error.details).toBe("The channel is turned off: turn it on first.");
});

test("an encoder that was faster, and an overloaded server, refuse a pattern with their own reason", async () => {
  const { channelId } = await api.create();
  api.runtime.testPatternResult = "on-air";
  expect((await post(channelId)).body).toMatchObject(refusal("Test pattern"));
  api.runtime.testPatternResult = "overloaded";
  expect((await post(channelId)).body).toMatchObject(refusal("Server"));
});

test("a server sends four patterns at a time, and a fifth waits for one to end", async () => {
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1) ids.push((await api.create()).channelId);
  const [first = "", , , , fifth = ""] = ids;
  for (const channelId of ids.slice(0, 4)) expect((await post(channelId)).status).toBe(200);
  expect((await post(fifth)).body.error.details).toContain("Four test patterns are on air");
  await remove(first);
  expect((await post(fifth)).status).toBe(200);
});

test("a viewer may send none, and a wrong value is reported before a missing channel", async () => {
  const { channelId } = await api.create();
  expect((await post(channelId, {}, VIEWER)).status).toBe(401);
  expect((await post("ls-20260101000000-00000", { durationSeconds: 1 })).status).toBe(404);
});

test("start and stop are events that name the caller", async () => {
  const { channelId } = await api.create();
  await post(channelId);
  await remove(channelId);
  await api.events.written(3);
  const { body } = await api.get(`${CHANNELS}/${channelId}/events`);
  const by = MANAGER.accessKeyId;
  expect(body.content.slice(0, 2)).toMatchObject([
    { eventCode: "STREAM_UPDATE", reason: "test-pattern-stopped", by },
    { eventCode: "STREAM_UPDATE", reason: "test-pattern-started", by },
  ]);
});
