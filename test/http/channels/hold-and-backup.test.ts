import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Api, CHANNELS, PLATFORM, service, VIEWER } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const put = (path: string, body?: unknown) => api.put(`${CHANNELS}/${path}`, body);
const post = (path: string, body?: unknown) => api.post(`${CHANNELS}/${path}`, body);
const slotOf = async (streamKey: string) => {
  const admitted = await api.admission.admit(streamKey);
  return admitted?.refusedFor ?? admitted?.slot;
};

const KEY = /^[a-z0-9]{32}$/;

test("latency is efficient by default, is changed on air, and reaches the media thread", async () => {
  expect((await api.create()).latency).toBe("efficient");
  const { channelId, streamKey, latency } = await api.create({ latency: "low" });
  expect(latency).toBe("low");
  expect((await api.admission.admit(streamKey))?.spec.latency).toBe("low");
  api.runtime.start(channelId, 1);
  expect((await put(channelId, { latency: "efficient" })).body.content.latency).toBe("efficient");
  expect(api.runtime.applied).toMatchObject([{ channelId, revision: 2, latency: "efficient" }]);
  expect((await put(channelId, { channelName: "renamed" })).body.content.latency).toBe("efficient");
});

describe("hold", () => {
  test("is two minutes by default, is accepted on create, is in every answer and reaches the media thread", async () => {
    expect((await api.create()).hold).toEqual({ seconds: 120 });
    const { channelId, streamKey, hold } = await api.create({ hold: { seconds: 0 } });
    expect(hold).toEqual({ seconds: 0 });
    expect((await api.channel(channelId)).hold).toEqual({ seconds: 0 });
    const list = await api.get(CHANNELS);
    expect(list.body.content.map((each: { hold: unknown }) => each.hold)).toEqual([{ seconds: 0 }, { seconds: 120 }]);
    expect((await api.admission.admit(streamKey))?.spec.holdSeconds).toBe(0);
  });

  test("is changed on air at once, and kept by an edit that does not name it", async () => {
    const { channelId } = await api.create();
    api.runtime.start(channelId, 1);
    const changed = await put(channelId, { hold: { seconds: 1_800 } });
    expect([changed.status, changed.body.content.hold]).toEqual([200, { seconds: 1_800 }]);
    expect(api.runtime.applied).toMatchObject([{ channelId, revision: 2, holdSeconds: 1_800 }]);
    for (const body of [{ channelName: "renamed" }, { hold: {} }, { hold: null }, { hold: { seconds: null } }]) {
      expect((await put(channelId, body)).body.content.hold).toEqual({ seconds: 1_800 });
    }
  });

  test.each([1_801, -1, 0.5, "120", true])("of %j seconds is refused, and nothing changes", async (seconds) => {
    const { channelId } = await api.create();
    const { status, body } = await put(channelId, { hold: { seconds } });
    expect(status).toBe(400);
    expect(body).toMatchObject(service(250002, "INVALID_FORMAT", "hold.seconds: invalid value."));
    const rule = "a whole number of seconds from 0 to 1800";
    expect(body.error.details).toBe(`hold.seconds: expected ${rule}, got ${JSON.stringify(seconds)}.`);
    expect(api.runtime.applied).toEqual([]);
  });
});

describe("a hold that runs", () => {
  const onHold = async () => {
    const { channelId } = await api.create();
    api.runtime.start(channelId, 1);
    api.view.fact({ kind: "publisher-active", time: 1, channelId, ingestId: 1, slot: "main", heldMs: 0 });
    api.runtime.hold(channelId, 120_000);
    return channelId;
  };

  test("shows its end and until when it can be extended, and neither once the encoder is back", async () => {
    const channelId = await onHold();
    expect((await api.channel(channelId)).hold).toEqual({ seconds: 120, endTime: 120_000, limitTime: 3_600_000 });
    expect((await api.channel(channelId)).health).toMatchObject({ state: "broken", reason: { code: "ENCODER_LOST" } });
    api.view.fact({ kind: "publisher-active", time: 5, channelId, ingestId: 1, slot: "main", heldMs: 5 });
    expect((await api.channel(channelId)).hold).toEqual({ seconds: 120 });
  });

  test("is extended by a minute, with an event, and the answer has the new end", async () => {
    const channelId = await onHold();
    const { status, body } = await post(`${channelId}/hold/extend`);
    expect([status, body.content.hold.endTime]).toEqual([200, 180_000]);
    expect(api.runtime.holdChanges).toEqual(["extend"]);
    const events = await api.get(`${CHANNELS}/${channelId}/events`);
    expect(events.body.content[0]).toMatchObject({
      eventCode: "HOLD_EXTENDED",
      description: "channel001 channel hold has been extended by 60 seconds.",
    });
  });

  test("is not extended beyond an hour", async () => {
    const channelId = await onHold();
    api.runtime.hold(channelId, 3_540_001);
    const { status, body } = await post(`${channelId}/hold/extend`);
    expect(status).toBe(409);
    expect(body.error.details).toBe("A hold lasts at most an hour: bring the encoder back, or end the hold.");
    expect(api.runtime.holdChanges).toEqual([]);
    api.runtime.hold(channelId, 3_540_000);
    expect((await post(`${channelId}/hold/extend`)).body.content.hold.endTime).toBe(3_600_000);
  });

  test("is ended; where none runs there is none to end or extend", async () => {
    const channelId = await onHold();
    const { body } = await post(`${channelId}/hold/end`);
    expect([body.content.isPublishing, body.content.hold]).toEqual([false, { seconds: 120 }]);
    api.runtime.start(channelId, 1);
    for (const what of ["end", "extend"]) {
      const refused = await post(`${channelId}/hold/${what}`);
      expect(refused.status).toBe(409);
      expect(refused.body.error.details).toBe("The channel is not held: its encoder is connected, or it is off air.");
    }
    expect(api.runtime.holdChanges).toEqual(["end"]);
  });

  test("cannot be changed by a viewer", async () => {
    const channelId = await onHold();
    const refused = await api.post(`${CHANNELS}/${channelId}/hold/end`, undefined, VIEWER);
    expect(refused.status).toBe(401);
    expect(api.runtime.holdChanges).toEqual([]);
  });
});

