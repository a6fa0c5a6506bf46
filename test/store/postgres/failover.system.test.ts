import { sql } from "kysely";
import { expect, test } from "vitest";
import type { Database } from "../../../src/store/database/database.ts";
import { PostgresOwnershipStore } from "../../../src/store/ownership/ownership-store.ts";
import { newChannel, TARGET } from "../suites/store-suite-data.ts";
import { openNode, startServer, storesOf } from "./nodes.ts";

const LEASE_MS = 30_000;
const NODE = { nodeId: "a", advertise: ["10.0.0.1:7400"], version: "0.1.0", schemaStep: "0045", keyIds: ["0a0b0c0d"] };

/** Lets the database say that its server is on this timeline. */
const setTimeline = (database: Database, timeline: string) =>
  database.write((trx) =>
    sql`create or replace function fanfare_timeline() returns bigint language sql as ${sql.lit(`select ${timeline}::bigint`)}`.execute(
      trx,
    ),
  );

const server = await startServer();

test("a database that was brought to a new server, with its first timeline, gives no number out twice", async () => {
  const name = await server.newDatabase();
  const before = await openNode(server, name);
  await setTimeline(before, "3");
  const { targets } = await storesOf(before).channels.createChannel(newChannel(1, { targets: [TARGET] }));
  const node = await new PostgresOwnershipStore(before).addNode(NODE, LEASE_MS);
  expect([targets[0]?.targetId, node]).toEqual([2_000_001, 2_000_001]);
  await setTimeline(before, "1");
  await before.close();
  for (const last of [3_000_001, 3_000_002]) {
    const after = await openNode(server, name);
    const created = await storesOf(after).channels.createChannel(newChannel(last, { targets: [TARGET] }));
    expect(created.targets[0]?.targetId).toBe(last + 1);
    expect(await new PostgresOwnershipStore(after).addNode(NODE, LEASE_MS)).toBe(last + 1);
    await after.close();
  }
});

test("a real failover that loses commits gives no epoch, number and revision out twice", async () => {
  const name = await server.newDatabase();
  const database = await openNode(server, name);
  const { channels } = storesOf(database);
  const nodes = new PostgresOwnershipStore(database);
  const first = await nodes.addNode(NODE, LEASE_MS);
  const { channelId } = await channels.createChannel(newChannel(1));
  const by = (incarnation: number) => ({ incarnation, home: 0 });
  expect(await nodes.claim(channelId, by(first), 0)).toMatchObject({ epoch: 1 });
  await server.addStandby();
  await server.cutStandby();
  // All of this is acknowledged, and lost.
  const second = await nodes.addNode({ ...NODE, nodeId: "b" }, LEASE_MS);
  expect(await nodes.claim(channelId, by(second), 1)).toMatchObject({ epoch: 2 });
  const lost = await channels.createChannel(newChannel(2));
  const edited = await channels.changeChannel(channelId, () => ({ name: "lost" }));
  expect(edited?.revision).toBe(2);

  await server.failOver();

  // The first statements fail with their broken connections, as those of a node do.
  await expect
    .poll(() => nodes.findOwner(channelId).catch(() => undefined))
    .toEqual({ channelId, epoch: 1, owner: by(first) });
  expect(await channels.findChannel(lost.channelId)).toBeUndefined();
  expect(await channels.findChannel(channelId)).toMatchObject({ revision: 1 });

  // The second node is registered again, with its own number, and claims.
  expect(await nodes.claim(channelId, by(second), 1)).toEqual({ kind: "taken" });
  expect(await nodes.renewLease(second, LEASE_MS)).toBeUndefined();
  await nodes.restoreNode(second, { ...NODE, nodeId: "b" }, LEASE_MS);
  expect(await nodes.renewLease(second, LEASE_MS)).toBe("serving");
  const claimed = await nodes.claim(channelId, by(second), 1);
  expect(claimed).toMatchObject({ kind: "owned", epoch: 2 ** 40 + 1, former: { incarnation: first, epoch: 1 } });
  const again = await nodes.claim(channelId, by(first), 2 ** 40 + 1);
  expect(again).toMatchObject({ epoch: 2 ** 40 + 2 });
  expect(await nodes.addNode({ ...NODE, nodeId: "c" }, LEASE_MS)).toBeGreaterThan(1_000_000);
  const created = await channels.createChannel(newChannel(3));
  expect(created.targets[0]?.targetId).toBeGreaterThan(1_000_000);
  // A change is newer than the lost one. A node that has a lost one in effect raises the revision.
  expect((await channels.changeChannel(channelId, () => ({ name: "kept" })))?.revision).toBe(1_000_001);
  await nodes.raiseRevision(channelId, 1_000_001);
  await nodes.raiseRevision(channelId, 5);
  expect(await channels.findChannel(channelId)).toMatchObject({ name: "kept", revision: 1_000_002 });
  await database.close();
});
