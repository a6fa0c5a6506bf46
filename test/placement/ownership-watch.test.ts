import { expect, test } from "vitest";
import { ClaimTalk } from "../../src/placement/claim-talk.ts";
import { OwnershipWatch } from "../../src/placement/fencing/ownership-watch.ts";
import type { Flow, IsolatedMode } from "../../src/placement/fencing/wake-guard.ts";
import { OwnedEpochs } from "../../src/placement/owned-epochs.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const nothing = () => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** A node that owns `ls-1`, whose encoder is lost, and `ls-2`, whose encoder sends. */
function stage(mode: IsolatedMode = "keep") {
  const clock = new VirtualClock();
  const owned = new OwnedEpochs();
  for (const channelId of ["ls-1", "ls-2"]) owned.add({ channelId, epoch: 1, home: 0, revision: 1 });
  const peers = new Map<number, boolean>();
  const seen = {
    missed: [] as number[],
    compares: 0,
    questions: [] as number[],
    flows: [] as Flow[],
    abandoned: [] as string[],
  };
  const database = { isThere: true, isHeld: false };
  const watch = new OwnershipWatch({
    ...{ clock, log, mode, peers: () => peers },
    onMissed: () => void seen.missed.push(clock.now()),
    placement: {
      compare: async () => {
        seen.compares += 1;
        if (!database.isThere) throw new Error("the database is away");
      },
      talk: new ClaimTalk({
        ...{ self: 1, owned },
        board: {
          publish: () => true,
          release: async () => true,
          question: () => void seen.questions.push(clock.now()),
        },
      }),
      all: () => owned.all(),
      abandon: (channelId) => {
        owned.delete(channelId, 1);
        seen.abandoned.push(channelId);
      },
    },
    heldSinceMs: (channelId) => (database.isHeld && channelId === "ls-1" ? 0 : undefined),
    onFlow: (flow) => seen.flows.push(flow),
  });
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250);
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    }
  };
  return { clock, watch, seen, database, peers, pass };
}

test("ownerships are compared every five seconds, and every 0.75 s while the bus or the database is away", async () => {
  const { watch, seen, database, pass } = stage();
  watch.bus(true);
  await pass(10_000);
  expect(seen.compares).toBe(2);
  watch.bus(false);
  await pass(3_000);
  expect(seen.compares).toBe(6);
  watch.bus(true);
  database.isThere = false;
  await pass(6_000);
  database.isThere = true;
  const before = seen.compares;
  await pass(750);
  expect(seen.compares).toBe(before + 1);
});

test("a node that woke sends nothing before the database has compared, and asks the other nodes again and again", async () => {
  const { watch, seen, database, pass } = stage();
  watch.bus(true);
  await pass(1_000);
  database.isThere = false;
  seen.questions.length = 0;
  watch.woke();
  expect(seen.flows).toEqual(["hold"]);
  await pass(500);
  expect([seen.flows, seen.questions.length]).toEqual([["hold"], 3]);
  database.isThere = true;
  await pass(500);
  expect(seen.flows).toEqual(["hold", "flow"]);
  await pass(1_000);
  expect(seen.questions.length).toBeLessThan(6);
});

test("while the database does not answer the other nodes are asked for claims at once and every three seconds", async () => {
  const { watch, seen, database, pass } = stage();
  watch.bus(true);
  await pass(10_000);
  // The new connection to the bus.
  expect(seen.questions).toEqual([0]);
  database.isThere = false;
  await pass(15_000);
  // The comparison at 10.25 s fails, and the next tick asks.
  const asked = [0, 10_500, 13_500, 16_500, 19_500, 22_500];
  expect(seen.questions).toEqual(asked);
  watch.bus(false);
  await pass(5_000);
  watch.bus(true);
  database.isThere = true;
  await pass(20_000);
  expect(seen.questions).toEqual([...asked, 30_000]);
});

