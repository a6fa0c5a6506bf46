import { randomBytes } from "node:crypto";
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
import type { PostgresServer } from "../../support/processes/postgres-server.ts";

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

/** Makes databases whose tables are up to date: copies of one, which is quicker than all steps. */
export async function migratedDatabases(server: PostgresServer): Promise<() => Promise<string>> {
  const migrated = await server.newDatabase();
  await (await openNode(server, migrated)).close();
  return () => server.newDatabase(migrated);
}
