import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NO_ALERTS, type TargetSettings } from "../../../src/control/channels/channel.ts";
import type { Store } from "../../../src/control/ports/store.ts";
import { FULL_TARGET, newChannel, TARGET } from "./store-suite-data.ts";

const NO_TOTALS = { bytes: 0, playMs: 0, retryCount: 0 };

/** What every Store must do. Each adapter's own test file calls this with a way to open an empty one. */
export function storeSuite(name: string, open: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    channelTests(() => store);
    listTests(() => store);
    changeTests(() => store);
    accessKeyTests(() => store);
  });
}

function channelTests(store: () => Store): void {
  test("a channel is found as it was created, numbered from 1", async () => {
    const created = await store().createChannel(newChannel(1));
    expect(created).toEqual({
      channelId: "ls-20260101000000-00001",
      instanceNo: 1,
      name: "channel_1",
      planType: "STANDARD",
      envType: "REAL",
      alerts: NO_ALERTS,
      holdSeconds: 120,
      latency: "efficient",
      freeze: { mediaSeconds: 5, videoSeconds: 10 },
      state: "live",
      streamKey: "stream-key-1",
      createdTime: 1_700_000_000_001,
      revision: 1,
      publishMs: 0,
      targetCount: 2,
      targets: [
        { ...TARGET, targetId: 1, totals: NO_TOTALS },
        { ...FULL_TARGET, targetId: 2, totals: NO_TOTALS },
      ],
    });
    expect(await store().findChannel(created.channelId)).toEqual(created);
    expect(await store().findChannelByStreamKey("stream-key-1")).toEqual(created);
  });

  test("a missing channel is not found", async () => {
    await store().createChannel(newChannel(1));
    expect(await store().findChannel("ls-20260101000000-00002")).toBeUndefined();
    expect(await store().findChannelByStreamKey("stream-key-2")).toBeUndefined();
    expect(await store().findChannelByStreamKey("STREAM-KEY-1")).toBeUndefined();
    expect(await store().findChannelByStreamKey("")).toBeUndefined();
  });

  test("two simultaneous writes both succeed, with numbers of their own", async () => {
    const channels = await Promise.all(Array.from({ length: 10 }, (_, n) => store().createChannel(newChannel(n))));
    expect(new Set(channels.map((channel) => channel.instanceNo)).size).toBe(10);
    expect(new Set(channels.flatMap((channel) => channel.targets.map((target) => target.targetId))).size).toBe(20);
  });

  test("a write that fails leaves nothing behind", async () => {
    await store().createChannel(newChannel(1));
    await expect(store().createChannel(newChannel(2, { streamKey: "stream-key-1" }))).rejects.toThrow();
    expect(await store().findChannel(newChannel(2).channelId)).toBeUndefined();
    expect((await store().createChannel(newChannel(3))).targets).toHaveLength(2);
  });

  test("a deleted channel is nowhere to be found, and its numbers are not given out again", async () => {
    const { channelId } = await store().createChannel(newChannel(1));
    expect(await store().deleteChannel(channelId)).toMatchObject({ channelId, state: "deleted", revision: 2 });
    expect(await store().findChannel(channelId)).toBeUndefined();
    expect(await store().findChannelByStreamKey("stream-key-1")).toBeUndefined();
    expect(await store().deleteChannel(channelId)).toBeUndefined();
    const change = { url: "rtmp://x", streamKey: "y" };
    expect(await store().changeTarget(channelId, 1, () => change)).toBeUndefined();
    expect(await store().listChannels({}, { number: 1, size: 10 })).toEqual({ channels: [], total: 0 });
    expect(await store().listChannelIds()).toEqual([]);
    expect(await store().createChannel(newChannel(2))).toMatchObject({ instanceNo: 2, targets: [{ targetId: 3 }, {}] });
  });
}

