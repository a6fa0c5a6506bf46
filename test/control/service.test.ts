import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureManagerKey } from "../../src/control/access/access-key.ts";
import { Admission } from "../../src/control/access/admission.ts";
import { type ChannelSettings, NO_ALERTS, type TargetSettings } from "../../src/control/channels/channel.ts";
import { DEFAULT_PLAN_LIMITS } from "../../src/control/channels/plan.ts";
import type { ChannelChanged } from "../../src/control/facts/server-fact.ts";
import { LiveState } from "../../src/control/live/live-state.ts";
import { DomainError, StoreUnavailableError } from "../../src/control/ports/errors.ts";
import type { Store, TotalsBatch } from "../../src/control/ports/store.ts";
import { Service } from "../../src/control/service.ts";
import { SqlStore } from "../../src/store/channels/sql-store.ts";
import { openEmptyDatabase } from "../support/stages/made-database.ts";
import { FakeRuntime } from "./fake-runtime.ts";
import { ManualClock } from "./manual-clock.ts";

const SETTINGS: ChannelSettings = {
  name: "channel001",
  planType: "STANDARD",
  envType: "REAL",
  alerts: NO_ALERTS,
  holdSeconds: 120,
  latency: "efficient",
  freeze: { mediaSeconds: 5, videoSeconds: 10 },
};
const TARGET: TargetSettings = {
  targetName: "CUSTOM",
  url: "rtmp://host/app",
  streamKey: "key",
  isEnabled: true,
  bufferPolicy: "drop",
};

let folder = "";
let store: Store;
let clock: ManualClock;
let view: LiveState;
let runtime: FakeRuntime;
let service: Service;
let admission: Admission;
let changes: ChannelChanged[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fanfare-control-"));
  store = new SqlStore(await openEmptyDatabase(join(folder, "fanfare.db")));
  start();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A service as a process starts: what is stored is there, what was live is not. */
function start(over: Store = store): void {
  changes = [];
  clock = new ManualClock();
  view = new LiveState(clock);
  runtime = new FakeRuntime(view);
  const planLimits = DEFAULT_PLAN_LIMITS;
  const publish = (fact: ChannelChanged) => {
    view.fact(fact);
    changes.push(fact);
  };
  const ingestChecks = { warnings: () => [], state: () => undefined };
  const sourceOf = () => undefined;
  service = new Service({
    store: over,
    runtime,
    view,
    ingestChecks,
    sourceOf,
    slateOf: () => undefined,
    clock,
    randomBytes,
    planLimits,
    publish,
  });
  admission = new Admission(over);
}

async function faultOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.catch((reason: unknown) => reason);
  return error instanceof DomainError ? error.fault : error;
}

test("a created channel has an id of its time, a key of its own, and is READY", async () => {
  const channel = await service.createChannel(SETTINGS, [TARGET]);
  expect(channel.channelId).toMatch(/^ls-20231115071320-[A-Za-z0-9]{5}$/);
  expect(channel.streamKey).toMatch(/^[a-z0-9]{32}$/);
  expect(channel).toMatchObject({ createdTime: clock.wallMs, isPublishing: false, state: "live", publishMs: 0 });
  expect(await service.getChannel(channel.channelId)).toEqual(channel);
});

test("a plan allows as many targets as it says, and UNLIMITED any number", async () => {
  const targets = (count: number) => Array.from({ length: count }, () => TARGET);
  await service.createChannel(SETTINGS, targets(3));
  expect(await faultOf(service.createChannel(SETTINGS, targets(4)))).toEqual({
    kind: "too-many-targets",
    planType: "STANDARD",
    limit: 3,
    given: 4,
  });
  expect(await faultOf(service.createChannel({ ...SETTINGS, planType: "PROFESSIONAL" }, targets(6)))).toMatchObject({
    limit: 5,
  });
  const many = await service.createChannel({ ...SETTINGS, planType: "UNLIMITED" }, targets(60));
  expect(many.targetCount).toBe(60);
});

test("an encoder with a channel's key is admitted with the channel's spec, any other is not", async () => {
  const { channelId, streamKey } = await service.createChannel(SETTINGS, [{ ...TARGET, isEnabled: false }]);
  expect((await admission.admit(streamKey))?.spec).toMatchObject({
    channelId,
    revision: 1,
    targets: [{ targetId: 1, url: "rtmp://host/app", streamKey: "key", isEnabled: false, bufferPolicy: "drop" }],
  });
  for (const wrong of ["", streamKey.toUpperCase(), `${streamKey} `, channelId, "key"]) {
    expect(await admission.admit(wrong)).toBeUndefined();
  }
});

