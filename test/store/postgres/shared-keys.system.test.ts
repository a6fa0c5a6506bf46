import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { provenKeyIds } from "../../../src/store/key-rotation.ts";
import { PostgresOwnershipStore } from "../../../src/store/ownership/ownership-store.ts";
import type { MasterKey } from "../../../src/store/secrets/secrets.ts";
import { SharedKeyRotation } from "../../../src/store/shared-key-rotation.ts";
import { newChannel } from "../suites/store-suite-data.ts";
import { KEYS, openNode, startMigratedServer, storesOf } from "./nodes.ts";

const [OLD] = KEYS;
const NEW: MasterKey = { id: "2a2b2c2d", bytes: randomBytes(32) };
const LEASE_MS = 60_000;
/** More than one batch of rows. */
const CHANNELS = 60;

const { server, newDatabase } = await startMigratedServer();

/** A registered node whose keys a test changes, and whose clock it sets. */
async function open(name: string, keys: readonly [MasterKey, ...MasterKey[]]) {
  const database = await openNode(server, name, keys);
  const { channels } = storesOf(database);
  const nodes = new PostgresOwnershipStore(database);
  const { secrets } = database;
  const about = { nodeId: "n", advertise: [], version: "1", schemaStep: "s" };
  const self = await nodes.addNode({ ...about, keyIds: secrets.keyIds }, LEASE_MS);
  const node = { keys, nowMs: 0 };
  const rotation = new SharedKeyRotation({
    ...{ database, nodes, self, keysFrom: "the test" },
    readKeys: () => node.keys,
    now: () => node.nowMs,
  });
  const keyOf = async (channelId: string) => {
    const row = await database.read((db) =>
      db.selectFrom("channel").where("channel_id", "=", channelId).select("stream_key").executeTakeFirstOrThrow(),
    );
    return row.stream_key.split(".")[1];
  };
  return { ...{ node, database, channels, secrets, rotation, keyOf, nodes, self } };
}

test("nodes seal with a new key when all have it, and then everything is sealed again, while channels are changed", async () => {
  const name = await newDatabase();
  const [a, b] = await Promise.all([open(name, [OLD]), open(name, [OLD])]);
  for (let n = 0; n < CHANNELS; n += 1) await a.channels.createChannel(newChannel(n));
  a.node.keys = [NEW, OLD];
  // The other node could not open what this one would seal.
  await a.rotation.takeUp();
  expect([a.secrets.currentKeyId, a.secrets.keyIds]).toEqual([OLD.id, [OLD.id, NEW.id]]);
  b.node.keys = [NEW, OLD];
  await b.rotation.takeUp();
  expect(b.secrets.currentKeyId).toBe(NEW.id);
  // The first node has not noticed yet: it finds what the second one stores.
  const { channelId } = await b.channels.createChannel(newChannel(CHANNELS, { streamKey: "after-the-change" }));
  expect((await a.channels.findChannelByStreamKey("after-the-change"))?.channelId).toBe(channelId);
  await a.rotation.takeUp();
  expect(a.secrets.currentKeyId).toBe(NEW.id);
  // Nothing is sealed again before all have sealed with the new key for a while.
  for (const { rotation, node } of [a, b]) {
    expect(await rotation.takeUp()).toBe(undefined);
    node.nowMs += 10_000;
  }
  const ids = await a.channels.listChannelIds();
  const changes = Promise.all(
    ids.map((id, at) => a.channels.changeChannel(id, () => ({ streamKey: `changed-${at}` }))),
  );
  const rotations = await Promise.all([a.rotation.takeUp(), b.rotation.takeUp()]);
  await changes;
  expect(rotations.map((each) => each?.keyId ?? NEW.id)).toEqual([NEW.id, NEW.id]);
  expect(rotations.some((each) => (each?.resealedRows ?? 0) > 0)).toBe(true);
  expect(await a.database.read(provenKeyIds)).toEqual([NEW.id]);
  // No change was overwritten by what was read before it.
  const found = await Promise.all(ids.map((_, at) => b.channels.findChannelByStreamKey(`changed-${at}`)));
  expect(found.map((each) => each?.channelId)).toEqual(ids);
  expect(new Set(await Promise.all(ids.map((id) => a.keyOf(id))))).toEqual(new Set([NEW.id]));
  for (const { database } of [a, b]) await database.close();
});

test("a node that starts with a new first key seals with the one that all have", async () => {
  const name = await newDatabase();
  const a = await open(name, [OLD]);
  const b = await open(name, [NEW, OLD]);
  expect(b.secrets.keyIds).toEqual([OLD.id, NEW.id]);
  await a.nodes.setNodeState(a.self, "left");
  const c = await open(name, [NEW, OLD]);
  expect(c.secrets.keyIds).toEqual([NEW.id, OLD.id]);
  // Now values may be sealed with it: a node without it does not start.
  await expect(openNode(server, name, [OLD])).rejects.toThrow(`lacks the key ${NEW.id}`);
  for (const { database } of [a, b, c]) await database.close();
});
