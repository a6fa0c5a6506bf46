import { expect, test } from "vitest";
import { ClaimTalk } from "../../src/placement/claim-talk.ts";
import { OwnedEpochs } from "../../src/placement/owned-epochs.ts";
import { OwnershipWatch } from "../../src/placement/ownership-watch.ts";
import type { Flow, IsolatedMode } from "../../src/placement/wake-guard.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const nothing = () => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** A node that owns `ls-1`, whose encoder is lost, and `ls-2`, whose encoder sends. */
function stage(mode: IsolatedMode = "keep") {
  const clock = new VirtualClock();
  const owned = new OwnedEpochs();
  for (const channelId of ["ls-1", "ls-2"]) owned.add({ channelId, epoch: 1, home: 0, revision: 1 });
  const seen = { compares: 0, questions: [] as number[], flows: [] as Flow[], abandoned: [] as string[] };
  const database = { isThere: true, isHeld: false };
  const watch = new OwnershipWatch({
    ...{ clock, log, mode },
    placement: {
      compare: async () => {
        seen.compares += 1;
        if (!database.isThere) throw new Error("the database is away");
      },
      talk: new ClaimTalk({
        ...{ self: 1, owned, nodes: { knownAddressOf: () => undefined } },
        board: { publish: () => true, release: nothing, question: () => void seen.questions.push(clock.now()) },
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
  return { clock, watch, seen, database, pass };
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
