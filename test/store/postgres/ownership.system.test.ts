import { afterEach, beforeEach, expect, test } from "vitest";
import { PostgresOwnershipStore } from "../../../src/store/ownership/ownership-store.ts";
import { newChannel } from "../suites/store-suite-data.ts";
import { openNode, startMigratedServer, storesOf } from "./nodes.ts";

/** More by hand: `CLAIM_RACES=1000`. */
const RACES = Number(process.env["CLAIM_RACES"] ?? 100);
const AT_ONCE = 64;
const LEASE_MS = 30_000;
const NODE = { advertise: ["10.0.0.1:7400"], version: "0.1.0", schemaStep: "0030-nodes", keyIds: ["0a0b0c0d"] };

const { server, newDatabase } = await startMigratedServer();

let name = "";
let databases: readonly Awaited<ReturnType<typeof openNode>>[];
let nodes: readonly [PostgresOwnershipStore, PostgresOwnershipStore];
let incarnations: readonly [number, number];
let channelId = "";
beforeEach(async () => {
  name = await newDatabase();
  const [first, second] = [await openNode(server, name), await openNode(server, name)];
  databases = [first, second];
  nodes = [new PostgresOwnershipStore(first), new PostgresOwnershipStore(second)];
  incarnations = [
    await nodes[0].addNode({ ...NODE, nodeId: "a" }, LEASE_MS),
    await nodes[1].addNode({ ...NODE, nodeId: "b" }, LEASE_MS),
  ];
  ({ channelId } = await storesOf(first).channels.createChannel(newChannel(1)));
});
afterEach(async () => {
  for (const database of databases) await database.close();
});

const by = (index: 0 | 1, home = 0) => ({ incarnation: incarnations[index], home });

test("a channel is claimed, claimed from its owner, and released; its epoch only rises", async () => {
  expect(await nodes[0].findOwner(channelId)).toBeUndefined();
  expect(await nodes[0].claim(channelId, by(0, 2), 0)).toEqual({ kind: "owned", epoch: 1, revision: 1 });
  expect(await nodes[1].findOwner(channelId)).toEqual({ channelId, epoch: 1, owner: by(0, 2) });
  expect(await nodes[1].claim(channelId, by(1), 0)).toEqual({ kind: "taken" });
  const taken = { kind: "owned", epoch: 2, revision: 1, former: { incarnation: incarnations[0], epoch: 1 } };
  expect(await nodes[1].claim(channelId, by(1), 1)).toEqual(taken);
  await nodes[0].release(channelId, incarnations[0], 1);
  expect(await nodes[0].findOwner(channelId)).toEqual({ channelId, epoch: 2, owner: by(1) });
  await nodes[1].release(channelId, incarnations[1], 2);
  expect(await nodes[0].findOwner(channelId)).toEqual({ channelId, epoch: 2 });
  expect(await nodes[0].claim(channelId, by(0), 2)).toMatchObject({ kind: "owned", epoch: 3 });
  expect(await nodes[0].compare([channelId, "ls-2"])).toEqual([{ channelId, epoch: 3, owner: by(0), revision: 1 }]);
});

test("exactly one of several nodes that claim one channel at once owns it, again and again", async () => {
  let seenEpoch = 0;
  for (let race = 0; race < RACES; race += 1) {
    const claims = await Promise.all([
      nodes[0].claim(channelId, by(0), seenEpoch),
      nodes[1].claim(channelId, by(1), seenEpoch),
    ]);
    const winners = claims.flatMap((claim, index) => (claim.kind === "owned" ? [{ claim, index }] : []));
    expect(winners).toHaveLength(1);
    expect(winners[0]?.claim.epoch).toBe(seenEpoch + 1);
    seenEpoch += 1;
    const owner = await nodes[0].findOwner(channelId);
    expect(owner?.owner?.incarnation).toBe(incarnations[winners[0]?.index === 0 ? 0 : 1]);
  }
});

