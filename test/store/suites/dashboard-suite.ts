import { afterEach, beforeEach, expect, test } from "vitest";
import { SESSIONS_MAX } from "../../../src/control/access/dashboard-access.ts";
import { SqlDashboardStore } from "../../../src/store/access/dashboard-store.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { newTestDatabase, type TestDatabase } from "./test-databases.ts";

let place: TestDatabase;
let database: Database;
let store: SqlDashboardStore;
beforeEach(async () => {
  place = await newTestDatabase();
  database = await place.open();
  store = new SqlDashboardStore(database);
});
afterEach(async () => {
  await database.close();
  await place.remove();
});

const session = (lastUsedTime: number) => ({ tokenHash: `session${lastUsedTime}`, lastUsedTime });

/** Chooses a password, as the first browser does. */
async function setUp(): Promise<void> {
  await store.putSetupToken({ tokenHash: "token", expiresTime: 10 }, 1);
  await store.completeSetup("token", 9, "hash", session(1));
}

test("a set-up token replaces the one before, works once and until it expires", async () => {
  expect(await store.putSetupToken({ tokenHash: "first", expiresTime: 5 }, 1)).toBe(true);
  const second = { tokenHash: "second", expiresTime: 10 };
  // Of several nodes that start, one offers the link: theirs is replaced once it has expired.
  expect(await store.putSetupToken(second, 4)).toBe(!database.isShared);
  if (database.isShared) expect(await store.putSetupToken(second, 5)).toBe(true);
  expect(await store.hasSetupToken("first", 1)).toBe(false);
  expect(await store.hasSetupToken("second", 9)).toBe(true);
  expect(await store.completeSetup("second", 10, "hash", session(1))).toBe(false);
  expect(await store.completeSetup("second", 9, "hash", session(1))).toBe(true);
  expect(await store.completeSetup("second", 9, "other", session(2))).toBe(false);
  expect(await store.findPasswordHash()).toBe("hash");
  expect(await store.listSessions()).toEqual([session(1)]);
});

test("a changed password ends every session and begins one, and a wrong former password changes nothing", async () => {
  await setUp();
  expect(await store.addSession(session(2), "hash")).toBe(true);
  expect(await store.addSession(session(3), "another")).toBe(false);
  expect(await store.changePassword("another", "new", session(4))).toBe(false);
  expect(await store.listSessions()).toHaveLength(2);
  expect(await store.changePassword("hash", "new", session(4))).toBe(true);
  expect(await store.listSessions()).toEqual([session(4)]);
  expect(await store.findPasswordHash()).toBe("new");
});

test("a reset removes the password and every session, and leaves a set-up token", async () => {
  await setUp();
  await store.resetPassword({ tokenHash: "again", expiresTime: 20 });
  expect(await store.findPasswordHash()).toBeUndefined();
  expect(await store.listSessions()).toEqual([]);
  expect(await store.completeSetup("again", 19, "hash", session(5))).toBe(true);
});

test("a session is found by its token, is marked as used, and is deleted", async () => {
  await setUp();
  await store.markSessionUsed("session1", 7);
  expect(await store.findSession("session1")).toEqual({ tokenHash: "session1", lastUsedTime: 7 });
  await store.deleteSession("session1");
  expect(await store.findSession("session1")).toBeUndefined();
});

test("of too many sessions those unused for longest end", async () => {
  await setUp();
  for (let time = 2; time <= SESSIONS_MAX + 2; time += 1) await store.addSession(session(time), "hash");
  const times = (await store.listSessions()).map(({ lastUsedTime }) => lastUsedTime);
  expect(times.sort((left, right) => left - right)).toEqual(Array.from({ length: SESSIONS_MAX }, (_, n) => n + 3));
});
