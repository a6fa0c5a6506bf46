import { afterEach, beforeEach, expect, test } from "vitest";
import { Api, CHANNEL, CHANNELS, MANAGER } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const put = (channelId: string, labels: unknown) => api.put(`${CHANNELS}/${channelId}`, { labels });

test("labels are trimmed, composed and kept once each; an edit without them keeps them, an empty list removes them", async () => {
  const { channelId, ...created } = await api.create({
    labels: ["  Studio 2 ", "스포츠".normalize("NFD"), "STUDIO 2", "a,b"],
  });
  const labels = ["Studio 2", "스포츠", "a,b"];
  expect(created.labels).toEqual(labels);
  const renamed = await api.put(`${CHANNELS}/${channelId}`, { channelName: "other" });
  expect(renamed.body.content.labels).toEqual(labels);
  expect((await put(channelId, null)).body.content.labels).toEqual(labels);
  const { body } = await api.get(CHANNELS);
  expect(body.content[0].labels).toEqual(labels);
  const removed = await put(channelId, []);
  expect(removed.status).toBe(200);
  expect(removed.body.content).not.toHaveProperty("labels");
  expect(await api.create({ labels: [] })).not.toHaveProperty("labels");
});

test.each([
  ["only blanks", ["  "]],
  ["a control character", ["a\nb"]],
  ["31 characters", ["x".repeat(31)]],
  ["half a surrogate pair", ["\ud800"]],
  ["a number", [5]],
])("a label with %s is refused, and nothing changes", async (_, labels) => {
  const { channelId } = await api.create({ labels: ["kept"] });
  const refused = await put(channelId, labels);
  expect([refused.status, refused.body.error.errorCode]).toEqual([400, 250_002]);
  expect(refused.body.error.details).toContain("labels[0]: expected at most 10 texts of 1 to 30 characters");
  const { body } = await api.get(`${CHANNELS}/${channelId}`);
  expect(body.content.labels).toEqual(["kept"]);
  const url = CHANNELS;
  expect((await api.post(url, { ...CHANNEL, labels })).status).toBe(400);
});

test("30 characters of four bytes each are accepted as a label", async () => {
  const labels = ["\u{1f3a5}".repeat(30)];
  expect((await api.create({ labels })).labels).toEqual(labels);
});

test("changed labels are an event that names the caller, whatever else is changed", async () => {
  const { channelId } = await api.create();
  await put(channelId, ["a", "B"]);
  await put(channelId, ["A", "B"]);
  await put(channelId, []);
  await api.events.written(4);
  const { body } = await api.get(`${CHANNELS}/${channelId}/events`);
  const event = { eventCode: "STREAM_UPDATE", reason: "labels-changed", by: MANAGER.accessKeyId };
  expect(body.content).toMatchObject([
    { ...event, description: "channel001 channel has no labels any more." },
    { ...event, description: "channel001 channel has other labels: A, B." },
    { ...event, description: "channel001 channel has other labels: a, B." },
    { eventCode: "STREAM_RESERVE" },
  ]);
});
