import { randomBytes } from "node:crypto";
import { afterAll } from "vitest";
import { SqlDashboardStore } from "../../../src/store/access/dashboard-store.ts";
import { PostgresSharedGuards } from "../../../src/store/access/shared-guards.ts";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { SqlContactStore } from "../../../src/store/deliveries/contact-store.ts";
import { SqlDeliveryStore } from "../../../src/store/deliveries/delivery-store.ts";
import { SqlEventStore } from "../../../src/store/events/event-store.ts";
import { openPostgresDatabase } from "../../../src/store/postgres/postgres.ts";
import type { MasterKey } from "../../../src/store/secrets/secrets.ts";
import { SqlScheduleStore } from "../../../src/store/sources/schedule-store.ts";
import { SqlSourceStore } from "../../../src/store/sources/source-store.ts";
import { PostgresServer } from "../../support/processes/postgres-server.ts";

/** The encryption keys of the tests' nodes. */
export const KEYS: readonly [MasterKey, MasterKey] = [
  { id: "0a0b0c0d", bytes: randomBytes(32) },
  { id: "1a1b1c1d", bytes: randomBytes(32) },
];

/** A short step on a quiet machine may take long beside other tests. */
const PATIENT = { statementMs: 30_000, lockMs: 30_000, answerMs: 40_000, connectMs: 40_000 };

/** Opens a database as a node does, but waits longer. */
export function openNode(
  server: PostgresServer,
  name: string,
  keys: readonly [MasterKey, ...MasterKey[]] = [KEYS[0]],
): Promise<Database> {
  return openPostgresDatabase({ url: server.url(name), keys, keysFrom: "the test", timeouts: PATIENT });
}

/** The stores of one node. */
export function storesOf(database: Database) {
  return {
    database,
    channels: new SqlStore(database),
    events: new SqlEventStore(database),
    deliveries: new SqlDeliveryStore(database),
    dashboard: new SqlDashboardStore(database),
    guards: new PostgresSharedGuards(database),
    schedules: new SqlScheduleStore(database),
    contacts: new SqlContactStore(database),
    sources: new SqlSourceStore(database),
  };
}

/** A server that ends with the tests of its file. */
export async function startServer(options?: Parameters<typeof PostgresServer.start>[0]): Promise<PostgresServer> {
  const server = await PostgresServer.start(options);
  afterAll(() => server.close());
  return server;
}

/**
 * A server that ends with the tests of its file, and what makes databases there whose tables are up to date: copies of
 * one, which is quicker than all steps.
 */
export async function startMigratedServer(options?: Parameters<typeof PostgresServer.start>[0]) {
  const server = await startServer(options);
  const migrated = await server.newDatabase();
  await (await openNode(server, migrated)).close();
  return { server, newDatabase: () => server.newDatabase(migrated) };
}

/** Two nodes of one database. */
export async function openTwoNodes(server: PostgresServer, name: string) {
  const [first, second] = await Promise.all([openNode(server, name), openNode(server, name)]);
  return [storesOf(first), storesOf(second)] as const;
}
