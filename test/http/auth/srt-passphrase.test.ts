import { afterEach, beforeEach, expect, test } from "vitest";
import { Api, CHANNELS, VIEWER } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const PASSPHRASE = "correct-horse_battery";
const OTHER = "another=horse;battery";

const admitted = async (streamKey: string) => (await api.admission.admit(streamKey))?.srtPassphrase;

test("without one no answer mentions it, and encoders need none", async () => {
  const channel = await api.create();
  expect(channel).not.toHaveProperty("srtPassphrase");
  expect(await api.admission.admit(channel.streamKey)).not.toHaveProperty("srtPassphrase");
});

test("on create it is accepted; a manager sees it, a viewer its first character", async () => {
  const channel = await api.create({ srtPassphrase: PASSPHRASE, backup: { enabled: true } });
  expect(channel).toMatchObject({ srtPassphrase: PASSPHRASE });
  expect(await api.channel(channel.channelId, VIEWER)).toMatchObject({ srtPassphrase: `c${"*".repeat(20)}` });
  expect(await admitted(channel.streamKey)).toBe(PASSPHRASE);
  const { backupStreamKey } = await api.channel(channel.channelId);
  expect(await admitted(String(backupStreamKey))).toBe(PASSPHRASE);
});

test("a change replaces it and an empty one removes it; whatever does not name it keeps it", async () => {
  const { channelId, streamKey } = await api.create({ srtPassphrase: PASSPHRASE });
  const put = (body: object) => api.put(`${CHANNELS}/${channelId}`, body);
  for (const kept of [{ srtPassphrase: null }, { channelName: "renamed" }]) {
    expect((await put(kept)).body.content).toMatchObject({ srtPassphrase: PASSPHRASE });
  }
  expect((await put({ srtPassphrase: OTHER })).body.content).toMatchObject({ srtPassphrase: OTHER });
  expect(await admitted(streamKey)).toBe(OTHER);
  expect((await put({ srtPassphrase: "" })).body.content).not.toHaveProperty("srtPassphrase");
  expect(await api.admission.admit(streamKey)).not.toHaveProperty("srtPassphrase");
});
