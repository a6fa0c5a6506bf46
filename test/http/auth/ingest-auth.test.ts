import { afterEach, beforeEach, expect, test } from "vitest";
import { Api, CHANNEL, CHANNELS, service, VIEWER } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const PUBLISH_URL = "rtmp://live.example.com:1935/relay";
const LOGIN = { id: "alice", password: "s3cr3t!" };
const MASKED = { id: "alice", password: "s******" };
const FOR_VIEWERS = { id: "a****", password: "s******" };

const put = (channelId: string, ingestAuth: unknown) => api.put(`${CHANNELS}/${channelId}`, { ingestAuth });
const read = (channelId: string) => api.channel(channelId, VIEWER);
const admits = async (streamKey: string, login?: typeof LOGIN) => {
  const admitted = await api.admission.admit(streamKey, login);
  return admitted !== undefined && admitted.refusedFor === undefined;
};

test("without one no answer mentions it, and a login opens nothing", async () => {
  const channel = await api.create();
  expect(channel).not.toHaveProperty("ingestAuth");
  expect(channel.publishUrl).toBe(PUBLISH_URL);
  expect(await admits(channel.streamKey)).toBe(true);
  expect(await admits(channel.streamKey, LOGIN)).toBe(false);
});

test("on create it is accepted and shown masked, and the address says that it is needed", async () => {
  const channel = await api.create({ ingestAuth: LOGIN });
  expect(channel).toMatchObject({ ingestAuth: MASKED, publishUrl: `${PUBLISH_URL}/login` });
  expect(await read(channel.channelId)).toMatchObject({
    ingestAuth: FOR_VIEWERS,
    globalPublishUrl: `${PUBLISH_URL}/login`,
  });
  expect(await api.admission.findIngestUser("alice")).toEqual({
    channelId: channel.channelId,
    password: LOGIN.password,
  });
  expect(await api.admission.findIngestUser("Alice")).toBeUndefined();
});

test("the key alone, another password and another channel's login open nothing", async () => {
  const { streamKey } = await api.create({ ingestAuth: LOGIN, backup: { enabled: true } });
  const other = await api.create({ ingestAuth: { id: "bob", password: "x" } });
  expect(await admits(streamKey)).toBe(false);
  expect(await admits(streamKey, { ...LOGIN, password: "wrong" })).toBe(false);
  expect(await admits(other.streamKey, LOGIN)).toBe(false);
  expect(await admits(streamKey, LOGIN)).toBe(true);
});

test("a change keeps what it does not name, the mask keeps the password, an empty id ends it", async () => {
  const { channelId, streamKey } = await api.create({ ingestAuth: LOGIN });
  for (const kept of [undefined, null, {}, { password: null }, MASKED, { id: "alice" }]) {
    expect((await put(channelId, kept)).status).toBe(200);
    expect(await admits(streamKey, LOGIN)).toBe(true);
  }
  await put(channelId, { password: "other" });
  expect(await admits(streamKey, LOGIN)).toBe(false);
  expect(await admits(streamKey, { id: "alice", password: "other" })).toBe(true);
  await put(channelId, { id: "한글" });
  expect(await admits(streamKey, { id: "한글", password: "other" })).toBe(true);
  expect(await api.admission.findIngestUser("alice")).toBeUndefined();
  const ended = await put(channelId, { id: "" });
  expect(ended.body.content).not.toHaveProperty("ingestAuth");
  expect(ended.body.content.publishUrl).toBe(PUBLISH_URL);
  expect(await admits(streamKey)).toBe(true);
  expect(await api.admission.findIngestUser("한글")).toBeUndefined();
});

test("the mask of another password, and of none, is refused, also on create", async () => {
  const whole = (field: string) => ({
    error: { errorCode: 250_002, details: `${field}: expected the text in full, not with asterisks.` },
  });
  const { channelId, streamKey } = await api.create({ ingestAuth: LOGIN });
  for (const password of ["s*******", "x******", "*******"]) {
    expect((await put(channelId, { password })).body).toMatchObject(whole("ingestAuth.password"));
  }
  expect(await admits(streamKey, LOGIN)).toBe(true);
  const bare = await api.create();
  expect((await put(bare.channelId, MASKED)).body).toMatchObject(whole("ingestAuth.password"));
  expect(await read(bare.channelId)).not.toHaveProperty("ingestAuth");
  const created = await api.post(CHANNELS, { ...CHANNEL, ingestAuth: { ...MASKED, id: "carol" } });
  expect(created.body).toMatchObject(whole("ingestAuth.password"));
  // What a viewer sees of the name.
  expect((await put(channelId, FOR_VIEWERS)).body).toMatchObject(whole("ingestAuth.id"));
});

test("a name belongs to one channel, until that gives it up or is deleted", async () => {
  const first = await api.create({ ingestAuth: LOGIN });
  const second = await api.create();
  const taken = service(250005, "NOT_AVAILABLE", "ingestAuth.id not available.");
  const refused = await put(second.channelId, LOGIN);
  expect([refused.status, refused.body]).toMatchObject([409, taken]);
  expect(await read(second.channelId)).not.toHaveProperty("ingestAuth");
  await api.delete(`${CHANNELS}/${first.channelId}`);
  expect(await api.admission.findIngestUser("alice")).toBeUndefined();
  expect((await put(second.channelId, LOGIN)).status).toBe(200);
});

test("a name without a password, and a password without a name, are refused with the missing field", async () => {
  const { channelId } = await api.create();
  for (const [given, missing] of [
    [{ id: "alice" }, "ingestAuth.password"],
    [{ id: "alice", password: "" }, "ingestAuth.password"],
    [{ password: "x" }, "ingestAuth.id"],
  ] as const) {
    const answer = await put(channelId, given);
    expect([answer.status, answer.body]).toMatchObject([
      400,
      service(250011, "NEED_VALUE", `${missing} must has a valid value`),
    ]);
  }
});

test.each(["two words", "a&b", "a?b", "a=b", "a/b", "a:b", "a@b", "a#b", "a\tb"])(
  "a name like %j is refused because it could not be sent",
  async (id) => {
    const { channelId } = await api.create();
    const answer = await put(channelId, { id, password: "x" });
    expect(answer.body).toMatchObject(service(250002, "INVALID_FORMAT", "ingestAuth.id: invalid value."));
  },
);

test("a blocked channel's user is unknown", async () => {
  const { channelId } = await api.create({ ingestAuth: LOGIN });
  await api.put(`${CHANNELS}/${channelId}/off`);
  expect(await api.admission.findIngestUser("alice")).toBeUndefined();
});