test("one of 64 simultaneous claims on the same epoch wins", async () => {
  const claims = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, index) => nodes[index % 2 === 0 ? 0 : 1].claim(channelId, by(0, index), 0)),
  );
  expect(claims.filter(({ kind }) => kind === "owned")).toHaveLength(1);
});

test("a claim by an unknown epoch, a channel that is not live, or a node that drains, left or is unknown is refused", async () => {
  expect(await nodes[0].claim(channelId, by(0), 5)).toEqual({ kind: "taken" });
  expect(await nodes[0].claim("ls-unknown", by(0), 0)).toEqual({ kind: "taken" });
  expect(await nodes[0].claim(channelId, { incarnation: 99, home: 0 }, 0)).toEqual({ kind: "taken" });
  for (const state of ["draining", "left"] as const) {
    await nodes[0].setNodeState(incarnations[0], state);
    expect(await nodes[0].claim(channelId, by(0), 0)).toEqual({ kind: "taken" });
  }
  await storesOf(databases[0] ?? raise()).channels.changeChannel(channelId, () => ({ state: "blocked" }));
  expect(await nodes[1].claim(channelId, by(1), 0)).toEqual({ kind: "taken" });
});

test("a node counts as lost once, when its lease is over, and serves again when it renews the lease", async () => {
  expect(await nodes[1].markLost(incarnations[0])).toBe(false);
  await server.query(
    `update node set lease_until = lease_until - ${LEASE_MS + 1} where incarnation = ${incarnations[0]}`,
    name,
  );
  const marked = await Promise.all(
    Array.from({ length: 8 }, (_, index) => nodes[index % 2 === 0 ? 0 : 1].markLost(incarnations[0])),
  );
  expect(marked.filter((each) => each)).toHaveLength(1);
  const [first, second] = await nodes[1].listNodes();
  expect(first).toMatchObject({ ...NODE, nodeId: "a", incarnation: incarnations[0], state: "lost" });
  expect(first?.leaseLeftMs).toBeLessThan(0);
  expect(second?.leaseLeftMs).toBeGreaterThan(0);
  expect(await nodes[0].renewLease(incarnations[0], LEASE_MS)).toBe("serving");
});

test("a node that left is listed while it owns something", async () => {
  await nodes[0].claim(channelId, by(0), 0);
  await nodes[0].setNodeState(incarnations[0], "left");
  expect((await nodes[1].listNodes()).map(({ nodeId, state }) => [nodeId, state])).toEqual([
    ["a", "left"],
    ["b", "serving"],
  ]);
  await nodes[1].claim(channelId, by(1), 1);
  expect((await nodes[1].listNodes()).map(({ nodeId }) => nodeId)).toEqual(["b"]);
});

test("a claim is held up neither by totals that are being written nor by a change of the settings that is not committed", async () => {
  const commit = await server.transaction(
    name,
    `update channel set publish_ms = publish_ms + 1 where channel_id = '${channelId}'`,
  );
  expect(await nodes[0].claim(channelId, by(0), 0)).toMatchObject({ kind: "owned" });
  await commit();
});

function raise(): never {
  throw new Error("no node");
}

test("an ownership that the database lost is written again, unless it knows a higher one or a newer process", async () => {
  expect(await nodes[0].assertOwner(channelId, by(0, 1), 8)).toBe(true);
  expect(await nodes[1].findOwner(channelId)).toEqual({ channelId, epoch: 8, owner: by(0, 1) });
  expect(await nodes[0].assertOwner(channelId, by(0), 7)).toBe(false);
  expect(await nodes[1].assertOwner(channelId, by(1), 8)).toBe(true);
  expect(await nodes[0].assertOwner(channelId, by(0), 8)).toBe(false);
  expect(await nodes[0].findOwner(channelId)).toEqual({ channelId, epoch: 8, owner: by(1) });
  expect(await nodes[0].assertOwner("ls-none", by(0), 1)).toBe(false);
});
