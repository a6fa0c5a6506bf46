import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LogFields } from "../../src/base/log.ts";
import type { AttemptResult, DeliveryStore } from "../../src/control/events/deliveries.ts";
import { StoreUnavailableError } from "../../src/control/ports/errors.ts";
import { SqlStore } from "../../src/store/channels/sql-store.ts";
import type { Database } from "../../src/store/database/database.ts";
import { SqlDeliveryStore } from "../../src/store/deliveries/delivery-store.ts";
import { SqlEventStore } from "../../src/store/events/event-store.ts";
import { Deliverer } from "../../src/webhooks/deliverer.ts";
import type { Message, Post } from "../../src/webhooks/http-post.ts";
import { newChannel } from "../store/suites/store-suite-data.ts";
import { openEmptyDatabase } from "../support/stages/made-database.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const URL = "https://hooks.example.com/";
const STEP_MS = 30_000;
const HOUR_MS = 60 * 60 * 1_000;

type Call = {
  readonly message: Message;
  readonly event: ReturnType<typeof JSON.parse>;
  answer(result: AttemptResult): Promise<void>;
};

/** Runs every promise and every database access that can continue. */
async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

let folder = "";
let database: Database;
let events: SqlEventStore;
let store: SqlDeliveryStore;
let clock: VirtualClock;
let calls: Call[];
let lines: { readonly event: string; readonly fields: LogFields }[];
let deliverer: Deliverer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fanfare-webhooks-"));
  database = await openEmptyDatabase(join(folder, "fanfare.db"));
  events = new SqlEventStore(database);
  store = new SqlDeliveryStore(database);
  // Signatures are checked against the real clock.
  clock = new VirtualClock(Date.now());
  calls = [];
  lines = [];
  await store.setEndpoint("default", { url: URL, secret: SECRET, updateTime: clock.wallNow() });
  deliverer = start();
});
afterEach(async () => {
  await deliverer.pause();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A deliverer whose posts are answered by the test. `random` is 1: every pause has its full length. */
function start(over: DeliveryStore = store, post: Post = answeredByTest): Deliverer {
  const write = (event: string, fields: LogFields = {}) => void lines.push({ event, fields });
  return new Deliverer({
    store: over,
    clock,
    random: () => 1,
    log: { debug: write, info: write, warn: write, error: write },
    post,
  });
}

const answeredByTest: Post = (message, signal) =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined));
    const answer = (result: AttemptResult) => {
      resolve(result);
      return settle();
    };
    calls.push({ message, event: JSON.parse(String(message.body)), answer });
  });

/** Stores one event of each of these channels, in order, and announces it. */
async function happen(...channels: readonly string[]): Promise<void> {
  await events.appendEvents(
    channels.map((channelId) => ({
      channelId,
      code: "STREAM_UPDATE",
      level: "INFO",
      time: clock.wallNow(),
      description: "d",
      isForWebhook: true,
    })),
  );
  deliverer.wake();
  await settle();
}

/** In steps, since nothing reads the database while the clock advances. */
async function pass(ms: number): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= STEP_MS) {
    clock.advance(Math.min(leftMs, STEP_MS));
    await settle();
  }
}

/** Gives so many channels an endpoint each, all on other hosts. */
async function ownHosts(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const url = `https://host-${index}.example.com/`;
    await store.setEndpoint({ channelId: `ls-${index}` }, { url, secret: SECRET, updateTime: clock.wallNow() });
  }
}

const channelsOf = (some: readonly Call[]) => some.map(({ event }) => event.channelId);
const sent = () => calls.map(({ event }) => event.id);
const last = (): Call => {
  const call = calls.at(-1);
  if (call === undefined) throw new Error("nothing was sent");
  return call;
};

async function shown() {
  const { deliveries } = await store.listDeliveries({}, { number: 1, size: 100 });
  return deliveries.map(({ eventId, state, attempts }) => [eventId, state, attempts]).reverse();
}

test("a webhook names channel and platform after the original's fields, so that no receiver has to ask the API", async () => {
  const channels = new SqlStore(database);
  const { channelId } = await channels.createChannel({ ...newChannel(1), name: "my_channel" });
  await events.appendEvents([
    {
      ...{ channelId, code: "PLATFORM_TESTED", level: "WARN", time: clock.wallNow(), description: "in words" },
      ...{ targetId: 38, targetName: "YOUTUBE", targetLabel: "Second", reason: "PUBLISH_REJECTED", isForWebhook: true },
    },
  ]);
  deliverer.wake();
  await settle();
  expect(last().event).toEqual({
    ...{ id: 1, logLevel: "WARN", channelId, event: "PLATFORM_TESTED", timestamp: clock.wallNow() },
    ...{ channelName: "my_channel", description: "in words", platId: 38, targetName: "YOUTUBE", label: "Second" },
    reason: "PUBLISH_REJECTED",
  });
});

