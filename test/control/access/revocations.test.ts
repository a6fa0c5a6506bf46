import { expect, test } from "vitest";
import { Revocations } from "../../../src/control/access/revocations.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

/** One of two nodes, with something open that `key` and a session opened. */
function stage() {
  const clock = new VirtualClock();
  const ended: string[] = [];
  const gone = { sessions: [] as string[], keys: [] as string[], looksAtKeys: 0, told: 0 };
  const revocations = new Revocations({
    clock,
    dashboard: { goneAmong: async () => gone.sessions },
    lasting: [{ owners: () => ["key", "session"], endOf: (owner) => void ended.push(owner) }],
    otherNodes: {
      goneKeys: async () => {
        gone.looksAtKeys += 1;
        return gone.keys;
      },
      tell: () => {
        gone.told += 1;
      },
    },
  });
  revocations.start();
  const pass = async (count: number) => {
    for (let each = 0; each < count; each += 1) {
      clock.advance(500);
      await settled();
    }
  };
  return { clock, ended, gone, revocations, pass };
}

test("a key that another node deleted ends what it opened here: at its word, else within five seconds", async () => {
  const { ended, gone, revocations, pass } = stage();
  gone.keys = ["key"];
  await pass(9);
  expect([ended, gone.looksAtKeys]).toEqual([[], 0]);
  await pass(1);
  expect([ended, revocations.isEnded("key")]).toEqual([["key"], true]);
  const told = stage();
  told.gone.keys = ["key"];
  await told.revocations.look();
  expect(told.ended).toEqual(["key"]);
  // What another node told is not told again: they would tell it each other for ever.
  expect([gone.told, told.gone.told]).toEqual([0, 0]);
});

test("a key that this node deletes is told to the others", () => {
  const { ended, gone, revocations } = stage();
  revocations.end("key");
  expect([ended, gone.told]).toEqual([["key"], 1]);
});

test("where keys cannot be looked up, sessions still end", async () => {
  const { ended, gone, revocations } = stage();
  gone.sessions = ["session"];
  Object.defineProperty(gone, "keys", { get: () => expect.fail("the database is away") });
  await revocations.look();
  expect(ended).toEqual(["session"]);
});

test("ten thousand that have ended are remembered, the latest", () => {
  const { revocations } = stage();
  for (let number = 0; number <= 10_000; number += 1) revocations.end(`key ${number}`);
  expect([0, 1, 10_000].map((number) => revocations.isEnded(`key ${number}`))).toEqual([false, true, true]);
});

test("once it is closed nobody is looked up any more", async () => {
  const { clock, gone, revocations, pass } = stage();
  await pass(10);
  expect(gone.looksAtKeys).toBe(1);
  // In the middle of a look.
  clock.advance(500);
  revocations.close();
  await settled();
  expect(clock.pending).toBe(0);
});
