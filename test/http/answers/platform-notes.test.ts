import { afterEach, beforeEach, expect, test } from "vitest";
import { targetError } from "../../../src/thread-protocol/targets/target-errors.ts";
import { Api, CHANNEL, CHANNELS, PLATFORM } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const PASTED = {
  ...PLATFORM,
  rtmpUrl: `\u00a0${PLATFORM.rtmpUrl}\u200b`,
  streamKey: `\ufeff${PLATFORM.rtmpUrl}/mp4:abcd%2Fefgh?a=%2F `,
};
const TIDY = { rtmpUrl: PLATFORM.rtmpUrl, streamKey: "abcd/efgh?a=%2F" };
const NOTES = [
  { field: "rtmpUrl", code: "INVISIBLE_REMOVED" },
  { field: "streamKey", code: "INVISIBLE_REMOVED" },
  { field: "streamKey", code: "ADDRESS_REMOVED" },
  { field: "streamKey", code: "PREFIX_REMOVED" },
  { field: "streamKey", code: "SLASHES_REMOVED" },
];
const sentences = { message: expect.stringMatching(/^[A-Z].*\.$/), messageKo: expect.stringMatching(/[가-힣].*\.$/) };
const notes = NOTES.map((note) => ({ ...note, ...sentences }));

const content: Api["content"] = (...of) => api.content(...of);

test("text that was pasted along with an address and a key is removed and reported, once, by each call that sets them", async () => {
  const made = await content("POST", CHANNELS, { ...CHANNEL, restream: [PLATFORM, PASTED] });
  expect(made.restream[0]).not.toHaveProperty("notes");
  expect(made.restream[1]).toMatchObject({ ...TIDY, notes });
  const url = `${CHANNELS}/${made.channelId}/platforms`;
  const { rtmpUrl, streamKey } = PASTED;
  expect(await content("PUT", `${url}/1`, { rtmpUrl, streamKey: streamKey.replace("abcd", "other") })).toMatchObject({
    streamKey: "other/efgh?a=%2F",
    notes,
  });
  expect(await content("POST", url, { ...PASTED, streamKey: " third" })).toMatchObject({
    streamKey: "third",
    notes: [notes[0], notes[1]],
  });
  for (const platform of await content("GET", url)) expect(platform).not.toHaveProperty("notes");
});

test("a key that is too long only because of its address is accepted", async () => {
  const server = `rtmp://h/${"a".repeat(600)}`;
  const { channelId } = await api.create();
  const url = `${CHANNELS}/${channelId}/platforms`;
  expect(await content("POST", url, { ...PLATFORM, rtmpUrl: server, streamKey: `${server}/k` })).toMatchObject({
    streamKey: "k",
  });
});

test("a second platform with the same address and key gives a warning when it is added, and when one becomes it", async () => {
  const twin = { ...PLATFORM, targetName: "CUSTOM", rtmpUrl: "RTMP://A.RTMP.youtube.com:1935/live2/" };
  const note = (platId: number, name: string) => ({
    field: "streamKey",
    code: "SAME_KEY",
    platId,
    message: expect.stringContaining(name),
    messageKo: expect.stringContaining(name),
  });
  const made = await content("POST", CHANNELS, {
    ...CHANNEL,
    planType: "UNLIMITED",
    restream: [{ ...PLATFORM, label: "메인" }, twin],
  });
  expect(made.restream.map(({ notes }: { notes: unknown }) => notes)).toEqual([
    [note(2, "CUSTOM #2")],
    [note(1, "메인")],
  ]);
  const url = `${CHANNELS}/${made.channelId}/platforms`;
  expect((await content("POST", url, { ...twin, streamKey: "another" })).notes).toBe(undefined);
  expect((await content("POST", url, { ...twin, rtmpUrl: "rtmp://a.rtmp.youtube.com:1936/live2" })).notes).toBe(
    undefined,
  );
  const { rtmpUrl, streamKey } = PLATFORM;
  expect((await content("PUT", `${url}/3`, { rtmpUrl, streamKey })).notes).toEqual([note(1, "메인")]);
});

test.each([
  ["key-in-use", "key-used-by-twin"],
  ["key-lingers", "key-used-by-twin"],
  ["publish-refused", "refused-beside-twin"],
  ["closed-on-air", "closed-beside-twin"],
] as const)("a platform that fails with %s beside one with the same key names that one", async (own, reason) => {
  const { channelId } = await api.create({ restream: [{ ...PLATFORM, label: "메인" }, PLATFORM] });
  const url = `${CHANNELS}/${channelId}/platforms`;
  const lastError = { ...targetError(own), time: 4 };
  api.runtime.start(channelId, 1);
  api.runtime.status(channelId, 2, { status: "FAIL", sinceTime: 3, lastError });
  const { message, messageKo } = targetError(reason, "메인");
  expect((await content("GET", url))[1].lastError).toEqual({ ...lastError, message, messageKo });
  // One that is switched off uses no key.
  await content("PUT", `${url}/1/off`);
  expect((await content("GET", url))[1].lastError).toEqual(lastError);
});

test("a platform is not tested while one with the same address and key is connected", async () => {
  const { channelId } = await api.create({ restream: [PLATFORM, PLATFORM] });
  const test = () => api.post(`${CHANNELS}/${channelId}/platforms/2/test`);
  api.runtime.start(channelId, 1);
  api.runtime.status(channelId, 1, { status: "PUBLISHING", sinceTime: 2 });
  const { status, body } = await test();
  expect([status, body.error.details]).toEqual([409, expect.stringContaining("with the same address and key")]);
  api.runtime.status(channelId, 1, { status: "READY", sinceTime: 3 });
  expect((await test()).body.error?.details ?? "").not.toContain("same address");
});

test("a failure that no sibling causes keeps its reason", async () => {
  const { channelId } = await api.create({ restream: [PLATFORM, PLATFORM, { ...PLATFORM, streamKey: "other" }] });
  api.runtime.start(channelId, 1);
  const refused = { ...targetError("connection-refused"), time: 4 };
  const inUse = { ...targetError("key-in-use"), time: 4 };
  api.runtime.status(channelId, 2, { status: "FAIL", sinceTime: 3, lastError: refused });
  api.runtime.status(channelId, 3, { status: "FAIL", sinceTime: 3, lastError: inUse });
  const platforms = await content("GET", `${CHANNELS}/${channelId}/platforms`);
  expect(platforms.map(({ lastError }: { lastError?: object }) => lastError)).toEqual([undefined, refused, inUse]);
});

test("a key that is pasted with another server's address keeps the server, and a note says that the address is ignored", async () => {
  const paste = async (streamKey: string) => {
    const { restream } = await api.create({ restream: [{ ...PLATFORM, streamKey }] });
    const [{ rtmpUrl, streamKey: stored, notes }] = restream;
    return [rtmpUrl, stored, notes.map(({ code }: { readonly code: string }) => code)];
  };
  const ignored = [PLATFORM.rtmpUrl, "key-5", ["ADDRESS_IGNORED"]];
  expect(await paste("rtmp://live.example.com/app/key-5")).toEqual(ignored);
  expect(await paste("rtmp%3A%2F%2Flive.example.com%2Fapp%2Fkey-5")).toEqual(ignored);
  const removed = [PLATFORM.rtmpUrl, "key-5", ["ADDRESS_REMOVED"]];
  expect(await paste(`${PLATFORM.rtmpUrl}/key-5`)).toEqual(removed);
  expect(await paste("rtmp://A.rtmp.youtube.com:1935/live2/key-5")).toEqual(removed);
});
