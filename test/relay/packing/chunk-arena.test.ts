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

/** So many batches of so many bytes, each in one piece; returns where the last one lies. */
function batches(arena: ChunkArena, count: number, bytes: number) {
  for (let left = count; ; left -= 1) {
    const place = allocate(arena, bytes);
    arena.settle(undefined);
    if (left <= 1) return place;
  }
}

test("a batch starts in a block of its own when the block before has less room than usual", () => {
  const arena = new ChunkArena();
  const { block } = batches(arena, 6, 60_000);
  const next = [allocate(arena, 10_000), allocate(arena, 10_000)];
  expect(next.map(({ start }) => start)).toEqual([0, 10_000]);
  expect(next.every((each) => each.block === next[0]?.block && each.block !== block)).toBe(true);
});

test("a stream of a low rate gets small blocks, and larger ones once its batches are larger", () => {
  const arena = new ChunkArena();
  expect(batches(arena, 1, 3_000).block.bytes.length).toBe(64 * 1024);
  expect(allocate(arena, 65_000).block.bytes.length).toBe(64 * 1024);
  expect(allocate(arena, 66_000).block.bytes.length).toBe(256 * 1024);
  arena.settle(undefined);
  expect(batches(arena, 5, 60_000).block.bytes.length).toBe(256 * 1024);
});

test("of blocks that no stream took for 5 s half go back to the system, at most 16 in a second", () => {
  const store = new BlockStore();
  const take = (count: number) => Array.from({ length: count }, () => store.take(256 * 1024));
  const blocks = take(80);
  for (const block of blocks) store.giveBack(block);
  const pass = (ticks: number) => {
    for (let count = 0; count < ticks; count += 1) store.tick();
    return blocks.filter(({ bytes }) => bytes.length > 0).length;
  };
  expect(pass(5)).toBe(80);
  // 30 of them are taken once in this time: of 50 half are too many.
  for (const block of take(30)) store.giveBack(block);
  expect([pass(5), pass(1), pass(1)]).toEqual([64, 55, 55]);
  const taken = take(56);
  expect(taken.filter((block) => blocks.includes(block))).toHaveLength(55);
  expect(taken.every(({ bytes }) => bytes.length === 256 * 1024)).toBe(true);
});

test("one large batch, a keyframe's, does not make the blocks after it be left with room", () => {
  const arena = new ChunkArena();
  batches(arena, 40, 37_000);
  allocate(arena, 250_000);
  arena.settle(undefined);
  const first = allocate(arena, 37_000);
  arena.settle(undefined);
  const places = [allocate(arena, 37_000), allocate(arena, 37_000)];
  expect(places).toEqual([37_000, 74_000].map((start) => ({ block: first.block, start })));
});

test("blocks before the oldest stay while they are named, and only so long", () => {
  const store = new BlockStore();
  const [arena, other] = [new ChunkArena(store), new ChunkArena(store)];
  const whole = () => allocate(arena, 256 * 1024).block;
  const blocks = [whole(), whole(), whole(), whole()] as const;
  arena.settle(blocks[3], [blocks[1]]);
  const reused = [allocate(other, 200_000).block, allocate(other, 256 * 1024).block];
  expect(new Set(reused)).toEqual(new Set([blocks[0], blocks[2]]));
  arena.settle(blocks[3], []);
  expect(allocate(other, 256 * 1024).block).toBe(blocks[1]);
});

test("a block that is held is reused once nothing holds it, unless the arena was cleared meanwhile", () => {
  const store = new BlockStore();
  const [arena, other] = [new ChunkArena(store), new ChunkArena(store)];
  const whole = () => allocate(arena, 256 * 1024).block;
  const blocks = [whole(), whole(), whole()] as const;
  blocks[0].holders = 2;
  blocks[1].holders = 1;
  arena.settle(blocks[2]);
  expect(blocks).not.toContain(allocate(other, 256 * 1024).block);
  blocks[0].holders = 0;
  arena.settle(blocks[2]);
  expect(allocate(other, 256 * 1024).block).toBe(blocks[0]);
  arena.clear();
  blocks[1].holders = 0;
  expect(allocate(other, 256 * 1024).block).toBe(blocks[2]);
  expect(allocate(other, 256 * 1024).block).not.toBe(blocks[1]);
});

test("blocks that are no longer needed are reused by the next arena that asks, but kept blocks and those behind the oldest never are", () => {
  const store = new BlockStore();
  const [arena, other] = [new ChunkArena(store), new ChunkArena(store)];
  const whole = () => allocate(arena, 256 * 1024).block;
  const blocks = [whole(), whole(), whole(), whole()] as const;
  arena.settle(blocks[2]);
  const reused = [allocate(other, 200_000).block, allocate(other, 256 * 1024).block];
  expect(new Set(reused)).toEqual(new Set([blocks[0], blocks[1]]));
  blocks[2].isKept = true;
  arena.settle(undefined);
  expect(blocks).not.toContain(allocate(other, 256 * 1024).block);
  arena.clear();
  expect(allocate(other, 256 * 1024).block).toBe(blocks[3]);
});

test("what many channels give back at once, since their keyframes come together, is used again", () => {
  const store = new BlockStore();
  const arenas = Array.from({ length: 100 }, () => new ChunkArena(store));
  const fill = () => arenas.flatMap((arena) => [1, 2, 3, 4].map(() => allocate(arena, 256 * 1024).block));
  const blocks = new Set(fill());
  for (const arena of arenas) arena.clear();
  expect(fill().filter((block) => !blocks.has(block))).toEqual([]);
});

test("a message larger than a block has a block of its own, which is not reused", () => {
  const store = new BlockStore();
  const arena = new ChunkArena(store);
  const large = allocate(arena, 1_000_000).block;
  expect(large.bytes.length).toBe(1_000_000);
  arena.clear();
  expect(allocate(arena, 1_000).block).not.toBe(large);
});
