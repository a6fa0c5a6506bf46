import { expect, test } from "vitest";
import { ExpectedMoves } from "../../src/cluster/expected-moves.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

/** What the media threads are told, each with its time in milliseconds. */
function stage() {
  const clock = new VirtualClock();
  const told: [number, boolean][] = [];
  const state = { isDraining: false };
  const moves = new ExpectedMoves({
    clock,
    isDraining: () => state.isDraining,
    tell: (areExpected) => told.push([clock.now(), areExpected]),
  });
  /** Advances time by steps of 100 ms until the promise resolves; returns how long that took. */
  const waited = async (promise: Promise<void>) => {
    const startMs = clock.now();
    let isOver = false;
    void promise.then(() => {
      isOver = true;
    });
    clock.advance(0);
    for (;;) {
      await Promise.resolve();
      await Promise.resolve();
      if (isOver) return clock.now() - startMs;
      if (clock.now() - startMs > 60_000) throw new Error("it did not resolve within a minute");
      clock.advance(100);
    }
  };
  return { clock, told, state, moves, waited };
}

test("streams are kept from 2.5 s before the first move to 10 s after the last one", async () => {
  const { clock, told, moves, waited } = stage();
  expect(await waited(moves.prepare())).toBe(2_500);
  moves.done();
  clock.advance(9_999);
  expect(told).toEqual([[0, true]]);
  clock.advance(1);
  expect(told).toEqual([
    [0, true],
    [12_500, false],
  ]);
  // Then everything begins anew.
  expect(await waited(moves.prepare())).toBe(2_500);
  expect(told.at(-1)).toEqual([12_500, true]);
});

test("moves that follow others within ten seconds need not wait, and streams are kept without a gap", async () => {
  const { clock, told, moves, waited } = stage();
  await waited(moves.prepare());
  moves.done();
  clock.advance(5_000);
  expect(await waited(moves.prepare())).toBe(0);
  clock.advance(60_000);
  expect(told).toEqual([[0, true]]);
  moves.done();
  clock.advance(10_000);
  expect(told.at(-1)).toEqual([77_500, false]);
});

test("a node that drains keeps streams to its end, and its first move waits for what is left of 2.5 s", async () => {
  const { clock, told, state, moves, waited } = stage();
  state.isDraining = true;
  moves.begin();
  clock.advance(1_000);
  expect(await waited(moves.prepare())).toBe(1_500);
  moves.done();
  clock.advance(60_000);
  expect(told).toEqual([[0, true]]);
});