function listTests(store: () => Store): void {
  async function list(filter: Parameters<Store["listChannels"]>[0], number = 1, size = 10) {
    const { channels, total } = await store().listChannels(filter, { number, size });
    return { instanceNos: channels.map((channel) => channel.instanceNo), total };
  }

  test("a list is newest first, in pages, and counts all of them", async () => {
    for (let n = 1; n <= 5; n += 1) await store().createChannel(newChannel(n, { createdTime: 7 }));
    expect(await list({}, 1, 2)).toEqual({ instanceNos: [5, 4], total: 5 });
    expect(await list({}, 3, 2)).toEqual({ instanceNos: [1], total: 5 });
    const newestFirst = [5, 4, 3, 2, 1].map((n) => newChannel(n).channelId);
    expect(await store().listChannelIds()).toEqual(newestFirst);
    expect(await list({}, 4, 2)).toEqual({ instanceNos: [], total: 5 });
    expect(await list({}, 1_000_000_000, 100)).toEqual({ instanceNos: [], total: 5 });
    const { channels } = await store().listChannels({}, { number: 1, size: 1 });
    expect(channels).toEqual([expect.objectContaining({ instanceNo: 5, targetCount: 2 })]);
    expect(channels[0]).not.toHaveProperty("targets");
  });

  test("a list is narrowed by id, by part of the name, and by a set of channels", async () => {
    const names = ["Alpha_1", "alphaX1", "나의채널 Эфир"];
    for (const [n, name] of names.entries()) await store().createChannel(newChannel(n, { name }));
    const [first = "", second = ""] = [newChannel(0).channelId, newChannel(1).channelId];
    expect(await list({ channelId: second })).toEqual({ instanceNos: [2], total: 1 });
    expect(await list({ channelId: "ls-" })).toEqual({ instanceNos: [], total: 0 });
    expect(await list({ channelId: `${second}\0` })).toEqual({ instanceNos: [], total: 0 });
    expect(await store().findChannel("\0")).toBeUndefined();
    expect(await list({ namePart: "ALPHA" })).toEqual({ instanceNos: [2, 1], total: 2 });
    expect(await list({ namePart: "a_1" })).toEqual({ instanceNos: [1], total: 1 });
    expect(await list({ namePart: "의채" })).toEqual({ instanceNos: [3], total: 1 });
    expect(await list({ namePart: "Эфир" })).toEqual({ instanceNos: [3], total: 1 });
    expect(await list({ namePart: "%" })).toEqual({ instanceNos: [], total: 0 });
    expect(await list({ namePart: "\\" })).toEqual({ instanceNos: [], total: 0 });
    expect(await list({ namePart: "" })).toEqual({ instanceNos: [3, 2, 1], total: 3 });
    expect(await list({ namePart: "1" }, 1, 1)).toEqual({ instanceNos: [2], total: 2 });
    expect(await list({ namePart: "1" }, 2, 1)).toEqual({ instanceNos: [1], total: 2 });
    expect(await list({ namePart: "" }, 2, 2)).toEqual({ instanceNos: [1], total: 3 });
    expect(await list({ namePart: "1" }, 3, 1)).toEqual({ instanceNos: [], total: 2 });
    expect(await list({ among: { channelIds: [first], isInside: true } })).toEqual({ instanceNos: [1], total: 1 });
    expect(await list({ among: { channelIds: [first], isInside: false } })).toEqual({
      instanceNos: [3, 2],
      total: 2,
    });
    expect(await list({ among: { channelIds: [], isInside: true } })).toEqual({ instanceNos: [], total: 0 });
    expect(await list({ among: { channelIds: [], isInside: false } })).toEqual({ instanceNos: [3, 2, 1], total: 3 });
    expect(await list({ namePart: "alpha", among: { channelIds: [second], isInside: false } })).toEqual({
      instanceNos: [1],
      total: 1,
    });
  });
}

