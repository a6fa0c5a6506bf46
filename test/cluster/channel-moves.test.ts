import { expect, test } from "vitest";
import { ChannelMoves } from "../../src/cluster/channel-moves.ts";
import { NodeRpc } from "../../src/cluster/node-rpc.ts";
import type { Taker } from "../../src/cluster/takers.ts";
import type { Incarnation } from "../../src/control/ports/ownership-store.ts";
import type { GivenBroadcast, MovedBroadcast } from "../../src/control/reports/moved-broadcast.ts";
import { kindOf, NODE_MESSAGE_VERSIONS, readNodeMessages } from "../release/node-messages.ts";
import { MemoryNetwork } from "../support/stages/memory-bus.ts";

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const BROADCAST: MovedBroadcast = {
  broadcast: {
    channelId: "ls-1",
    facts: [{ kind: "publisher-active", time: 1, channelId: "ls-1", ingestId: 1, slot: "main", heldMs: 0 }],
  },
  report: {
    ...{ channelId: "ls-1", startTime: 1, endTime: 2, interruptions: { list: [], count: 0 } },
    targets: [
      {
        ...{ targetId: 5, onAirMs: 1, bytes: 2, retryCount: 0, interruptions: { list: [], count: 0 } },
        drops: { overTime: 0, overBytes: 0, untilKeyframe: 0 },
      },
    ],
  },
  onAirMs: [[5, 1]],
  told: { key: "broken STALLED 5", rank: 2, quietMs: 20_000 },
};

const { broadcast, report } = BROADCAST;

function stage() {
  const network = new MemoryNetwork();
  const asked: unknown[] = [];
  const state = {
    ...{ given: BROADCAST as unknown, takes: true, taker: { incarnation: 2, isUpgraded: false } as Taker | undefined },
    ...{ isFedElsewhere: true, isHeldOnLoss: true },
  };
  const node = (self: Incarnation) => {
    const bus = network.newBus();
    return new ChannelMoves({
      ...{ self, bus, log, rpc: new NodeRpc(bus, self) },
      takers: {
        ranked: () => (state.taker === undefined ? [] : [state.taker]),
        took: (by) => void asked.push(["took", self, by]),
      },
      prepare: async () => void asked.push(["prepare", self]),
      done: () => void asked.push(["done", self]),
      onAir: () =>
        new Map([
          ["ls-1", 7],
          ["ls-3", 9],
        ]),
      give: async (channelId, epoch) => {
        asked.push(["give", self, channelId, epoch]);
        return state.given as MovedBroadcast | undefined;
      },
      take: async (channelId, epoch, from) => {
        asked.push(["take", self, channelId, epoch, from]);
        return state.takes;
      },
      isFedElsewhere: () => state.isFedElsewhere,
      isHeldOnLoss: async () => state.isHeldOnLoss,
      disconnect: (channelId) => void asked.push(["disconnect", self, channelId]),
    });
  };
  return { asked, state, first: node(1), second: node(2) };
}

const givenBy = (given: GivenBroadcast) => (given === "no-reply" ? undefined : given);
const OWNER = { channelId: "ls-1", epoch: 7, incarnation: 1 };

test("a node asks another one to take a channel, which asks the owner for its broadcast", async () => {
  const { first, second, asked } = stage();
  const [one, same] = [first.move("ls-1"), first.move("ls-1")];
  expect(await Promise.all([one, same])).toEqual([true, true]);
  expect(await second.fetch(OWNER)).toEqual(BROADCAST);
  expect(asked).toEqual([
    ["take", 2, "ls-1", 7, 1],
    ["took", 1, 2],
    ["give", 1, "ls-1", 7],
  ]);
});

test("a channel stays that is off air, that no node takes, or where no other node serves", async () => {
  const { first, state } = stage();
  expect(await first.move("ls-2")).toBe(false);
  state.takes = false;
  expect(await first.move("ls-1")).toBe(false);
  state.takes = true;
  state.taker = undefined;
  expect(await first.move("ls-1")).toBe(false);
  // One that is gone.
  state.taker = { incarnation: 3, isUpgraded: false };
  expect(await first.move("ls-1")).toBe(false);
});

test("all channels are moved one after another", async () => {
  const { first, asked } = stage();
  first.moveAll();
  first.moveAll();
  await expect.poll(() => asked.length).toBe(6);
  expect(asked).toEqual([
    ["prepare", 1],
    ["take", 2, "ls-1", 7, 1],
    ["took", 1, 2],
    ["take", 2, "ls-3", 9, 1],
    ["took", 1, 2],
    ["done", 1],
  ]);
});

