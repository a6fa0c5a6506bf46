import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Kysely, PostgresDialect, sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { openPool, type PoolTimeouts } from "../../../src/store/postgres/pool.ts";
import { openPostgresDatabase } from "../../../src/store/postgres/postgres.ts";
import { postgresTrouble } from "../../../src/store/postgres/postgres-trouble.ts";
import { checkServer, PostgresError } from "../../../src/store/postgres/server-check.ts";
import type { Schema } from "../../../src/store/schema/schema.ts";
import { FaultProxy } from "../../../src/testkit/proxy/fault-proxy.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { KEYS, openNode, startMigratedServer } from "./nodes.ts";

const { server, newDatabase } = await startMigratedServer();

/** What a server may say, as what it is told, and what a start says of it. */
const STATES = [
  ["08006", "unreachable", /cannot be reached \(said\): start it/],
  ["57P01", "unreachable", /cannot be reached \(said\): start it/],
  ["57P02", "unreachable", /cannot be reached \(said\): start it/],
  ["57P03", "unreachable", /cannot be reached \(said\): start it/],
  ["57P04", "unreachable", /cannot be reached \(said\): start it/],
  ["57P05", "unreachable", /cannot be reached \(said\): start it/],
  ["25P03", "unreachable", /cannot be reached \(said\): start it/],
  ["53200", "crowded", /has no connection or memory left \(said\): raise its max_connections/],
  ["53300", "crowded", /has no connection or memory left \(said\): raise its max_connections/],
  ["53100", "full", /^the disk of the database .* is full \(said\): free space/],
  ["40001", "locked", /is locked by another session \(said\)/],
  ["40P01", "locked", /is locked by another session \(said\)/],
  ["55P03", "locked", /is locked by another session \(said\)/],
  ["57014", "slow", /takes too long \(said\)/],
  ["25006", "unwritable", /accepts no writes \(said\): name the primary/],
  ["28000", "refused", /cannot be used \(said\): allow this user and this address in the server's pg_hba\.conf/],
  ["28P01", "refused", /cannot be used \(said\): correct the user or the password/],
  ["42501", "refused", /cannot be used \(said\): make this user the owner/],
  ["58030", "damaged", /is damaged \(said\): restore it/],
  ["58P01", "damaged", /is damaged \(said\): restore it/],
  ["XX001", "damaged", /is damaged \(said\): restore it/],
  ["XX002", "damaged", /is damaged \(said\): restore it/],
] as const;

test("each trouble of a server has its word, and a start that meets it says what to do", async () => {
  const database = await openNode(server, await newDatabase());
  onTestFinished(() => database.close());
  const raised = (state: string) =>
    database
      .read((db) => sql.raw(`do $$ begin raise exception 'said' using errcode = '${state}'; end $$`).execute(db))
      .catch((error: { readonly trouble?: string; readonly cause?: unknown }) => error);
  for (const [state, trouble, sentence] of STATES) {
    const told = await raised(state);
    expect(told, state).toMatchObject({ name: "StoreUnavailableError", trouble, cause: { code: state } });
    expect(new PostgresError("postgres://host/name", "cause" in told ? told.cause : told).message).toMatch(sentence);
  }
  // A step of the migrations that fails wraps the server's error.
  const wrapped = new Error("a step failed", { cause: Object.assign(new Error("said"), { code: "53100" }) });
  expect(postgresTrouble(wrapped)).toBe("full");
  expect(new PostgresError("postgres://host/name", wrapped).message).toMatch(/is full \(said\): free space/);
  // A mistake of ours is no trouble of the server's.
  expect(await raised("42601")).toMatchObject({ code: "42601" });
});

test("a connection pooler that rejects the time limits of a connection, or drops them, is told as that", async () => {
  const advice = "name PostgreSQL itself in FANFARE_DATABASE_URL, not a connection pooler in front of it.";
  // As PgBouncer 1.18 says it.
  const rejected = Object.assign(new Error("unsupported startup parameter: statement_timeout"), { code: "08P01" });
  expect(new PostgresError("postgres://host/name", rejected).message).toBe(
    `the database postgres://host/name cannot be used (unsupported startup parameter: statement_timeout): ${advice}`,
  );
  // It drops what `ignore_startup_parameters` names: so do limits of 0.
  const url = server.url(await server.newDatabase());
  const limits = { statementMs: 1_000, lockMs: 1_000, answerMs: 60_000, connectMs: 60_000 };
  const check = async (timeouts: PoolTimeouts) => {
    const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: openPool(url, { timeouts }) }) });
    await checkServer(db, "postgres://host/name").finally(() => db.destroy());
  };
  await check(limits);
  for (const dropped of [{ statementMs: 0 }, { lockMs: 0 }]) {
    await expect(check({ ...limits, ...dropped })).rejects.toThrow(
      `the database postgres://host/name cannot be used: the time limits of Fanfare's connections do not reach it: ${advice}`,
    );
  }
});

