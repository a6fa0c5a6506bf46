import { afterEach, beforeEach, expect, test } from "vitest";
import { addPlatformRequest, editPlatformRequest } from "../../../src/api-contract/schemas/schemas.ts";
import { Api, CHANNELS, PLATFORM } from "../api.ts";

/** Each field with a value that is not its default, as the API shows it afterwards. */
const FIELDS: Readonly<Record<string, unknown>> = {
  targetName: "TWITCH",
  rtmpUrl: "rtmps://live.example.com/app",
  streamKey: "another-key",
  id: "user",
  password: "x****",
  enabled: false,
  label: "A label",
  bufferPolicy: "disconnect",
  tracks: { video: 0, audio: 1 },
  timedData: false,
  silentAudio: "never",
  delaySeconds: 30,
  windows: { open: [{ days: ["MON", "FRI"], startAt: "20:00", endAt: "22:00:30" }], timeZone: "Europe/Berlin" },
  tls: { fingerprint: "ab".repeat(32) },
};
const PASSWORD = "xyzzy";
/** Other names of `id` and `password`, as the original has them. */
const SECOND_NAMES = ["streamId", "streamPassword"];

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

async function platforms(channelId: string) {
  return api.platforms(channelId);
}

test("every field that a platform may have is stored and shown", async () => {
  const names = Object.keys(addPlatformRequest.shape).filter((name) => !SECOND_NAMES.includes(name));
  expect(Object.keys(FIELDS).toSorted()).toEqual(names.toSorted());
  const { channelId } = await api.create();
  const body = { ...FIELDS, password: PASSWORD };
  const added = await api.post(`${CHANNELS}/${channelId}/platforms`, body);
  expect([added.status, added.text]).toEqual([200, expect.any(String)]);
  expect((await platforms(channelId))[1]).toMatchObject(FIELDS);
});

test("every field of an edit is changed and shown", async () => {
  const names = Object.keys(editPlatformRequest.shape).filter((name) => !SECOND_NAMES.includes(name));
  const { targetName, ...fields } = FIELDS;
  expect(targetName).toBeDefined();
  expect(Object.keys(fields).toSorted()).toEqual(names.toSorted());
  const { channelId } = await api.create();
  const [{ platId }] = await platforms(channelId);
  const body = { ...fields, password: PASSWORD };
  const edited = await api.put(`${CHANNELS}/${channelId}/platforms/${platId}`, body);
  expect([edited.status, edited.text]).toEqual([200, expect.any(String)]);
  expect((await platforms(channelId))[0]).toMatchObject({ ...fields, targetName: PLATFORM.targetName });
});
