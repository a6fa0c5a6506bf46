import { expect, test } from "vitest";
import type { KnownOwner } from "../../src/control/ports/owner-question.ts";
import { type Asked, EarlyQuestions } from "../../src/placement/owner-asker.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const ID = "ls-1";
const OWNER: KnownOwner = { channelId: ID, epoch: 7, incarnation: 2, home: 0, address: "host:2" };
const GONE: Asked = { verdict: "claim", epoch: 7 };

/** Node 1, which knows that node 2 owns the channel. */
function stage() {
  const clock = new VirtualClock();
  const asked: {
    owner: KnownOwner;
    silence: unknown;
    over: AbortSignal | undefined;
    answer: (asked: Asked) => void;
  }[] = [];
  const state = { epoch: 7, incarnation: 2, wakes: 0, isListed: true };
  const early = new EarlyQuestions({
    ...{ self: 1, clock, wakes: () => state.wakes },
    known: {
      get: (channelId) => {
        const { epoch, incarnation } = state;
        return { channelId, epoch, ...(incarnation === 0 ? {} : { owner: { incarnation, home: 0 } }) };
      },
    },
    nodes: {
      stateOf: (incarnation) => (incarnation === 3 ? "left" : "serving"),
      knownAddressOf: (incarnation) => (state.isListed ? `host:${incarnation}` : undefined),
    },
    asker: {
      ask: (owner, silence, over) => {
        const { promise, resolve } = Promise.withResolvers<Asked>();
        asked.push({ owner, silence, over, answer: resolve });
        return promise;
      },
    },
  });
  const answer = async () => {
    asked.at(-1)?.answer(GONE);
    await new Promise(setImmediate);
  };
  return { clock, asked, state, early, answer };
}

test("the owner that is known is asked once, and its answer is for the ownership that the database names", async () => {
  const { asked, early, answer } = stage();
  const silence = { epoch: 7, silentMs: 150 };
  early.begin(ID, silence);
  early.begin(ID);
  expect(asked.map(({ owner, silence: given }) => [owner, given])).toEqual([[OWNER, silence]]);
  const taken = early.take(OWNER);
  await answer();
  expect(await taken).toEqual(GONE);
  // For one caller.
  expect(early.take(OWNER)).toBeUndefined();
  expect(asked[0]?.over?.aborted).toBe(false);
});

test("an answer about another ownership is thrown away, and its question ended", () => {
  for (const named of [{ epoch: 8 }, { incarnation: 4 }, { address: "host:9" }]) {
    const { asked, early } = stage();
    early.begin(ID);
    expect(early.take({ ...OWNER, ...named })).toBeUndefined();
    expect(asked[0]?.over?.aborted).toBe(true);
    expect(early.take(OWNER)).toBeUndefined();
  }
});

test("an answer counts for a tenth of a second, and not once this node stood still", async () => {
  const { clock, early, answer, state } = stage();
  early.begin(ID);
  await answer();
  clock.advance(100);
  expect(early.take(OWNER)).toBeUndefined();
  early.begin(ID);
  await answer();
  clock.advance(99);
  expect(await early.take(OWNER)).toEqual(GONE);
  early.begin(ID);
  state.wakes += 1;
  expect(early.take(OWNER)).toBeUndefined();
  // Shorter than a freeze: its timers run late.
  early.begin(ID);
  await answer();
  clock.pause(101);
  expect(early.take(OWNER)).toBeUndefined();
});

test("nobody is asked where no other node is known that may own the channel; a newer owner is asked anew", () => {
  const { asked, early, state } = stage();
  for (const incarnation of [0, 1, 3]) {
    state.incarnation = incarnation;
    early.begin(ID);
  }
  Object.assign(state, { incarnation: 2, isListed: false });
  early.begin(ID);
  expect(asked).toEqual([]);
  state.isListed = true;
  early.begin(ID);
  state.epoch = 8;
  early.begin(ID);
  expect(asked.map(({ owner, over }) => [owner.epoch, over?.aborted])).toEqual([
    [7, true],
    [8, false],
  ]);
  early.end(ID);
  expect(asked[1]?.over?.aborted).toBe(true);
});
