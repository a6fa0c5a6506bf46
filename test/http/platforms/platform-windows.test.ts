import { expect, test } from "vitest";
import { Api, CHANNEL, CHANNELS, PLATFORM } from "../api.ts";

const windows = { open: [{ startAt: "20:00", endAt: "22:00" }], timeZone: "Europe/Berlin" };
const DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

async function open(wall: string) {
  const api = await Api.open();
  api.clock.wallMs = Date.parse(wall);
  const channel = { ...CHANNEL, restream: [{ ...PLATFORM, windows }] };
  const { channelId } = await api.content("POST", CHANNELS, channel);
  const [{ platId }] = await api.platforms(channelId);
  const shown = async () => (await api.platforms(channelId))[0];
  const isSent = () => api.runtime.applied.at(-1)?.targets[0]?.isEnabled;
  return { api, channelId, platId, shown, isSent, url: `${CHANNELS}/${channelId}/platforms/${platId}` };
}

test("a platform is made off outside of its windows, and follows them", async () => {
  const { api, channelId, platId, shown, isSent } = await open("2026-07-01T12:00:00Z");
  expect(await shown()).toMatchObject({
    ...{ enabled: true, windowState: "CLOSED" },
    windows: { open: [{ days: DAYS, startAt: "20:00", endAt: "22:00" }], timeZone: "Europe/Berlin" },
  });
  api.clock.wallMs = Date.parse("2026-07-01T18:00:00Z");
  await api.service.targetEdits.followWindows(channelId, platId, api.clock.wallMs);
  expect([(await shown()).windowState, isSent()]).toEqual(["OPEN", true]);
  // What is so already is no change.
  await api.service.targetEdits.followWindows(channelId, platId, api.clock.wallMs);
  api.clock.wallMs = Date.parse("2026-07-01T20:00:00Z");
  await api.service.targetEdits.followWindows(channelId, platId, api.clock.wallMs);
  expect([(await shown()).windowState, isSent()]).toEqual(["CLOSED", false]);
  const events = await api.content("GET", `${CHANNELS}/${channelId}/events`);
  const told = events
    .map(({ reason }: { reason?: string }) => reason)
    .filter((reason?: string) => reason !== undefined);
  expect(told).toEqual(["window-closed", "window-opened"]);
  await api.close();
});

test("a person who turns it on outside is above its windows until the next one; off is above all of them", async () => {
  const { api, channelId, platId, shown, isSent, url } = await open("2026-07-01T12:00:00Z");
  const follow = () => api.service.targetEdits.followWindows(channelId, platId, api.clock.wallMs);
  expect((await api.content("PUT", `${url}/on`)).windowState).toBe("OPENED");
  await follow();
  expect([(await shown()).windowState, isSent()]).toEqual(["OPENED", true]);
  api.clock.wallMs = Date.parse("2026-07-01T20:00:01Z");
  await follow();
  expect([(await shown()).windowState, isSent()]).toEqual(["CLOSED", false]);
  await api.content("PUT", `${url}/off`);
  api.clock.wallMs = Date.parse("2026-07-02T18:00:00Z");
  await follow();
  expect([(await shown()).windowState, (await shown()).enabled, isSent()]).toEqual(["OPEN", false, false]);
  expect((await api.put(`${url}/retry`)).status).toBe(409);
  await api.close();
});

test("an edit that repeats the windows leaves on what a person turned on outside of them", async () => {
  const { api, shown, isSent, url } = await open("2026-07-01T12:00:00Z");
  await api.content("PUT", `${url}/on`);
  const { rtmpUrl, streamKey } = PLATFORM;
  await api.content("PUT", url, { rtmpUrl, streamKey, label: "renamed", windows });
  expect([await shown(), isSent()]).toMatchObject([{ label: "renamed", windowState: "OPENED" }, true]);
  await api.content("PUT", url, { rtmpUrl, streamKey, windows: { ...windows, timeZone: "UTC" } });
  expect([(await shown()).windowState, isSent()]).toEqual(["CLOSED", false]);
  await api.close();
});

test("windows that are changed or removed hold at once", async () => {
  const { api, shown, isSent, url } = await open("2026-07-01T12:00:00Z");
  const { rtmpUrl, streamKey } = PLATFORM;
  const edit = (change: object) => api.content("PUT", url, { rtmpUrl, streamKey, windows: change });
  expect((await edit({ open: [{ startAt: "12:00", endAt: "13:00" }] })).windowState).toBe("OPEN");
  expect([isSent(), (await shown()).windows.timeZone]).toEqual([true, "UTC"]);
  await edit({ open: [{ days: ["MON"], startAt: "12:00", endAt: "13:00" }] });
  expect([isSent(), (await shown()).windowState]).toEqual([false, "CLOSED"]);
  await api.content("PUT", url, { rtmpUrl, streamKey, label: "kept" });
  expect((await shown()).windowState).toBe("CLOSED");
  expect(await edit({ open: [] })).not.toHaveProperty("windows");
  expect(isSent()).toBe(true);
  await api.close();
});