test("a channel that was blocked or got another key while it was being read admits no encoder; the blocked one is named", async () => {
  const { streamKey } = await service.createChannel(SETTINGS, [TARGET]);
  const off = expect.objectContaining({ refusedFor: "channel-off" });
  for (const [changed, admitted] of [
    [{ state: "blocked" }, off],
    [{ state: "deleted" }, undefined],
    [{ streamKey: "another" }, undefined],
  ] as const) {
    start({
      ...forwarding(store),
      findChannelByStreamKey: async (key) => {
        const channel = await store.findChannelByStreamKey(key);
        return channel === undefined ? undefined : { ...channel, ...changed };
      },
    });
    expect(await admission.admit(streamKey)).toEqual(admitted);
  }
  start();
  expect(await admission.admit(streamKey)).toBeDefined();
});

test("a channel on air cannot be deleted; off air it can, and then its key admits no encoder", async () => {
  const { channelId, streamKey } = await service.createChannel(SETTINGS, [TARGET]);
  runtime.start(channelId, 1_000);
  expect(await faultOf(service.deleteChannel(channelId))).toEqual({ kind: "channel-publishing" });
  expect(runtime.removed).toEqual([]);
  clock.advance(3_000);
  runtime.leave(channelId, 4_000);
  expect(await service.deleteChannel(channelId)).toMatchObject({
    state: "deleted",
    isPublishing: false,
    publishMs: 3_000,
    recentPublishStartTime: 1_000,
  });
  expect(runtime.removed).toEqual([channelId]);
  expect(await admission.admit(streamKey)).toBeUndefined();
  expect(await faultOf(service.getChannel(channelId))).toEqual({ kind: "channel-not-found" });
  expect(await faultOf(service.deleteChannel(channelId))).toEqual({ kind: "channel-not-found" });
  expect(await faultOf(service.listTargets(channelId))).toEqual({ kind: "channel-not-found" });
});

test("an edit off air is stored and handed on with a higher revision", async () => {
  const { channelId } = await service.createChannel(SETTINGS, [TARGET, TARGET]);
  const change = { url: "rtmps://new/app", streamKey: "new" };
  const { target: edited } = await service.targetEdits.edit(channelId, 2, () => change, false);
  expect(edited).toMatchObject({ targetId: 2, url: "rtmps://new/app", streamKey: "new" });
  expect(runtime.applied).toMatchObject([
    {
      channelId,
      revision: 2,
      targets: [
        { targetId: 1, url: "rtmp://host/app", streamKey: "key", isEnabled: true, bufferPolicy: "drop" },
        { targetId: 2, url: "rtmps://new/app", streamKey: "new", isEnabled: true, bufferPolicy: "drop" },
      ],
    },
  ]);
  expect(edited).toMatchObject(await service.getTarget(channelId, 2));
});

test("an edit on air needs permission, and a refused one changes nothing", async () => {
  const { channelId } = await service.createChannel(SETTINGS, [TARGET]);
  const change = { url: "rtmp://new/app", streamKey: "new" };
  runtime.start(channelId, 1_000);
  expect(await faultOf(service.targetEdits.edit(channelId, 1, () => change, false))).toEqual({
    kind: "channel-publishing",
  });
  expect(await service.getTarget(channelId, 1)).toMatchObject({ url: "rtmp://host/app" });
  expect(runtime.applied).toEqual([]);
  await service.targetEdits.edit(channelId, 1, () => change, true);
  expect(runtime.applied).toEqual([expect.objectContaining({ revision: 2 })]);
});

test("a missing channel or target is reported as such, before anything else", async () => {
  const first = await service.createChannel(SETTINGS, [TARGET]);
  const second = await service.createChannel(SETTINGS, [TARGET]);
  const change = { url: "rtmp://new/app", streamKey: "new" };
  runtime.start(second.channelId, 1_000);
  expect(await faultOf(service.targetEdits.edit("ls-20260101000000-00000", 1, () => change, false))).toEqual({
    kind: "channel-not-found",
  });
  expect(await faultOf(service.targetEdits.edit(second.channelId, 1, () => change, false))).toEqual({
    kind: "target-not-found",
  });
  expect(await faultOf(service.getTarget(first.channelId, 1e30))).toEqual({ kind: "target-not-found" });
});