function changeTests(store: () => Store): void {
  test("a change affects what it names, clears with empty text, and raises the revision", async () => {
    const { channelId } = await store().createChannel(newChannel(1));
    const changed = await store().changeTarget(channelId, 2, () => ({
      url: "rtmp://new/app",
      streamKey: "new",
      loginPassword: "",
    }));
    const { loginPassword: _gone, ...rest } = FULL_TARGET;
    expect(changed).toMatchObject({ revision: 2 });
    expect(changed?.targets).toEqual([
      { ...TARGET, targetId: 1, totals: NO_TOTALS },
      { ...rest, url: "rtmp://new/app", streamKey: "new", targetId: 2, totals: NO_TOTALS },
    ]);
    expect(await store().findChannel(channelId)).toEqual(changed);
    const again = await store().changeTarget(channelId, 1, () => ({
      url: "rtmp://b",
      streamKey: "k",
      loginId: "me",
      label: "L",
      isEnabled: false,
      bufferPolicy: "disconnect",
    }));
    const edited = { loginId: "me", label: "L", isEnabled: false, bufferPolicy: "disconnect" };
    expect(again).toMatchObject({ revision: 3, targets: [edited, {}] });
  });

  test("delay, windows, silence and other choices of a target are read as they were written, and as they were changed", async () => {
    const windows = { timeZone: "Asia/Seoul", list: [{ days: ["SUN"], fromSeconds: 72_000, toSeconds: 0 }] } as const;
    const chosen: Partial<TargetSettings> = {
      tracks: { video: 1, audio: 2 },
      hasTimedData: false,
      silentAudio: "always",
      delaySeconds: 900,
      windows,
      isOutsideWindows: true,
      openUntil: 1_800_000_000_000,
    };
    const { channelId } = await store().createChannel(newChannel(1, { targets: [{ ...TARGET, ...chosen }, TARGET] }));
    const targets = async () => (await store().findChannel(channelId))?.targets;
    const there = { ...TARGET, totals: NO_TOTALS };
    expect(await targets()).toEqual([
      { ...there, ...chosen, targetId: 1 },
      { ...there, targetId: 2 },
    ]);
    await store().changeTarget(channelId, 2, () => chosen);
    await store().changeTarget(channelId, 1, () => ({
      tracks: "all",
      hasTimedData: true,
      silentAudio: "auto",
      delaySeconds: 0,
      windows: "none",
      isOutsideWindows: false,
      openUntil: 0,
    }));
    expect(await targets()).toEqual([
      { ...there, targetId: 1 },
      { ...there, ...chosen, targetId: 2 },
    ]);
  });

  test("a decision of undefined leaves the channel, its target and the revision unchanged", async () => {
    const created = await store().createChannel(newChannel(1));
    expect(await store().changeChannel(created.channelId, () => undefined)).toEqual(created);
    expect(await store().changeTarget(created.channelId, 1, () => undefined)).toEqual(created);
    expect(await store().findChannel(created.channelId)).toEqual(created);
  });

  test("a channel's settings, state and key are changed, the rest is kept, and the revision rises", async () => {
    const created = await store().createChannel(newChannel(1));
    const { channelId } = created;
    const settings = {
      name: "renamed",
      planType: "UNLIMITED",
      envType: "DEV",
      labels: ["Studio 2", "스포츠"],
      holdSeconds: 0,
      latency: "low",
      freeze: { mediaSeconds: 30, videoSeconds: 0 },
    } as const;
    expect(await store().changeChannel(channelId, () => settings)).toEqual({
      ...created,
      ...settings,
      revision: 2,
    });
    const { labels: _, ...unlabelled } = { ...created, ...settings };
    expect(await store().changeChannel(channelId, () => ({ labels: [] }))).toEqual({ ...unlabelled, revision: 3 });
    const alerts = { isOn: true, ofTargetFailures: false };
    const alerted = await store().changeChannel(channelId, () => ({ alerts }));
    expect(alerted?.alerts).toEqual({ ...NO_ALERTS, ...alerts });
    const moved = await store().changeChannel(channelId, () => ({ state: "blocked", streamKey: "stream-key-2" }));
    expect(moved).toEqual({ ...alerted, state: "blocked", streamKey: "stream-key-2", revision: 5 });
    expect(await store().findChannel(channelId)).toEqual(moved);
    expect(await store().changeChannel("ls-20260101000000-00009", () => settings)).toBeUndefined();
  });

  test("a backup key finds its channel like the main one, never another's, and is gone when it is removed", async () => {
    const found = (key: string) => store().findChannelByStreamKey(key);
    const created = await store().createChannel(newChannel(1, { backupStreamKey: "backup-1" }));
    const { channelId } = created;
    await store().createChannel(newChannel(2));
    await store().createChannel(newChannel(3));
    expect(created.backupStreamKey).toBe("backup-1");
    expect([await found("backup-1"), await found("stream-key-1")]).toEqual([created, created]);
    await expect(store().createChannel(newChannel(4, { backupStreamKey: "backup-1" }))).rejects.toThrow();
    const renewed = await store().changeChannel(channelId, () => ({ backupStreamKey: "backup-2" }));
    expect(renewed).toEqual({ ...created, backupStreamKey: "backup-2", revision: 2 });
    expect([await found("backup-1"), await found("backup-2")]).toEqual([undefined, renewed]);
    const { backupStreamKey: _gone, ...rest } = created;
    expect(await store().changeChannel(channelId, () => ({ backupStreamKey: "" }))).toEqual({ ...rest, revision: 3 });
    expect([await found("backup-2"), await found("")]).toEqual([undefined, undefined]);
  });

  test("a check that throws sees the channel before the change, and nothing is changed", async () => {
    const created = await store().createChannel(newChannel(1));
    const seen: unknown[] = [];
    const refuse = (present: unknown) => {
      seen.push(present);
      throw new Error("no");
    };
    await expect(store().changeChannel(created.channelId, refuse)).rejects.toThrow("no");
    await expect(store().addTarget(created.channelId, TARGET, refuse)).rejects.toThrow("no");
    expect(seen).toEqual([created, created]);
    expect(await store().findChannel(created.channelId)).toEqual(created);
  });

  test("a blocked channel is found by its key, with its state", async () => {
    const { channelId } = await store().createChannel(newChannel(1));
    await store().changeChannel(channelId, () => ({ state: "blocked" }));
    expect(await store().findChannelByStreamKey("stream-key-1")).toMatchObject({ channelId, state: "blocked" });
    expect(await store().findChannel(channelId)).toMatchObject({ state: "blocked" });
    const list = async (state: "live" | "blocked") =>
      (await store().listChannels({ state }, { number: 1, size: 10 })).total;
    expect([await list("blocked"), await list("live")]).toEqual([1, 0]);
    await store().changeChannel(channelId, () => ({ state: "live" }));
    expect(await store().findChannelByStreamKey("stream-key-1")).toMatchObject({ channelId, revision: 3 });
  });

  test("targets come last and go for good, each with a revision of its own", async () => {
    const { channelId } = await store().createChannel(newChannel(1));
    const other = await store().createChannel(newChannel(2));
    const added = await store().addTarget(channelId, FULL_TARGET, () => undefined);
    expect(added).toMatchObject({ revision: 2, targetCount: 3 });
    expect(added?.targets[2]).toEqual({ ...FULL_TARGET, targetId: 5, totals: NO_TOTALS });
    const { channel, removed } = (await store().removeTarget(channelId, 1)) ?? {};
    expect(removed).toEqual(added?.targets[0]);
    expect(channel).toMatchObject({ revision: 3, targetCount: 2, targets: [{ targetId: 2 }, { targetId: 5 }] });
    expect(await store().findChannel(channelId)).toEqual(channel);
    for (const targetId of [1, 3, 99]) expect(await store().removeTarget(channelId, targetId)).toBeUndefined();
    expect(await store().findChannel(other.channelId)).toEqual(other);
    await store().removeTarget(channelId, 5);
    expect((await store().addTarget(channelId, TARGET, () => undefined))?.targets.at(-1)?.targetId).toBe(6);
    expect(await store().addTarget("ls-20260101000000-00009", TARGET, () => undefined)).toBeUndefined();
  });

  test("another channel's target is not changed", async () => {
    const first = await store().createChannel(newChannel(1));
    const second = await store().createChannel(newChannel(2));
    const change = { url: "rtmp://x", streamKey: "y" };
    expect(await store().changeTarget(second.channelId, 1, () => change)).toBeUndefined();
    expect(await store().changeTarget(second.channelId, 99, () => change)).toBeUndefined();
    expect(await store().findChannel(first.channelId)).toEqual(first);
    expect(await store().findChannel(second.channelId)).toEqual(second);
  });

  test("two simultaneous changes both succeed", async () => {
    const { channelId } = await store().createChannel(newChannel(1));
    await Promise.all([
      store().changeTarget(channelId, 1, () => ({ url: "rtmp://one", streamKey: "1" })),
      store().changeTarget(channelId, 2, () => ({ url: "rtmp://two", streamKey: "2" })),
    ]);
    expect(await store().findChannel(channelId)).toMatchObject({
      revision: 3,
      targets: [{ url: "rtmp://one" }, { url: "rtmp://two" }],
    });
  });

  test("totals add up, leave the revision, and skip what is gone", async () => {
    const { channelId } = await store().createChannel(newChannel(1));
    const big = 2 ** 52;
    await store().addTotals({
      channels: [
        { channelId, publishMs: 1_500, recentPublishStartTime: 1_700_000_000_500 },
        { channelId: "ls-20260101000000-99999", publishMs: 1 },
      ],
      targets: [
        { targetId: 1, bytes: big, playMs: 10, retryCount: 1 },
        { targetId: 99, bytes: 1, playMs: 1, retryCount: 1 },
      ],
    });
    await store().addTotals({
      channels: [{ channelId, publishMs: 2 }],
      targets: [{ targetId: 1, bytes: 3, playMs: 4, retryCount: 5 }],
    });
    const channel = await store().findChannel(channelId);
    expect(channel).toMatchObject({ revision: 1, publishMs: 1_502, recentPublishStartTime: 1_700_000_000_500 });
    expect(channel?.targets.map((target) => target.totals)).toEqual([
      { bytes: big + 3, playMs: 14, retryCount: 6 },
      NO_TOTALS,
    ]);
  });
}

