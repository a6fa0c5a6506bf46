import { afterEach, beforeEach, expect, test } from "vitest";
import { parsePathInteger } from "../../../src/api-contract/schemas/field-errors.ts";
import { NO_ALERTS } from "../../../src/control/channels/channel.ts";
import type { EndpointScope } from "../../../src/control/events/callbacks.ts";
import type { DeliveryTurn, DeliveryUpdate, DueDelivery } from "../../../src/control/events/deliveries.ts";
import type { NewEvent } from "../../../src/control/events/events.ts";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { SqlDeliveryStore } from "../../../src/store/deliveries/delivery-store.ts";
import { SqlEventStore } from "../../../src/store/events/event-store.ts";
import { SqlRefusedEncoderStore } from "../../../src/store/events/refused-encoder-store.ts";
import { newChannel } from "./store-suite-data.ts";
import { newTestDatabase, type TestDatabase } from "./test-databases.ts";

const A = "ls-20260101000000-00001";
const B = "ls-20260101000000-00002";
const PAGE = { number: 1, size: 10 };
const LIMITS = { inFlightMax: 10, perHostMax: 10, retriesMax: 10 };
const DAY_MS = 24 * 60 * 60 * 1_000;

let place: TestDatabase;
let database: Database;
let channels: SqlStore;
let events: SqlEventStore;
let deliveries: SqlDeliveryStore;

beforeEach(async () => {
  place = await newTestDatabase();
  await open();
});
afterEach(async () => {
  await database.close();
  await place.remove();
});

async function open(): Promise<void> {
  database = await place.open();
  channels = new SqlStore(database);
  events = new SqlEventStore(database);
  deliveries = new SqlDeliveryStore(database);
}

function event(channelId: string, time: number, change: Partial<NewEvent> = {}): NewEvent {
  const body = { channelId, code: "PUBLISH_START", level: "INFO", description: "d" } as const;
  return { ...body, time, isForWebhook: true, ...change };
}

function setEndpoint(scope: EndpointScope, url: string, updateTime = 1): Promise<void> {
  return deliveries.setEndpoint(scope, { url, secret: `whsec_${url}`, updateTime });
}

/** The deliveries that are due at a time: event and address. */
async function due(
  nowMs: number,
  inFlight: readonly DeliveryTurn[] = [],
): Promise<(readonly [number, string | undefined])[]> {
  const found = await deliveries.claimDueDeliveries(nowMs, LIMITS, inFlight);
  return found.map(({ eventId, endpoint }) => [eventId, endpoint?.url] as const);
}

async function finish(eventId: number, update: Partial<DeliveryUpdate> = {}, nowMs = 100): Promise<void> {
  const found = (await deliveries.claimDueDeliveries(Number.MAX_SAFE_INTEGER, LIMITS, [])).find(
    (each): each is DueDelivery => each.eventId === eventId,
  );
  if (found === undefined) throw new Error(`${eventId} is not the first of its channel`);
  await deliveries.updateDelivery(found, { state: "DELIVERED", attempts: found.attempts + 1, ...update }, nowMs);
}

async function states(): Promise<(readonly [number, string])[]> {
  const { deliveries: all } = await deliveries.listDeliveries({}, PAGE);
  return all.map(({ eventId, state }) => [eventId, state] as const);
}