test("targets are shown with stored and live counts, added up", async () => {
  const { channelId } = await service.createChannel(SETTINGS, [TARGET, TARGET]);
  const [idle] = await service.listTargets(channelId);
  expect(idle).toMatchObject({ isChannelPublishing: false, totals: { bytes: 0, playMs: 0, retryCount: 0 } });
  expect(idle).not.toHaveProperty("live");

  runtime.start(channelId, 1_000);
  const status = runtime.status(channelId, 2, { status: "PUBLISHING", sinceTime: 1_200 });
  const sample = runtime.sample(channelId, 2, { bytesTotal: 500, playMs: 900, retryCount: 2 });
  const shown = await service.listTargets(channelId);
  expect(shown[0]).not.toHaveProperty("live");
  expect(shown[1]).toMatchObject({
    isChannelPublishing: true,
    live: { status, sample },
    totals: { bytes: 500, playMs: 900, retryCount: 2 },
  });
});

test("totals are the same before and after a flush, and outlive the process", async () => {
  const { channelId } = await service.createChannel(SETTINGS, [TARGET]);
  runtime.start(channelId, 1_000);
  runtime.sample(channelId, 1, { bytesTotal: 500, playMs: 900, retryCount: 2 });
  clock.advance(4_000);
  const before = await service.getChannel(channelId);
  expect(before).toMatchObject({ publishMs: 4_000, recentPublishStartTime: 1_000, isPublishing: true });
  await service.flushTotals();
  expect(await service.getChannel(channelId)).toMatchObject({ publishMs: 4_000, recentPublishStartTime: 1_000 });
  expect((await service.listTargets(channelId))[0]?.totals).toEqual({ bytes: 500, playMs: 900, retryCount: 2 });

  start();
  expect(await service.getChannel(channelId)).toMatchObject({
    publishMs: 4_000,
    recentPublishStartTime: 1_000,
    isPublishing: false,
  });
  runtime.sample(channelId, 1, { bytesTotal: 7 });
  expect((await service.listTargets(channelId))[0]?.totals.bytes).toBe(507);
});

test("simultaneous flushes add nothing twice, and reads beside them never go back", async () => {
  const { channelId } = await service.createChannel(SETTINGS, [TARGET]);
  let bytesTotal = 0;
  const seen: number[] = [];
  const watch = async () => {
    const [target] = await service.listTargets(channelId);
    seen.push(target?.totals.bytes ?? -1);
  };
  for (let round = 0; round < 30; round += 1) {
    bytesTotal += 100;
    runtime.sample(channelId, 1, { bytesTotal });
    const flushes = [service.flushTotals(), service.flushTotals()];
    await Promise.all([watch(), ...flushes, watch(), watch()]);
    expect(seen.splice(0)).toEqual([bytesTotal, bytesTotal, bytesTotal]);
  }
  expect((await store.findChannel(channelId))?.targets[0]?.totals.bytes).toBe(bytesTotal);
});

test("what a flush could not write is written by the next one", async () => {
  const batches: TotalsBatch[] = [];
  let isLocked = true;
  const { channelId } = await service.createChannel(SETTINGS, [TARGET]);
  start({
    ...forwarding(store),
    addTotals: async (batch) => {
      if (isLocked) throw new StoreUnavailableError("locked");
      batches.push(batch);
    },
  });
  runtime.sample(channelId, 1, { bytesTotal: 500 });
  await expect(service.flushTotals()).rejects.toThrow("locked");
  runtime.sample(channelId, 1, { bytesTotal: 700 });
  isLocked = false;
  await service.flushTotals();
  await service.flushTotals();
  expect(batches).toEqual([
    {
      channels: [{ channelId, publishMs: 0, recentPublishStartTime: 0 }],
      targets: [{ targetId: 1, bytes: 700, playMs: 0, retryCount: 0 }],
    },
  ]);
});

test("a list is narrowed to channels on air and off air", async () => {
  const onAir = await service.createChannel(SETTINGS, [TARGET]);
  const offAir = await service.createChannel(SETTINGS, [TARGET]);
  runtime.start(onAir.channelId, 1_000);
  const list = async (filter: Parameters<Service["listChannels"]>[0]) => {
    const { channels, total } = await service.listChannels(filter, { number: 1, size: 10 });
    return [channels.map((channel) => [channel.channelId, channel.isPublishing]), total];
  };
  expect(await list({ isPublishing: true })).toEqual([[[onAir.channelId, true]], 1]);
  expect(await list({ isPublishing: false })).toEqual([[[offAir.channelId, false]], 1]);
  expect(await list({})).toEqual([
    [
      [offAir.channelId, false],
      [onAir.channelId, true],
    ],
    2,
  ]);
});