test("an isolated node leaves a channel whose encoder is lost for ten seconds, and no other", async () => {
  const { watch, seen, database, pass } = stage();
  database.isThere = false;
  database.isHeld = true;
  await pass(9_750);
  expect([seen.abandoned, watch.isolatedMs]).toEqual([[], 9_750]);
  await pass(250);
  expect(seen.abandoned).toEqual(["ls-1"]);
  await pass(60_000);
  expect([seen.abandoned, seen.flows]).toEqual([["ls-1"], []]);
  // With `stop` all ends after half a minute.
  const stopping = stage("stop");
  stopping.database.isThere = false;
  await stopping.pass(30_000);
  expect(stopping.seen.flows).toEqual(["stop"]);
});

test("a server of the bus that is cut off from the others keeps its clients: a node that hears nobody on it is isolated", async () => {
  const { watch, seen, database, peers, pass } = stage();
  watch.bus(true);
  for (const peer of [2, 3]) peers.set(peer, true);
  await pass(10_000);
  database.isThere = false;
  for (const peer of [2, 3]) peers.set(peer, false);
  await pass(5_000);
  expect(watch.isolatedMs).toBe(4_750);
  expect(seen.compares).toBe(9);
  // Its client learns nothing when the servers hear each other again: it asks for what it missed.
  seen.questions.length = 0;
  expect(seen.missed).toEqual([0]);
  peers.set(2, true);
  await pass(250);
  expect([seen.questions, seen.missed, watch.isolatedMs]).toEqual([[15_250], [0, 15_250], 0]);
  // All the same where the connection itself is lost meanwhile.
  peers.set(2, false);
  await pass(4_000);
  watch.bus(false);
  await pass(4_000);
  expect(watch.isolatedMs).toBe(7_750);
});

test("while the database is away and one listed node is silent, a lost encoder is held for ten seconds", async () => {
  const { watch, seen, database, peers, pass } = stage();
  watch.bus(true);
  for (const peer of [2, 3]) peers.set(peer, true);
  database.isHeld = true;
  peers.set(2, false);
  await pass(20_000);
  expect(seen.abandoned).toEqual([]);
  database.isThere = false;
  peers.set(2, true);
  await pass(20_000);
  // Each of them would have told of its claim.
  expect(seen.abandoned).toEqual([]);
  seen.questions.length = 0;
  peers.set(2, false);
  await pass(250);
  expect([seen.abandoned, watch.isolatedMs, seen.flows]).toEqual([["ls-1"], 0, []]);
  // One that is heard again is asked at once, and nothing of the others was missed.
  seen.questions.length = 0;
  database.isThere = true;
  await pass(1_000);
  peers.set(2, true);
  await pass(250);
  expect([seen.questions, seen.missed]).toEqual([[41_500], [0]]);
});

test("a node that has just begun, or woke, waits for the heartbeats of the others", async () => {
  const { watch, seen, database, peers, pass } = stage();
  watch.bus(true);
  database.isThere = false;
  peers.set(2, false);
  await pass(2_750);
  expect(watch.isolatedMs).toBe(0);
  peers.set(2, true);
  await pass(1_000);
  peers.set(2, false);
  watch.woke();
  await pass(2_750);
  peers.set(2, true);
  await pass(1_000);
  expect([watch.isolatedMs, seen.missed]).toEqual([0, [0]]);
});

test("a machine that was suspended, and its monotonic clock with it, is noticed by its wall clock", async () => {
  const { clock, watch, seen, database, pass } = stage();
  watch.bus(true);
  await pass(1_000);
  clock.setWall(-60_000);
  await pass(1_000);
  expect([watch.countWakes(), seen.flows]).toEqual([0, []]);
  database.isThere = false;
  clock.setWall(20_000);
  expect([watch.countWakes(), seen.flows]).toEqual([1, ["hold"]]);
  database.isThere = true;
  await pass(1_000);
  expect(seen.flows).toEqual(["hold", "flow"]);
});
