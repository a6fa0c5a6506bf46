import { expect, test } from "vitest";
import { ChunkArena } from "../../../src/relay/packing/chunk-arena.ts";
import { BlockStore } from "../../../src/relay/stream/block-store.ts";

/** Where the memory that an arena allocates lies. */
function allocate(arena: ChunkArena, length: number) {
  const start = arena.allocate(length);
  return { block: arena.block, start };
}

test("consecutive allocations are contiguous, also after a hand-over that leaves enough room", () => {
  const arena = new ChunkArena();
  const first = allocate(arena, 1_000);
  arena.settle(undefined);
  const second = allocate(arena, 2_000);
  expect(second).toEqual({ block: first.block, start: first.start + 1_000 });
});

test("a batch starts in a block of its own when the block before has less room than usual", () => {
  const arena = new ChunkArena();
  const first = allocate(arena, 60_000);
  arena.settle(undefined);
  const rest = first.block.bytes.length - 60_000;
  allocate(arena, rest - 50_000);
  arena.settle(undefined);
  const next = [allocate(arena, 30_000), allocate(arena, 30_000)];
  expect(next.map(({ start }) => start)).toEqual([0, 30_000]);
  expect(next.every(({ block }) => block === next[0]?.block && block !== first.block)).toBe(true);
});

test("blocks that are no longer needed are reused by the next arena that asks, but kept blocks and those behind the oldest never are", () => {
  const store = new BlockStore();
  const [arena, other] = [new ChunkArena(store), new ChunkArena(store)];
  const whole = () => allocate(arena, 256 * 1024).block;
  const blocks = [whole(), whole(), whole(), whole()] as const;
  arena.settle(blocks[2]);
  expect(new Set([allocate(other, 1).block, allocate(other, 256 * 1024).block])).toEqual(
    new Set([blocks[0], blocks[1]]),
  );
  blocks[2].isKept = true;
  arena.settle(undefined);
  expect(blocks).not.toContain(allocate(other, 256 * 1024).block);
  arena.clear();
  expect(allocate(other, 256 * 1024).block).toBe(blocks[3]);
});

test("a message larger than a block has a block of its own, which is not reused", () => {
  const store = new BlockStore();
  const arena = new ChunkArena(store);
  const large = allocate(arena, 1_000_000).block;
  expect(large.bytes.length).toBe(1_000_000);
  arena.clear();
  expect(allocate(arena, 1_000).block).not.toBe(large);
});
