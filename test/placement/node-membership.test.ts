import { expect, test } from "vitest";
import type { NodeState } from "../../src/control/ports/ownership-store.ts";
import { NodeDirectory } from "../../src/placement/node-directory.ts";
import { NodeMembership } from "../../src/placement/node-membership.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const NODE = { nodeId: "a", advertise: ["x:1"], version: "1", schemaStep: "1", keyIds: ["k"] };

async function stage() {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const state = { isAway: false, row: "serving" as NodeState | undefined };
  const store = {
    renewLease: async () => {
      asked.push("renew");
      if (state.isAway) throw new Error("away");
      return state.row;
    },
    restoreNode: async (incarnation: number, node: typeof NODE) => {
      asked.push(`restore ${incarnation} ${node.nodeId}`);
      state.row = "serving";
    },
    setNodeState: async (_incarnation: number, set: NodeState) => {
      asked.push(set);
      if (state.isAway) throw new Error("away");
      state.row = set;
    },
    markLost: async () => false,
  };
  const membership = new NodeMembership({
    ...{ self: 7, clock, log, store, node: () => NODE, nodes: new NodeDirectory({ listNodes: async () => [] }) },
    ...{ isHeard: async () => true, onLost: () => undefined },
  });
  await membership.start();
  const pass = async (ms: number) => {
    clock.advance(ms);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    return asked.splice(0);
  };
  return { membership, state, pass };
}

test("a node renews its lease every ten seconds; one that failed is tried again soon, then every two seconds", async () => {
  const { state, pass } = await stage();
  expect(await pass(9_999)).toEqual([]);
  state.isAway = true;
  expect(await pass(1)).toEqual(["renew"]);
  for (const pauseMs of [500, 1_000, 2_000, 2_000]) {
    expect(await pass(pauseMs - 1)).toEqual([]);
    expect(await pass(1)).toEqual(["renew"]);
  }
  state.isAway = false;
  expect(await pass(2_000)).toEqual(["renew"]);
  expect(await pass(9_999)).toEqual([]);
  state.isAway = true;
  expect(await pass(1)).toEqual(["renew"]);
  expect(await pass(500)).toEqual(["renew"]);
});

test("a renewal that something else asked for, and that failed, is tried again as soon, and only once", async () => {
  const { membership, state, pass } = await stage();
  await pass(5_000);
  state.isAway = true;
  membership.renewNow();
  expect(await pass(0)).toEqual(["renew"]);
  state.isAway = false;
  expect(await pass(499)).toEqual([]);
  expect(await pass(1)).toEqual(["renew"]);
  // The renewal that was planned before is not made as well.
  expect(await pass(9_999)).toEqual([]);
  membership.stop();
  expect(await pass(20_000)).toEqual([]);
});

test("a node that the database lost registers again with its number, at once where it is asked to", async () => {
  const { membership, state, pass } = await stage();
  state.row = undefined;
  membership.renewNow();
  expect(await pass(0)).toEqual(["renew", "restore 7 a"]);
  expect(membership.state).toBe("serving");
  membership.renewNow();
  expect(await pass(999)).toEqual([]);
  membership.renewNow();
  expect(await pass(1)).toEqual([]);
  membership.renewNow();
  expect(await pass(0)).toEqual(["renew"]);
});

test("a node that drains goes on doing so, whatever the database lost", async () => {
  const { membership, state, pass } = await stage();
  await membership.setState("draining");
  await pass(0);
  state.row = undefined;
  expect(await pass(10_000)).toEqual(["renew", "restore 7 a", "draining"]);
  expect(membership.state).toBe("draining");
  expect(await pass(10_000)).toEqual(["renew"]);
});

test("a node that begins to drain while the database is away takes no channels, and tells it so when it is back", async () => {
  const { membership, state, pass } = await stage();
  state.isAway = true;
  await expect(membership.setState("draining")).rejects.toThrow("away");
  expect([membership.state, await pass(0)]).toEqual(["draining", ["draining"]]);
  expect(await pass(10_000)).toEqual(["renew"]);
  state.isAway = false;
  expect(await pass(500)).toEqual(["renew", "draining"]);
  expect([membership.state, state.row]).toEqual(["draining", "draining"]);
});