test("events are numbered in order and listed newest first, of one channel or all, of some codes or any", async () => {
  const stored = await events.appendEvents([
    event(A, 1, { code: "STREAM_RESERVE" }),
    event(B, 2),
    event(A, 3, {
      targetId: 7,
      targetName: "YOUTUBE",
      targetLabel: "Mine",
      from: "READY",
      to: "FAIL",
      reason: "TCP_REFUSED",
      level: "WARN",
    }),
  ]);
  expect(stored.map(({ eventId, channelId }) => [eventId, channelId])).toEqual([
    [1, A],
    [2, B],
    [3, A],
  ]);
  const all = await events.listEvents({}, PAGE);
  expect(all).toEqual({ total: 3, events: [...stored].reverse() });
  expect(all.events[0]).toEqual({
    eventId: 3,
    channelId: A,
    code: "PUBLISH_START",
    level: "WARN",
    time: 3,
    description: "d",
    targetId: 7,
    targetName: "YOUTUBE",
    targetLabel: "Mine",
    from: "READY",
    to: "FAIL",
    reason: "TCP_REFUSED",
  });
  expect(await events.listEvents({ channelId: A }, { number: 2, size: 1 })).toEqual({ total: 2, events: [stored[0]] });
  expect(await events.listEvents({ channelId: A, codes: ["STREAM_RESERVE"] }, PAGE)).toEqual({
    total: 1,
    events: [stored[0]],
  });
  expect(await events.listEvents({ channelId: "unknown" }, PAGE)).toEqual({ total: 0, events: [] });
});

test("the names of an event outlive its channel", async () => {
  const { channelId, targets } = await channels.createChannel(newChannel(1));
  await channels.deleteChannel(channelId);
  const named = targets.map(({ targetId, targetName, label }) => [targetId, { targetName, label }] as const);
  expect(await events.findEventSubjects([channelId, "unknown"])).toEqual([
    { channelId, name: "channel_1", alerts: NO_ALERTS, targets: new Map(named) },
  ]);
});

test("an event goes to its channel's endpoint, else to the default one, else nowhere", async () => {
  await events.appendEvents([event(A, 1)]);
  await setEndpoint("default", "http://default");
  await setEndpoint({ channelId: A }, "http://own");
  await events.appendEvents([event(A, 2), event(B, 3), event(B, 3, { isForWebhook: false })]);
  expect(await due(10)).toEqual([
    [2, "http://own"],
    [3, "http://default"],
  ]);
  expect(await states()).toEqual([
    [3, "WAITING"],
    [2, "WAITING"],
  ]);
});

test("only the oldest waiting delivery of each channel is due, and one that waits holds back the rest of its channel", async () => {
  await setEndpoint("default", "http://default");
  await events.appendEvents([event(A, 1), event(A, 2), event(B, 3), event(A, 4)]);
  expect(await due(0)).toEqual([]);
  expect(await due(10)).toEqual([
    [1, "http://default"],
    [3, "http://default"],
  ]);
  expect(await due(10, [{ channelId: A, host: "default", isRetry: false }])).toEqual([[3, "http://default"]]);
  await finish(1, { state: "WAITING", attempts: 1, nextTime: 50, lastStatus: 503, url: "http://default" });
  expect(await due(10)).toEqual([[3, "http://default"]]);
  expect(await deliveries.findNextDueTime(2)).toBe(3);
  expect(await deliveries.findNextDueTime(3)).toBe(50);
  await finish(3);
  expect(await deliveries.findNextDueTime(10)).toBe(50);
  expect(await deliveries.findNextDueTime(50)).toBeUndefined();
  expect(await due(49)).toEqual([]);
  expect(await due(50)).toEqual([[1, "http://default"]]);
  await finish(1, { lastStatus: 200 }, 60);
  expect(await due(60)).toEqual([[2, "http://default"]]);
  await finish(2, {}, 60);
  await finish(4, {}, 60);
  expect(await deliveries.findNextDueTime(0)).toBeUndefined();
});

test("a delivery is shown with its attempts, its last answer and when it is due", async () => {
  await setEndpoint("default", "http://default");
  await events.appendEvents([event(A, 1), event(A, 2)]);
  await finish(1, { state: "WAITING", nextTime: 50, lastProblem: "TIMEOUT", url: "http://other" });
  const first = { eventId: 1, channelId: A, code: "PUBLISH_START", time: 1, state: "WAITING", url: "http://other" };
  const second = { ...first, eventId: 2, time: 2, url: "http://default", attempts: 0, nextTime: 50 };
  expect(await deliveries.listDeliveries({ channelId: A }, PAGE)).toEqual({
    total: 2,
    deliveries: [second, { ...first, attempts: 1, lastProblem: "TIMEOUT", nextTime: 50 }],
  });
  await finish(1, { lastStatus: 204 });
  const { deliveries: shown } = await deliveries.listDeliveries({}, { number: 2, size: 1 });
  expect(shown).toEqual([{ ...first, state: "DELIVERED", attempts: 2, lastStatus: 204 }]);
  expect(await deliveries.listDeliveries({ channelId: B }, PAGE)).toEqual({ total: 0, deliveries: [] });
});