test("an event is sent as the original sends it, signed, and delivered with 2xx", async () => {
  await happen("ls-a");
  const { message } = last();
  expect(message.url).toBe(URL);
  expect(message.body).toBe(
    `{"id":1,"logLevel":"INFO","channelId":"ls-a","event":"STREAM_UPDATE","timestamp":${clock.wallNow()},"description":"d"}`,
  );
  expect(message.headers).toMatchObject({
    "content-type": "application/json",
    "webhook-id": `evt_1_${clock.wallNow()}`,
  });
  expect(new Webhook(SECRET).verify(String(message.body), message.headers)).toMatchObject({ id: 1 });
  await last().answer({ status: 204 });
  expect(await shown()).toEqual([[1, "DELIVERED", 1]]);
  await pass(HOUR_MS);
  expect(sent()).toEqual([1]);
});

test("a failure is tried again after 5, 10, 20 … s, under the same id and a new timestamp", async () => {
  await happen("ls-a");
  const id = `evt_1_${clock.wallNow()}`;
  await last().answer({ status: 500 });
  for (const [index, pauseMs] of [5_000, 10_000, 20_000, 40_000].entries()) {
    await pass(pauseMs - 1);
    expect(calls).toHaveLength(index + 1);
    await pass(1_000);
    expect(calls).toHaveLength(index + 2);
    expect(last().message.headers["webhook-id"]).toBe(id);
    expect(last().message.headers["webhook-timestamp"]).toBe(String(Math.floor(clock.wallNow() / 1_000)));
    await last().answer(index % 2 === 0 ? { problem: "TIMEOUT" } : { status: 302 });
  }
  expect(await shown()).toEqual([[1, "WAITING", 5]]);
  await pass(81_000);
  await last().answer({ status: 200 });
  expect(await shown()).toEqual([[1, "DELIVERED", 6]]);
});

test("a failing delivery holds back the later ones of its channel, and of no other", async () => {
  await happen("ls-a", "ls-a", "ls-b", "ls-a", "ls-b");
  expect(sent()).toEqual([1, 3]);
  const [first, other] = calls;
  await first?.answer({ problem: "CONNECTION_FAILED" });
  await other?.answer({ status: 200 });
  expect(sent()).toEqual([1, 3, 5]);
  await last().answer({ status: 200 });
  await pass(6_000);
  expect(sent()).toEqual([1, 3, 5, 1]);
  for (const _ of [1, 2, 4]) await last().answer({ status: 200 });
  expect(sent()).toEqual([1, 3, 5, 1, 2, 4]);
});

test("a delivery is given up after a day, and the next has its turn", async () => {
  await happen("ls-a", "ls-a");
  let attempts = 0;
  const startMs = clock.wallNow();
  while (last().event.id === 1) {
    attempts += 1;
    await last().answer({ status: 503 });
    if (last().event.id === 1) await pass(HOUR_MS);
  }
  expect(clock.wallNow() - startMs).toBeGreaterThanOrEqual(23 * HOUR_MS);
  expect(clock.wallNow() - startMs).toBeLessThanOrEqual(24 * HOUR_MS);
  expect(await shown()).toEqual([
    [1, "FAILED", attempts],
    [2, "WAITING", 0],
  ]);
});

test("a clock that is set forward ends no delivery's day, and one that is set back delays none", async () => {
  const DAYS_400_MS = 400 * 24 * HOUR_MS;
  await happen("ls-a");
  await last().answer({ status: 503 });
  clock.setWall(-DAYS_400_MS);
  // The clock is looked at once a minute at least.
  await pass(60_000);
  expect(sent()).toEqual([1, 1]);
  clock.setWall(2 * DAYS_400_MS);
  await last().answer({ status: 503 });
  expect(await shown()).toEqual([[1, "WAITING", 2]]);
  await pass(60_000);
  expect(sent()).toEqual([1, 1, 1]);
  clock.setWall(-2 * DAYS_400_MS);
  await last().answer({ status: 200 });
  expect(await shown()).toEqual([[1, "DELIVERED", 3]]);
});

test("a delivery whose day never ends, by a clock that was set back, is still given up", async () => {
  await happen("ls-a");
  clock.setWall(-400 * 24 * HOUR_MS);
  let attempts = 0;
  for (; (await shown())[0]?.[1] === "WAITING" && attempts < 100; attempts += 1) {
    await last().answer({ status: 503 });
    for (const afterMs of [HOUR_MS, 61_000]) {
      clock.advance(afterMs);
      await settle();
    }
  }
  expect(attempts).toBe(64);
});

