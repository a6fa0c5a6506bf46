import { expect, test } from "vitest";
import { ChunkArena } from "../../src/relay/chunk-arena.ts";

test("what is allocated in a row lies in a row, also after a hand-over that leaves enough room", () => {
  const arena = new ChunkArena();
  const first = arena.allocate(1_000);
  arena.settle();
  const second = arena.allocate(2_000);
  expect(second).toEqual({ block: first.block, start: first.start + 1_000 });
});

test("a gathering begins in a block of its own where the one before is nearly used up", () => {
  const arena = new ChunkArena();
  const first = arena.allocate(1_000);
  const rest = first.block.length - 1_000;
  arena.allocate(rest - 50_000);
  const gathered = [arena.allocate(100), arena.allocate(100)];
  expect(gathered.map(({ block }) => block === first.block)).toEqual([true, true]);
  arena.settle();
  const next = [arena.allocate(30_000), arena.allocate(30_000)];
  expect(next.map(({ start }) => start)).toEqual([0, 30_000]);
  expect(next.every(({ block }) => block === next[0]?.block && block !== first.block)).toBe(true);
});