test("a user who may make no tables in an empty database is told of as such", async () => {
  const name = await server.newDatabase();
  await server.query("create role guest login");
  const url = server.url(name).replace("//postgres@", "//guest@");
  await expect(openPostgresDatabase({ url, keys: KEYS, keysFrom: "the test" })).rejects.toThrow(
    /cannot be used \(permission denied for schema public\): make this user the owner of the database\.$/,
  );
});

/** A node behind a network that can be cut. */
async function cutNode() {
  const proxy = await FaultProxy.start({ to: { port: server.port } });
  onTestFinished(() => proxy.close());
  const name = await newDatabase();
  const url = server.url(name).replace(`:${server.port}/`, `:${proxy.port}/`);
  const timeouts = { statementMs: 30_000, lockMs: 30_000, answerMs: 5_000, connectMs: 40_000 };
  const database = await openPostgresDatabase({ url, keys: KEYS, keysFrom: "the test", timeouts });
  onTestFinished(() => database.close());
  const ask = () => database.read((db) => sql<{ found: number }>`select 1 as found`.execute(db));
  /** Resolves once a statement waits in the server. */
  const waiting = async () => {
    const asked = database.read((db) => sql`select pg_sleep(60)`.execute(db)).catch((error: unknown) => error);
    const text = `select 1 from pg_stat_activity where datname = '${name}' and query like '%pg_sleep%'`;
    await waitFor("the statement", 30_000, async () => (await server.query(text)).length > 0 || undefined);
    return { asked };
  };
  return { proxy, ask, waiting };
}

test.each([
  ["is reset", (proxy: FaultProxy) => proxy.reset(), /ECONNRESET/],
  ["falls silent", (proxy: FaultProxy) => proxy.blackhole(), /Query read timeout/],
] as const)(
  "a connection that %s in the middle of a statement is a server that cannot be reached; the next one works",
  async (_what, cut, detail) => {
    const { proxy, ask, waiting } = await cutNode();
    const { asked } = await waiting();
    cut(proxy);
    const told = await asked;
    expect(told).toMatchObject({ trouble: "unreachable" });
    expect(`${told instanceof Error ? told.cause : told}`).toMatch(detail);
    proxy.resume();
    expect(await ask()).toMatchObject({ rows: [{ found: 1 }] });
  },
);

test("the sentences of the driver that have no code are still those of its sources", () => {
  const source = readFileSync(createRequire(import.meta.url).resolve("pg/lib/client.js"), "utf8");
  const sentences = [
    "Connection terminated",
    "Query read timeout",
    "Client has encountered a connection error and is not queryable",
    "Client was closed and is not queryable",
  ];
  for (const sentence of sentences) {
    expect(source).toContain(`new Error('${sentence}`);
    expect(postgresTrouble(new Error(sentence))).toBe("unreachable");
  }
  expect(postgresTrouble(new Error("anything else"))).toBeUndefined();
  const codes = ["ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EACCES"];
  const troubles = codes.map((code) => postgresTrouble(Object.assign(new Error(`read ${code}`), { code })));
  expect(troubles).toEqual([...Array(5).fill("unreachable"), undefined]);
});