test("410 ends the delivery and its endpoint, and other deliveries to it are cancelled", async () => {
  await happen("ls-a", "ls-a");
  await last().answer({ status: 410 });
  expect(sent()).toEqual([1]);
  expect(await shown()).toEqual([
    [1, "FAILED", 1],
    [2, "CANCELLED", 0],
  ]);
  await happen("ls-a");
  expect(sent()).toEqual([1]);
});

test("at most 16 are under way, and the next begins when one is over", async () => {
  await ownHosts(20);
  await happen(...Array.from({ length: 20 }, (_, index) => `ls-${index}`));
  expect(calls).toHaveLength(16);
  await calls[3]?.answer({ status: 200 });
  expect(calls).toHaveLength(17);
});

test("a host that hangs holds four of the sixteen, however many channels lead there, and delays no other", async () => {
  const hanging = Array.from({ length: 30 }, (_, index) => `hanging-${index + 10}`);
  await happen(...hanging);
  expect(channelsOf(calls)).toEqual(hanging.slice(0, 4));
  await ownHosts(3);
  await happen("ls-0", "ls-1", "ls-2");
  expect(channelsOf(calls).slice(4)).toEqual(["ls-0", "ls-1", "ls-2"]);
  await calls[1]?.answer({ problem: "TIMEOUT" });
  expect(channelsOf(calls).slice(7)).toEqual(["hanging-14"]);
  // Also where the queues were there before this process.
  await deliverer.pause();
  calls = [];
  deliverer = start();
  deliverer.wake();
  await settle();
  expect(channelsOf(calls).toSorted()).toEqual(
    ["hanging-10", "hanging-12", "hanging-13", "hanging-14", "ls-0", "ls-1", "ls-2"].toSorted(),
  );
});

test("an endpoint that moves takes its queues along, and they count for the new host", async () => {
  const waiting = Array.from({ length: 6 }, (_, index) => `ls-${index}`);
  await happen(...waiting);
  expect(calls).toHaveLength(4);
  const moved = { url: "https://other.example.com:8443/", secret: SECRET, updateTime: clock.wallNow() };
  await store.setEndpoint("default", moved);
  deliverer.wake();
  await settle();
  expect(calls.slice(4).map(({ message }) => message.url)).toEqual([moved.url, moved.url]);
  await ownHosts(1);
  await store.removeEndpoint({ channelId: "ls-0" });
  for (const call of calls.slice(0, 4)) await call.answer({ status: 500 });
  await happen("ls-7", "ls-8", "ls-9");
  // What failed where it was before goes to where it is now at once: four are under way there.
  expect(calls.slice(6).map(({ message, event }) => [event.channelId, message.url])).toEqual([
    ["ls-0", moved.url],
    ["ls-1", moved.url],
  ]);
});

test("an attempt at an address that was replaced meanwhile delays nothing at the new one", async () => {
  await happen("ls-a");
  for (let failures = 1; failures <= 6; failures += 1) {
    await last().answer({ problem: "CONNECTION_FAILED" });
    await pass(HOUR_MS);
    expect(calls).toHaveLength(failures + 1);
  }
  const url = "https://right.example.com/";
  await store.setEndpoint("default", { url, secret: SECRET, updateTime: clock.wallNow() });
  deliverer.wake();
  await settle();
  await last().answer({ problem: "TIMEOUT" });
  expect(last().message.url).toBe(url);
  await last().answer({ status: 200 });
  expect(await shown()).toEqual([[1, "DELIVERED", 8]]);
});

test("first attempts go before retries, and retries never hold all sixteen", async () => {
  await ownHosts(40);
  const failing = Array.from({ length: 20 }, (_, index) => `ls-${index}`);
  await happen(...failing);
  // Each failure makes room for the next.
  for (let index = 0; index < 20; index += 1) await calls[index]?.answer({ problem: "TIMEOUT" });
  calls = [];
  await pass(6_000);
  expect(calls).toHaveLength(12);
  await happen("ls-30", "ls-31", "ls-32", "ls-33", "ls-34");
  expect(channelsOf(calls.slice(12))).toEqual(["ls-30", "ls-31", "ls-32", "ls-33"]);
  await calls[0]?.answer({ problem: "TIMEOUT" });
  expect(channelsOf(calls.slice(16))).toEqual(["ls-34"]);
});

test("a delivery that is sent again while it is under way is sent again, whatever the first result", async () => {
  const resend = () => store.resendDelivery(1, clock.wallNow(), clock.wallNow() + HOUR_MS);
  await happen("ls-a", "ls-a");
  await resend();
  deliverer.wake();
  await settle();
  expect(sent()).toEqual([1]);
  await last().answer({ status: 200 });
  expect(sent()).toEqual([1, 1]);
  expect(await shown()).toEqual([
    [1, "WAITING", 0],
    [2, "WAITING", 0],
  ]);
  await resend();
  await last().answer({ status: 500 });
  // At once, since that pause belongs to the earlier attempt.
  expect(sent()).toEqual([1, 1, 1]);
  expect(new Set(calls.map(({ message }) => message.headers["webhook-id"])).size).toBe(1);
  await last().answer({ status: 200 });
  expect(sent()).toEqual([1, 1, 1, 2]);
});