test("every change is published once it is stored, without a secret, and a refused one is not", async () => {
  const { channelId } = await service.createChannel(SETTINGS, [TARGET]);
  const change = { url: "rtmp://new/app", streamKey: "new" };
  await service.targetEdits.edit(channelId, 1, () => change, false);
  await service.targetEdits.edit(channelId, 9, () => change, false).catch(() => undefined);
  clock.advance(10);
  await service.deleteChannel(channelId);
  const fact = { kind: "channel-changed", time: clock.wallMs - 10, channelId, channelName: "channel001" };
  expect(changes).toEqual([
    { ...fact, change: "created" },
    { ...fact, change: "target-edited", target: { targetId: 1, targetName: "CUSTOM" } },
    { ...fact, change: "deleted", time: clock.wallMs },
  ]);
});

test("a first manager key is made once, and shown once", async () => {
  const sources = { store, nowMs: 5, randomBytes };
  const made = await ensureManagerKey(sources);
  expect(made).toMatchObject({ role: "manager", createdTime: 5 });
  expect(made?.accessKeyId).toMatch(/^[A-Z0-9]{20}$/);
  expect(made?.secretKey).toMatch(/^[A-Za-z0-9]{40}$/);
  expect(await service.accessKeys.find(made?.accessKeyId ?? "")).toEqual(made);
  expect(await service.accessKeys.findBySecret(made?.secretKey ?? "")).toEqual(made);
  expect(await ensureManagerKey(sources)).toBeUndefined();
});

test("a configured key is stored as configured, whatever was there under its id", async () => {
  const configured = { accessKeyId: "ADMIN", secretKey: "first" };
  const ensure = (secretKey: string) =>
    ensureManagerKey({ store, nowMs: 5, randomBytes, configured: { ...configured, secretKey } });
  await store.putAccessKey({ ...configured, role: "viewer", name: "v", createdTime: 1 });
  expect(await ensure("first")).toBeUndefined();
  expect(await service.accessKeys.find("ADMIN")).toMatchObject({ role: "manager", secretKey: "first" });
  await ensure("second");
  expect(await service.accessKeys.findBySecret("second")).toMatchObject({ accessKeyId: "ADMIN" });
  expect(await service.accessKeys.findBySecret("first")).toBeUndefined();
  expect(await ensureManagerKey({ store, nowMs: 6, randomBytes })).toBeUndefined();
});

/** A store that passes every call on, and of which a test replaces one method. */
function forwarding(to: Store): Store {
  return {
    createChannel: (channel) => to.createChannel(channel),
    listChannels: (filter, page) => to.listChannels(filter, page),
    listChannelIds: () => to.listChannelIds(),
    findChannel: (channelId) => to.findChannel(channelId),
    findChannelByStreamKey: (streamKey) => to.findChannelByStreamKey(streamKey),
    findIngestUser: (userId) => to.findIngestUser(userId),
    deleteChannel: (channelId) => to.deleteChannel(channelId),
    changeChannel: (channelId, decide) => to.changeChannel(channelId, decide),
    addTarget: (channelId, target, check) => to.addTarget(channelId, target, check),
    removeTarget: (channelId, targetId) => to.removeTarget(channelId, targetId),
    changeTarget: (channelId, targetId, decide) => to.changeTarget(channelId, targetId, decide),
    addTotals: (batch) => to.addTotals(batch),
    putAccessKey: (key) => to.putAccessKey(key),
    findAccessKey: (accessKeyId) => to.findAccessKey(accessKeyId),
    findAccessKeyBySecret: (hash) => to.findAccessKeyBySecret(hash),
    hasManagerKey: () => to.hasManagerKey(),
    putFirstManagerKey: (key) => to.putFirstManagerKey(key),
    listAccessKeys: () => to.listAccessKeys(),
    deleteAccessKey: (accessKeyId) => to.deleteAccessKey(accessKeyId),
    markAccessKeyUsed: (accessKeyId, time) => to.markAccessKeyUsed(accessKeyId, time),
    close: () => to.close(),
  };
}