test("a delivery has its endpoint as it is at its turn, with the secret that signs", async () => {
  await setEndpoint("default", "http://old");
  await events.appendEvents([event(A, 1)]);
  await finish(1, { state: "WAITING", nextTime: 5_000 });
  await setEndpoint("default", "http://new", 60);
  // A new address is tried at once.
  const [found] = await deliveries.claimDueDeliveries(60, LIMITS, []);
  expect(found?.endpoint).toEqual({ url: "http://new", secret: "whsec_http://new", revision: 2 });
  expect(found?.retryUntil).toBe(1 + DAY_MS);
  await setEndpoint({ channelId: A }, "http://own", 70);
  expect(await due(70)).toEqual([[1, "http://own"]]);
  await deliveries.removeEndpoint({ channelId: A });
  expect(await due(70)).toEqual([[1, "http://new"]]);
  await deliveries.removeEndpoint("default");
  expect(await due(70)).toEqual([[1, undefined]]);
});

test("an endpoint that is gone gets nothing until it is set again, and one set meanwhile is not affected", async () => {
  await setEndpoint("default", "http://default");
  await setEndpoint({ channelId: A }, "http://own");
  await events.appendEvents([event(A, 1), event(A, 2)]);
  await finish(1, { state: "FAILED", lastStatus: 410, goneRevision: 2 }, 77);
  expect(await deliveries.findEndpoint({ channelId: A })).toMatchObject({ url: "http://own", goneTime: 77 });
  expect(await due(100)).toEqual([[2, undefined]]);
  await events.appendEvents([event(A, 3)]);
  expect(await states()).toEqual([
    [2, "WAITING"],
    [1, "FAILED"],
  ]);
  await setEndpoint({ channelId: A }, "http://own", 90);
  await finish(2, { state: "FAILED", lastStatus: 410, goneRevision: 2 });
  const endpoint = await deliveries.findEndpoint({ channelId: A });
  expect(endpoint).toEqual({ url: "http://own", secret: "whsec_http://own", updateTime: 90 });
  await events.appendEvents([event(A, 4)]);
  expect((await states())[0]).toEqual([4, "WAITING"]);
});

test("resending makes a delivery wait again as if it were new, before the younger ones", async () => {
  await setEndpoint("default", "http://default");
  await events.appendEvents([event(A, 1), event(A, 2)]);
  await finish(1, { state: "FAILED", attempts: 30, lastStatus: 500 });
  await finish(2, { state: "WAITING", nextTime: 900 });
  expect(await deliveries.resendDelivery(1, 100, 500)).toMatchObject({ state: "WAITING", attempts: 0, nextTime: 100 });
  const [found] = await deliveries.claimDueDeliveries(100, LIMITS, []);
  expect(found).toMatchObject({ eventId: 1, attempts: 0, retryUntil: 500 });
  expect(await deliveries.resendDelivery(99, 100, 500)).toBeUndefined();
});

test.each(["9".repeat(17), "9".repeat(400)])("the number %s in a path is that of no delivery", async (digits) => {
  const read = parsePathInteger("deliveryId", digits);
  if ("error" in read) throw new Error("no integer");
  expect(await deliveries.resendDelivery(read.value, 100, 500)).toBeUndefined();
});