test("an event of a restored database has another id than the one of the same number before", async () => {
  await happen("ls-a");
  const before = last().message.headers["webhook-id"];
  await last().answer({ status: 200 });
  const other = new DatabaseSync(join(folder, "fanfare.db"));
  other.exec("DELETE FROM delivery; DELETE FROM event; DELETE FROM counter WHERE name = 'event'");
  other.close();
  await pass(1_000);
  await happen("ls-a");
  expect(sent()).toEqual([1, 1]);
  expect(last().message.headers["webhook-id"]).not.toBe(before);
});

test("the next process sends what was under way or waiting at the end of the last one", async () => {
  await happen("ls-a", "ls-a", "ls-b");
  await calls[1]?.answer({ status: 500 });
  await deliverer.pause();
  expect(await shown()).toEqual([
    [1, "WAITING", 0],
    [2, "WAITING", 0],
    [3, "WAITING", 1],
  ]);
  calls = [];
  deliverer = start();
  deliverer.wake();
  await settle();
  expect(sent()).toEqual([1]);
  await last().answer({ status: 200 });
  await pass(6_000);
  expect(sent().toSorted()).toEqual([1, 2, 3]);
});

test("a result that the database refuses is kept and not sent again", async () => {
  await deliverer.pause();
  let isLocked = true;
  const refusing: DeliveryStore = {
    listDeliveries: (filter, page) => store.listDeliveries(filter, page),
    resendDelivery: (eventId, nowMs, retryUntil) => store.resendDelivery(eventId, nowMs, retryUntil),
    claimDueDeliveries: (...asked) => store.claimDueDeliveries(...asked),
    findNextDueTime: (nowMs) => store.findNextDueTime(nowMs),
    updateDelivery: (due, update, nowMs) =>
      isLocked ? Promise.reject(new StoreUnavailableError("locked")) : store.updateDelivery(due, update, nowMs),
  };
  deliverer = start(refusing);
  await happen("ls-a");
  await last().answer({ status: 200 });
  await pass(1_000);
  await pass(1_000);
  expect(calls).toHaveLength(1);
  isLocked = false;
  await pass(1_000);
  expect(await shown()).toEqual([[1, "DELIVERED", 1]]);
  expect(calls).toHaveLength(1);
});

test("a database that cannot be read is tried again", async () => {
  await deliverer.pause();
  let isLocked = true;
  const refusing: DeliveryStore = {
    listDeliveries: (filter, page) => store.listDeliveries(filter, page),
    resendDelivery: (eventId, nowMs, retryUntil) => store.resendDelivery(eventId, nowMs, retryUntil),
    claimDueDeliveries: (...asked) =>
      isLocked ? Promise.reject(new StoreUnavailableError("locked")) : store.claimDueDeliveries(...asked),
    findNextDueTime: (nowMs) => store.findNextDueTime(nowMs),
    updateDelivery: (due, update, nowMs) => store.updateDelivery(due, update, nowMs),
  };
  deliverer = start(refusing);
  await happen("ls-a");
  expect(calls).toEqual([]);
  // It is told once a minute, not with each try.
  for (let second = 0; second < 90; second += 1) await pass(1_000);
  expect(lines.map(({ event }) => event)).toEqual(Array(2).fill("webhooks could not be read, will retry"));
  isLocked = false;
  await pass(1_000);
  expect(sent()).toEqual([1]);
  expect(lines.at(-1)?.event).toBe("webhooks are read again");
});

test("the log says what was not delivered, and neither address nor secret", async () => {
  await happen("ls-a");
  await last().answer({ status: 503 });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    event: "webhook not delivered",
    fields: { deliveryId: 1, channelId: "ls-a", state: "WAITING", attempts: 1, status: 503 },
  });
  expect(JSON.stringify(lines)).not.toContain("example.com");
});

test("the end waits a second for an attempt that does not let go, and no longer", async () => {
  await deliverer.pause();
  let posts = 0;
  const stuck = start(store, () => {
    posts += 1;
    return new Promise(() => undefined);
  });
  deliverer = stuck;
  await happen("ls-a");
  expect(posts).toBe(1);
  let isClosed = false;
  const closed = stuck.pause().then(() => {
    isClosed = true;
  });
  await settle();
  clock.advance(999);
  await settle();
  expect(isClosed).toBe(false);
  clock.advance(1);
  await closed;
  deliverer = start();
});