describe("backup", () => {
  test("is off by default: then there is no second key", async () => {
    const channel = await api.create();
    expect(channel.backup).toEqual({ enabled: false });
    expect(channel).not.toHaveProperty("backupStreamKey");
    expect(await api.admission.admit("")).toBeUndefined();
  });

  test("on create makes a second key, and each key decides its encoder's place", async () => {
    const { channelId, streamKey, backup, backupStreamKey } = await api.create({ backup: { enabled: true } });
    expect(backup).toEqual({ enabled: true });
    expect(backupStreamKey).toMatch(KEY);
    expect(backupStreamKey).not.toBe(streamKey);
    expect([await slotOf(streamKey), await slotOf(backupStreamKey)]).toEqual(["main", "backup"]);
    expect((await api.channel(channelId)).backupStreamKey).toBe(backupStreamKey);
    const masked = `${backupStreamKey.slice(0, 4)}${"*".repeat(28)}`;
    expect((await api.channel(channelId, VIEWER)).backupStreamKey).toBe(masked);
  });

  test("switched on later makes a key, and a repeated request keeps it", async () => {
    const { channelId } = await api.create();
    const on = (await put(channelId, { backup: { enabled: true } })).body.content;
    expect(on.backupStreamKey).toMatch(KEY);
    for (const body of [{ backup: { enabled: true } }, { backup: {} }, { envType: "DEV" }]) {
      expect((await put(channelId, body)).body.content.backupStreamKey).toBe(on.backupStreamKey);
    }
    expect(api.runtime.cut).toEqual([]);
  });

  test("two requests that switch it on at once return the same key", async () => {
    const { channelId } = await api.create();
    const answers = await Promise.all([1, 2, 3].map(() => put(channelId, { backup: { enabled: true } })));
    const keys = new Set(answers.map(({ body }) => body.content.backupStreamKey));
    expect([...keys]).toEqual([(await api.channel(channelId)).backupStreamKey]);
  });

  test("switched off refuses its key and cuts its encoder; switched on again the key is another", async () => {
    const { channelId, streamKey, backupStreamKey } = await api.create({ backup: { enabled: true } });
    const off = (await put(channelId, { backup: { enabled: false } })).body.content;
    expect(off.backup).toEqual({ enabled: false });
    expect(off).not.toHaveProperty("backupStreamKey");
    expect(api.runtime.cut).toEqual([[channelId, "backup"]]);
    expect([await slotOf(streamKey), await slotOf(backupStreamKey)]).toEqual(["main", undefined]);
    const again = (await put(channelId, { backup: { enabled: true } })).body.content;
    expect(again.backupStreamKey).toMatch(KEY);
    expect(again.backupStreamKey).not.toBe(backupStreamKey);
    expect(await slotOf(backupStreamKey)).toBeUndefined();
  });

  test("its key is renewed by itself: the main one stays, and only the backup encoder is cut", async () => {
    const { channelId, streamKey, backupStreamKey } = await api.create({ backup: { enabled: true } });
    const { status, body } = await post(`${channelId}/stream-key`, { which: "backup" });
    expect(status).toBe(200);
    expect(body.content).toMatchObject({ streamKey, backupStreamKey: expect.stringMatching(KEY) });
    expect(body.content.backupStreamKey).not.toBe(backupStreamKey);
    expect(await slotOf(body.content.backupStreamKey)).toBe("backup");
    expect(await slotOf(backupStreamKey)).toBeUndefined();
    expect(api.runtime.cut).toEqual([[channelId, "backup"]]);
    await api.events.writer.close();
    const events = (await api.get(`${CHANNELS}/${channelId}/events`)).body.content;
    expect(events[0].description).toBe("channel001 channel has a new backup stream key.");
  });

  test("without one there is no key to renew, and nothing is changed or cut", async () => {
    const { channelId } = await api.create();
    const { status, body } = await post(`${channelId}/stream-key`, { which: "backup" });
    expect(status).toBe(409);
    expect(body).toMatchObject(service(250005, "NOT_AVAILABLE", "Backup not available."));
    expect([api.runtime.cut, api.runtime.applied]).toEqual([[], []]);
  });

  test("a blocked or deleted channel's backup key admits no encoder", async () => {
    const { channelId, backupStreamKey } = await api.create({ backup: { enabled: true } });
    await put(`${channelId}/off`);
    expect(await slotOf(backupStreamKey)).toBe("channel-off");
    await put(`${channelId}/on`);
    expect(await slotOf(backupStreamKey)).toBe("backup");
    await api.delete(`${CHANNELS}/${channelId}`);
    expect(await slotOf(backupStreamKey)).toBeUndefined();
  });
});