function accessKeyTests(store: () => Store): void {
  const manager = {
    accessKeyId: "MANAGER",
    secretKey: "secret-1",
    role: "manager",
    name: "m",
    createdTime: 5,
  } as const;
  const viewer = { ...manager, accessKeyId: "VIEWER", secretKey: "secret-2", role: "viewer" } as const;

  test("an access key is found by its id and by its secret", async () => {
    expect(await store().hasManagerKey()).toBe(false);
    await store().putAccessKey(viewer);
    expect(await store().hasManagerKey()).toBe(false);
    await store().putAccessKey(manager);
    expect(await store().hasManagerKey()).toBe(true);
    expect(await store().findAccessKey("MANAGER")).toEqual(manager);
    expect(await store().findAccessKey("manager")).toBeUndefined();
    expect(await store().findAccessKeyBySecret("secret-2")).toEqual(viewer);
    expect(await store().findAccessKeyBySecret("SECRET-2")).toBeUndefined();
  });

  test("a key that is put again has its new secret alone", async () => {
    await store().putAccessKey(manager);
    await store().putAccessKey({ ...manager, secretKey: "other" });
    expect(await store().findAccessKey("MANAGER")).toEqual({ ...manager, secretKey: "other" });
    expect(await store().findAccessKeyBySecret("secret-1")).toBeUndefined();
  });

  test("keys are listed in the order of their creation, with their last use", async () => {
    await store().putAccessKey({ ...viewer, createdTime: 9 });
    await store().putAccessKey(manager);
    await store().markAccessKeyUsed("MANAGER", 1_700_000_000_000);
    await store().markAccessKeyUsed("NOBODY", 5);
    expect(await store().listAccessKeys()).toEqual([
      { ...manager, lastUsedTime: 1_700_000_000_000 },
      { ...viewer, createdTime: 9 },
    ]);
  });

  test("a key is deleted, but not the last manager's", async () => {
    await store().putAccessKey(manager);
    await store().putAccessKey(viewer);
    expect(await store().deleteAccessKey("NOBODY")).toBeUndefined();
    expect(await store().deleteAccessKey("MANAGER")).toBe("last-manager");
    await store().putAccessKey({ ...manager, accessKeyId: "SECOND", secretKey: "secret-3" });
    expect(await store().deleteAccessKey("MANAGER")).toEqual(manager);
    expect(await store().deleteAccessKey("VIEWER")).toEqual(viewer);
    expect(await store().deleteAccessKey("SECOND")).toBe("last-manager");
    expect((await store().listAccessKeys()).map((key) => key.accessKeyId)).toEqual(["SECOND"]);
  });

  test("of two keys with one secret the manager's is found", async () => {
    await store().putAccessKey({ ...viewer, secretKey: "same" });
    await store().putAccessKey({ ...manager, secretKey: "same" });
    expect(await store().findAccessKeyBySecret("same")).toMatchObject({ role: "manager" });
  });
}