test("a person chooses where all go; another wish holds for those that are left", async () => {
  const { first, asked, state } = stage();
  state.taker = { incarnation: 1, isUpgraded: false };
  first.moveAll(2);
  await expect.poll(() => asked.length).toBe(6);
  expect(asked.splice(0)).toEqual([
    ["prepare", 1],
    ["take", 2, "ls-1", 7, 1],
    ["took", 1, 2],
    ["take", 2, "ls-3", 9, 1],
    ["took", 1, 2],
    ["done", 1],
  ]);
  // The wish is over with these channels.
  state.taker = undefined;
  first.moveAll(2);
  first.moveAll();
  await expect.poll(() => asked.length).toBe(2);
  expect(asked).toEqual([
    ["prepare", 1],
    ["done", 1],
  ]);
});

test("a node that ends moves a channel whose encoder stays, and disconnects its own encoder, which brings the broadcast along", async () => {
  const { first, state, asked } = stage();
  await first.leave("ls-1");
  expect(asked.splice(0)).toEqual([
    ["take", 2, "ls-1", 7, 1],
    ["took", 1, 2],
  ]);
  // No node took it.
  state.takes = false;
  await first.leave("ls-1");
  expect(asked.splice(0)).toEqual([
    ["take", 2, "ls-1", 7, 1],
    ["disconnect", 1, "ls-1"],
  ]);
  state.takes = true;
  state.isFedElsewhere = false;
  await first.leave("ls-1");
  expect(asked).toEqual([["disconnect", 1, "ls-1"]]);
});

test.for<[string, { readonly isUpgraded: boolean; readonly isHeldOnLoss: boolean; readonly moves: boolean }]>([
  ["a node that was upgraded, where the platforms are held", { isUpgraded: true, isHeldOnLoss: true, moves: true }],
  ["no other node where nothing is held", { isUpgraded: true, isHeldOnLoss: false, moves: false }],
  ["no node that ends too", { isUpgraded: false, isHeldOnLoss: true, moves: false }],
])("a node that ends gives its own encoder's broadcast to %s", async ([, { isUpgraded, isHeldOnLoss, moves }]) => {
  const { first, state, asked } = stage();
  Object.assign(state, { isFedElsewhere: false, isHeldOnLoss, taker: { incarnation: 2, isUpgraded } });
  await first.leave("ls-1");
  expect(asked).toContainEqual(moves ? ["take", 2, "ls-1", 7, 1] : ["disconnect", 1, "ls-1"]);
  expect(asked).toHaveLength(moves ? 2 : 1);
});

test.each(NODE_MESSAGE_VERSIONS)("a broadcast that a node of %s gives goes on", async (version) => {
  const { second, state } = stage();
  const { body, reply } = readNodeMessages(version).find((message) => kindOf(message) === "node.rpc hand-over") ?? {};
  state.given = reply?.["given"];
  const channelId = String(body?.["channelId"]);
  expect(await second.fetch({ ...OWNER, channelId })).toEqual(reply?.["given"]);
  expect(givenBy(await second.fetch({ ...OWNER, channelId }))?.broadcast.facts.length).toBeGreaterThan(1);
});

test("facts that only a newer node knows are left out", async () => {
  const { second, state } = stage();
  const newer = { kind: "something-new", time: 2, channelId: "ls-1", more: 1 };
  state.given = { ...BROADCAST, more: 1, broadcast: { ...broadcast, facts: [...broadcast.facts, newer] } };
  expect(await second.fetch(OWNER)).toMatchObject(BROADCAST);
  expect(givenBy(await second.fetch(OWNER))?.broadcast.facts).toEqual(broadcast.facts);
});

test("a broadcast goes on without what another node says that people were told, where that is not understood", async () => {
  const { second, state } = stage();
  state.given = { ...BROADCAST, told: { key: 5 } };
  const { told: _left, ...rest } = BROADCAST;
  expect(await second.fetch(OWNER)).toEqual(rest);
});

test.for<[string, unknown]>([
  ["nothing", undefined],
  ["another channel's broadcast", { ...BROADCAST, broadcast: { ...broadcast, channelId: "ls-2" } }],
  ["no facts", { ...BROADCAST, broadcast: { ...broadcast, facts: [] } }],
  [
    "facts of an unknown kind",
    { ...BROADCAST, broadcast: { ...broadcast, facts: [{ kind: "x", time: 1, channelId: "ls-1" }] } },
  ],
  ["a report without its start", { ...BROADCAST, report: { ...report, startTime: "x" } }],
  ["times below zero", { ...BROADCAST, onAirMs: [[1, -1]] }],
])("a node that gives %s gives nothing", async ([, given]) => {
  const { second, state } = stage();
  state.given = given;
  expect(await second.fetch(OWNER)).toBeUndefined();
});

test("a node that is gone is told from one that has nothing to give", async () => {
  const { second } = stage();
  expect(await second.fetch({ ...OWNER, incarnation: 9 })).toBe("no-reply");
});