test("a platform's buffer policy is drop by default, is kept by edits that do not name it, and reaches the media thread", async () => {
  const restream = [PLATFORM, { ...PLATFORM, bufferPolicy: "disconnect" }];
  const { channelId, streamKey } = await api.create({ restream });
  const policies = async () =>
    (await api.admission.admit(streamKey))?.spec.targets.map(({ bufferPolicy }) => bufferPolicy);
  expect(await policies()).toEqual(["drop", "disconnect"]);
  const edit = { rtmpUrl: PLATFORM.rtmpUrl, streamKey: PLATFORM.streamKey };
  const first = await put(`${channelId}/platforms/1`, { ...edit, bufferPolicy: "disconnect" });
  expect(first.body.content.bufferPolicy).toBe("disconnect");
  await put(`${channelId}/platforms/2`, { ...edit, bufferPolicy: null });
  const added = await post(`${channelId}/platforms`, { ...PLATFORM, bufferPolicy: "disconnect" });
  expect(added.body.content.bufferPolicy).toBe("disconnect");
  expect(await policies()).toEqual(["disconnect", "disconnect", "disconnect"]);
});

test("the times after which an encoder counts as frozen are set apart, on air too, and reach the media thread", async () => {
  const { channelId, streamKey, freeze } = await api.create({ freeze: { mediaSeconds: 30 } });
  expect(freeze).toEqual({ mediaSeconds: 30, videoSeconds: 10 });
  expect((await api.admission.admit(streamKey))?.spec.freeze).toEqual(freeze);
  const changed = { mediaSeconds: 30, videoSeconds: 0 };
  expect((await put(channelId, { freeze: { videoSeconds: 0 } })).body.content.freeze).toEqual(changed);
  expect(api.runtime.applied).toMatchObject([{ channelId, revision: 2, freeze: changed }]);
  expect((await put(channelId, { channelName: "renamed" })).body.content.freeze).toEqual(changed);
});

test("silence is for platforms that need audio, unless the platform's setting says otherwise", async () => {
  const facebook = { ...PLATFORM, targetName: "FACEBOOK" };
  const twitch = { ...PLATFORM, targetName: "TWITCH" };
  const restream = [
    twitch,
    facebook,
    { ...twitch, silentAudio: "always" },
    { ...facebook, silentAudio: "never" },
    { ...facebook, silentAudio: "auto" },
  ];
  const { channelId, streamKey, restream: made } = await api.create({ planType: "UNLIMITED", restream });
  const shown = made.map(({ silentAudio }: { silentAudio?: string }) => silentAudio);
  expect(shown).toEqual([undefined, undefined, "always", "never", undefined]);
  const added = async () => (await api.admission.admit(streamKey))?.spec.targets.map(({ addsSilence }) => addsSilence);
  expect(await added()).toEqual([undefined, true, true, undefined, true]);
  const edit = { rtmpUrl: PLATFORM.rtmpUrl, streamKey: PLATFORM.streamKey };
  await put(`${channelId}/platforms/3`, { ...edit, silentAudio: "auto" });
  await put(`${channelId}/platforms/4`, edit);
  expect(await added()).toEqual([undefined, true, undefined, undefined, true]);
});

test("a platform gets timed data by default, may go without it, and the media thread gets the choice", async () => {
  const restream = [PLATFORM, { ...PLATFORM, timedData: false }];
  const { channelId, streamKey, restream: made } = await api.create({ restream });
  expect(made.map(({ timedData }: { timedData?: boolean }) => timedData)).toEqual([undefined, false]);
  const timedData = async () =>
    (await api.admission.admit(streamKey))?.spec.targets.map(({ hasTimedData }) => hasTimedData);
  expect(await timedData()).toEqual([undefined, false]);
  const edit = { rtmpUrl: PLATFORM.rtmpUrl, streamKey: PLATFORM.streamKey };
  await put(`${channelId}/platforms/1`, { ...edit, timedData: false });
  await put(`${channelId}/platforms/2`, edit);
  expect(await timedData()).toEqual([false, false]);
  await put(`${channelId}/platforms/2`, { ...edit, timedData: true });
  expect(await timedData()).toEqual([false, undefined]);
});
