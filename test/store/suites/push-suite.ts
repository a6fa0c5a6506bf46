import { afterEach, beforeEach, expect, test } from "vitest";
import { PUSH_SUBSCRIPTIONS_MAX, type PushSubscription } from "../../../src/control/alerts/push.ts";
import { SqlDashboardStore } from "../../../src/store/access/dashboard-store.ts";
import { SqlPushStore } from "../../../src/store/access/push-store.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { newTestDatabase, type TestDatabase } from "./test-databases.ts";

const SESSION = { tokenHash: "session", lastUsedTime: 5 };

let place: TestDatabase;
let database: Database;
let store: SqlPushStore;
let sessions: SqlDashboardStore;
beforeEach(async () => {
  place = await newTestDatabase();
  database = await place.open();
  store = new SqlPushStore(database);
  sessions = new SqlDashboardStore(database);
  await sessions.putSetupToken({ tokenHash: "token", expiresTime: 10 }, 1);
  await sessions.completeSetup("token", 9, "hash", SESSION);
});
afterEach(async () => {
  await database.close();
  await place.remove();
});

const subscription = (name: string, change: Partial<PushSubscription> = {}): PushSubscription => ({
  ...{ endpoint: `https://push.example/${name}`, p256dh: "key", auth: `secret-${name}`, language: "ko" },
  ...{ contact: "https://fanfare.example", isQuietInFocus: true },
  rules: { severities: ["broken"], scope: "labels", channelIds: [], labels: ["a", "b"] },
  ...change,
});

test("a subscription is there as it was stored, replaced by its endpoint, and gone when it is deleted", async () => {
  expect(await store.put(subscription("one"), "session", 1)).toBe(true);
  expect(await store.put(subscription("two"), "session", 2)).toBe(true);
  expect(await store.put(subscription("one", { language: "en" }), "session", 3)).toBe(true);
  const found = await store.find("https://push.example/one");
  expect(found).toEqual({ ...subscription("one", { language: "en" }), id: found?.id });
  expect((await store.list(5)).map(({ endpoint }) => endpoint).toSorted()).toEqual([
    "https://push.example/one",
    "https://push.example/two",
  ]);
  expect(await store.list(6)).toEqual([]);
  await store.delete("https://push.example/one");
  await store.delete("https://push.example/one");
  expect(await store.find("https://push.example/one")).toBe(undefined);
});

test("nothing is stored for a session that has ended, and subscriptions end with theirs", async () => {
  expect(await store.put(subscription("one"), "another", 1)).toBe(false);
  expect(await store.put(subscription("one"), "session", 1)).toBe(true);
  await sessions.changePassword("hash", "new", { tokenHash: "next", lastUsedTime: 6 });
  expect(await store.list(0)).toEqual([]);
});

test("there is a limit, which a replaced subscription does not meet", async () => {
  expect(await store.put(subscription("7"), "session", 1)).toBe(true);
  await database.write(async (trx) => {
    const row = await trx.selectFrom("push_subscription").selectAll().executeTakeFirstOrThrow();
    const ids = Array.from({ length: PUSH_SUBSCRIPTIONS_MAX - 1 }, (_, count) => `other-${count}`);
    await trx
      .insertInto("push_subscription")
      .values(ids.map((id) => ({ ...row, subscription_id: id })))
      .execute();
  });
  expect(await store.put(subscription("more"), "session", 1)).toBe(false);
  expect(await store.put(subscription("7", { auth: "other" }), "session", 1)).toBe(true);
});

test("the key is made once, and its secret half is sealed", async () => {
  const made = ["first", "second"].map((d) => ({ x: "x", y: "y", d }));
  const keys = await Promise.all(made.map((key) => store.vapidKey(() => key)));
  expect(keys[0]).toEqual(keys[1]);
  const row = await database.read((db) => db.selectFrom("push_key").selectAll().executeTakeFirstOrThrow());
  expect([row.x, row.d.startsWith("first") || row.d.startsWith("second")]).toEqual(["x", false]);
});
