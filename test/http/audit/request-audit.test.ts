import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import fastify from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ownScope } from "../../../src/control/audit/audit.ts";
import { AuditLog } from "../../../src/control/audit/audit-log.ts";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { auditRequests } from "../../../src/http/audit/request-audit.ts";
import { currentAudit } from "../../../src/http/auth/request-actor.ts";
import { keepAudit, type SqlAuditStore } from "../../../src/store/audit/audit-store.ts";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import { openSqliteDatabase } from "../../../src/store/sqlite/sqlite.ts";
import { ManualClock } from "../../control/manual-clock.ts";

const KEY = { accessKeyId: "KEY", secretKey: "secret", role: "viewer", name: "late", createdTime: 1 } as const;
const ROUTE = "/api/v2/access-keys/:accessKey";

let folder: string;
let store: SqlStore;
let audit: SqlAuditStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fanfare-audit-"));
  const { database } = await openSqliteDatabase(join(folder, "fanfare.db"));
  store = new SqlStore(database);
  audit = keepAudit(database, currentAudit);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const records = async () => (await audit.listAudit({}, { number: 1, size: 10 })).records;

/** A server with one route, which answers with this status, and changes something in the database after its answer. */
function serve(statusCode: number, log: Pick<AuditLog, "complete">) {
  const server = fastify();
  server.decorateRequest("caller", undefined);
  server.decorateRequest("audit", undefined);
  auditRequests(server, { log, clock: new ManualClock() });
  const { promise: answered, resolve: goOn } = Promise.withResolvers<void>();
  let later: Promise<void> | undefined;
  server.delete(ROUTE, async (_request, reply) => {
    later = answered.then(() => store.putAccessKey(KEY));
    return reply.code(statusCode).send();
  });
  const ask = () => server.inject({ method: "DELETE", url: ROUTE.replace(":accessKey", "KEY") });
  const finish = async () => {
    goOn();
    await later;
  };
  return { ask, finish };
}

function auditLog(wake: () => void = () => undefined): AuditLog {
  const write = () => undefined;
  const log = { debug: write, info: write, warn: write, error: write };
  return new AuditLog({ store: audit, clock: new ManualClock(), log, wake });
}

test("a change of the server as a whole wakes the webhooks, of which one may have to tell it", async () => {
  let wakes = 0;
  const { ask, finish } = serve(
    200,
    auditLog(() => {
      wakes += 1;
    }),
  );
  expect((await ask()).statusCode).toBe(200);
  await finish();
  expect([wakes, (await records()).length]).toEqual([1, 1]);
});

test("what a failed request still changes after its answer is not kept as that request's change", async () => {
  const { ask, finish } = serve(409, auditLog());
  expect((await ask()).statusCode).toBe(409);
  await finish();
  expect(await store.findAccessKey("KEY")).toMatchObject(KEY);
  expect(await records()).toEqual([]);
});

test("a change without a transaction has its record by its answer, and what comes later is not added to it", async () => {
  const { ask, finish } = serve(200, auditLog());
  expect((await ask()).statusCode).toBe(200);
  const kept = await records();
  expect(kept).toMatchObject([{ action: "deleteAccessKey", subject: "KEY", changes: [] }]);
  await finish();
  expect(await records()).toEqual(kept);
});

test("the answer waits until the record is stored", async () => {
  const { promise: stored, resolve: storeIt } = Promise.withResolvers<void>();
  const { ask } = serve(200, { complete: () => stored });
  let isAnswered = false;
  const answer = ask().then(() => {
    isAnswered = true;
  });
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  expect(isAnswered).toBe(false);
  storeIt();
  await answer;
  expect(isAnswered).toBe(true);
});

test("a record that a full disk did not take is stored by the next process once it has taken over", async () => {
  const write = () => undefined;
  const log = { debug: write, info: write, warn: write, error: write };
  const full = { appendAudit: () => Promise.reject(new StoreUnavailableError("full", { path: "test" })) };
  const first = new AuditLog({ store: full, clock: new ManualClock(), log, wake: write });
  await first.complete(ownScope("endChannel", "server", "1", 5));
  await first.pause();
  const next = auditLog();
  next.resume(structuredClone(first.unstored));
  expect(await records()).toEqual([]);
  next.goOn();
  await next.close();
  expect(await records()).toMatchObject([{ action: "endChannel", traceId: "server-1", time: 5 }]);
  first.abandon();
  expect(first.unstored).toEqual([]);
});
