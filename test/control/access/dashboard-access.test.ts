import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import {
  DashboardAccess,
  type DashboardSession,
  type DashboardStore,
} from "../../../src/control/access/dashboard-access.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const HOUR_MS = 3_600_000;

/** A store in memory, and a hasher that counts. `access`: of a process that starts now. */
function stage() {
  const clock = new VirtualClock();
  const seen = { hashed: 0, written: 0 };
  const tokens = new Set<string>();
  const sessions = new Map<string, DashboardSession>();
  let password: string | undefined;
  const store: DashboardStore = {
    findPasswordHash: async () => password,
    putSetupToken: async ({ tokenHash }) => tokens.add(tokenHash).size > 0,
    resetPassword: async () => undefined,
    hasSetupToken: async (tokenHash) => tokens.has(tokenHash),
    completeSetup: async (tokenHash, _now, passwordHash, session) => {
      if (!tokens.delete(tokenHash)) return false;
      password = passwordHash;
      sessions.set(session.tokenHash, session);
      return true;
    },
    changePassword: async () => false,
    addSession: async () => false,
    findSession: async (tokenHash) => sessions.get(tokenHash),
    listSessions: async () => [...sessions.values()],
    markSessionUsed: async (tokenHash, lastUsedTime) => {
      seen.written += 1;
      sessions.set(tokenHash, { tokenHash, lastUsedTime });
    },
    deleteSession: async (tokenHash) => void sessions.delete(tokenHash),
  };
  const hasher = {
    hash: async (text: string) => {
      seen.hashed += 1;
      return `hash of ${text}`;
    },
    verify: async () => false,
  };
  return { clock, seen, access: () => new DashboardAccess({ store, hasher, clock, randomBytes }) };
}

test("a password is hashed for a valid link alone: it is expensive, and anybody may ask", async () => {
  const { seen, access } = stage();
  const process = access();
  const token = (await process.offerSetup()) ?? "";
  expect([await process.setUp("guessed", "correct horse"), seen.hashed]).toEqual([undefined, 0]);
  expect(await process.setUp(token, "correct horse")).toMatch(/^[a-z0-9]{32}$/);
  expect(await process.setUp(token, "correct horse")).toBeUndefined();
  expect(seen.hashed).toBe(1);
});

test("a session's use is written once an hour at most, by a process that has just started too", async () => {
  const { clock, seen, access } = stage();
  const first = access();
  const token = (await first.setUp((await first.offerSetup()) ?? "", "correct horse")) ?? "";
  clock.advance(HOUR_MS);
  await first.sessionOf(token);
  expect(seen.written).toBe(0);
  const second = access();
  for (let minute = 0; minute < 60; minute += 1) {
    await second.sessionOf(token);
    clock.advance(HOUR_MS / 60);
  }
  expect(seen.written).toBe(0);
  clock.advance(1);
  await second.sessionOf(token);
  await second.sessionOf(token);
  expect(seen.written).toBe(1);
});

test("a session that was used in the future, before the clock was set back, has the present time written", async () => {
  const { clock, seen, access } = stage();
  const first = access();
  const token = (await first.setUp((await first.offerSetup()) ?? "", "correct horse")) ?? "";
  clock.setWall(-2 * HOUR_MS);
  expect(await access().sessionOf(token)).toMatch(/^[0-9a-f]{64}$/);
  expect(seen.written).toBe(1);
});