test("a delivery that is cancelled keeps the result of its last attempt", async () => {
  await setEndpoint("default", "http://default");
  await events.appendEvents([event(A, 1)]);
  await finish(1, { state: "WAITING", nextTime: 50, lastStatus: 503 });
  await finish(1, { state: "CANCELLED", attempts: 1 });
  const { deliveries: shown } = await deliveries.listDeliveries({}, PAGE);
  expect(shown[0]).toMatchObject({ state: "CANCELLED", attempts: 1, lastStatus: 503 });
});

test("waiting deliveries are there when the database is opened again", async () => {
  await setEndpoint("default", "http://default");
  await events.appendEvents([event(A, 1), event(A, 2)]);
  await finish(1);
  await database.close();
  await open();
  expect(await due(100)).toEqual([[2, "http://default"]]);
  expect(await events.appendEvents([event(A, 3)])).toMatchObject([{ eventId: 3 }]);
});

test("a channel shows its own endpoint and no other", async () => {
  const { channelId } = await channels.createChannel(newChannel(1));
  await setEndpoint("default", "http://default");
  expect(await channels.findChannel(channelId)).not.toHaveProperty("callbackUrl");
  await setEndpoint({ channelId }, "http://own");
  expect(await channels.findChannel(channelId)).toMatchObject({ callbackUrl: "http://own" });
  expect((await channels.listChannels({}, PAGE)).channels[0]).toMatchObject({ callbackUrl: "http://own" });
});

test("old events are removed, a few at a time, with their deliveries and everything that refers to them", async () => {
  await setEndpoint("default", "http://default");
  await events.appendEvents([event(A, 1), event(A, 2), event(B, 3), event(A, 20)]);
  expect(await events.pruneEvents(10, 2)).toBe(2);
  expect((await events.listEvents({}, PAGE)).events.map(({ eventId }) => eventId)).toEqual([4, 3]);
  expect(await due(100)).toEqual([
    [4, "http://default"],
    [3, "http://default"],
  ]);
  expect(await events.pruneEvents(10, 2)).toBe(1);
  expect(await events.pruneEvents(10, 2)).toBe(0);
  expect(await due(100)).toEqual([[4, "http://default"]]);
  expect(await deliveries.findNextDueTime(20)).toBeUndefined();
});

test("a deleted channel's endpoint is kept for waiting deliveries, and no longer", async () => {
  const { channelId } = await channels.createChannel(newChannel(1));
  await setEndpoint({ channelId }, "http://own");
  await setEndpoint("default", "http://default");
  await channels.deleteChannel(channelId);
  await events.appendEvents([event(channelId, 5)]);
  await events.pruneEvents(1, 10);
  expect(await due(10)).toEqual([[1, "http://own"]]);
  await finish(1);
  await events.pruneEvents(1, 10);
  expect(await deliveries.findEndpoint({ channelId })).toBeUndefined();
  expect(await deliveries.findEndpoint("default")).toBeDefined();
});

test("rejected encoders are kept by address and reason, the latest, over a restart", async () => {
  const one = { remoteAddress: "192.0.2.1", reason: "unknown-key", firstTime: 10, lastTime: 20, count: 3 } as const;
  const two = { ...one, reason: "auth-failed", channelId: A, lastTime: 15 } as const;
  const limits = { max: 2, since: 5 };
  await new SqlRefusedEncoderStore(database).addRefusals([one, two], limits);
  await database.close();
  await open();
  const refusals = new SqlRefusedEncoderStore(database);
  await refusals.addRefusals([{ ...two, firstTime: 30, lastTime: 30, count: 1 }], limits);
  const counted = { ...two, lastTime: 30, count: 4 };
  expect(await refusals.listRefusals(limits)).toEqual([counted, one]);
  const third = { ...one, remoteAddress: "2001:db8::1", firstTime: 25, lastTime: 25 };
  await refusals.addRefusals([third], limits);
  expect(await refusals.listRefusals({ max: 9, since: 0 })).toEqual([counted, third]);
  await refusals.addRefusals([{ ...third, lastTime: 26 }], { max: 9, since: 28 });
  expect(await refusals.listRefusals({ max: 9, since: 0 })).toEqual([counted]);
});
