import { SqlStore } from "../../src/store/channels/sql-store.ts";
import type { Database } from "../../src/store/database/database.ts";
import { PostgresOwnershipStore } from "../../src/store/ownership/ownership-store.ts";
import { openPostgresDatabase } from "../../src/store/postgres/postgres.ts";
import { readKeyFile } from "../../src/store/secrets/key-file.ts";
import type { SharedServices } from "../../test/support/cluster/shared-services.ts";

const NODE = { advertise: ["127.0.0.1:7400"], version: "bench", schemaStep: "0030-nodes" };
const LEASE_MS = 3_600_000;

/** The database as one node uses it, without the node. */
export type BareNode = {
  readonly database: Database;
  readonly channels: SqlStore;
  readonly ownerships: PostgresOwnershipStore;
  readonly incarnation: number;
};

/** Opens the database as so many nodes do. */
export async function bareNodes(services: SharedServices, count: number): Promise<readonly BareNode[]> {
  const keysFrom = services.encryptionKeyFile;
  const keys = readKeyFile(keysFrom);
  if (keys === undefined) throw new Error("no keys");
  const nodes: BareNode[] = [];
  for (let no = 1; no <= count; no += 1) {
    const database = await openPostgresDatabase({ url: services.databaseUrl, keys, keysFrom });
    const ownerships = new PostgresOwnershipStore(database);
    const node = { ...NODE, nodeId: `bare-${no}`, keyIds: keys.map(({ id }) => id) };
    const incarnation = await ownerships.addNode(node, LEASE_MS);
    nodes.push({ database, channels: new SqlStore(database), ownerships, incarnation });
  }
  return nodes;
}

/** They have left, and their connections are closed. */
export async function closeNodes(nodes: readonly BareNode[]): Promise<void> {
  for (const { database, ownerships, incarnation } of nodes) {
    await ownerships.setNodeState(incarnation, "left");
    await database.close();
  }
}
