import { afterEach, beforeEach, expect, test } from "vitest";
import type { HistoryBlock } from "../../../src/control/history/history.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { blockBytes, readBlockBytes } from "../../../src/store/history/block-bytes.ts";
import { SqlHistoryStore } from "../../../src/store/history/history-store.ts";
import { newTestDatabase, type TestDatabase } from "./test-databases.ts";

const A = "ls-20260101000000-00001";
const B = "ls-20260101000000-00002";

let place: TestDatabase;
let database: Database;
let store: SqlHistoryStore;
beforeEach(async () => {
  place = await newTestDatabase();
  database = await place.open();
  store = new SqlHistoryStore(database);
});
afterEach(async () => {
  await database.close();
  await place.remove();
});

function block(start: number, change: Partial<HistoryBlock> = {}): HistoryBlock {
  const times = [start, start + 1_000, start + 2_003];
  const target = { targetId: 7, rates: [750_000, 0, 750_125], queueMs: [0, 40, 5_000], drops: [0, 0, 9] };
  return {
    ...{ channelId: A, step: "second", times, ingestRates: [750_000, 751_000, 125] },
    targets: [{ ...target, retries: [0, 1, 0] }],
    ...change,
  };
}

test("a block is read as it was written, also with large, negative and no numbers", () => {
  const { channelId: _channelId, step: _step, ...values } = block(1_800_000_000_000);
  expect(readBlockBytes(blockBytes(values))).toEqual(values);
  const odd = { times: [2 ** 50, 0, 5], ingestRates: [0, 125 * 2 ** 40, 125], targets: [] };
  expect(readBlockBytes(blockBytes(odd))).toEqual(odd);
});

test("a malformed block is refused, and does not keep a reader busy without end", () => {
  const bytes = blockBytes(block(1));
  expect(() => readBlockBytes(bytes.subarray(0, 9))).toThrow();
  expect(() => readBlockBytes(Buffer.from("nonsense"))).toThrow();
});

test("a minute of five steady targets takes some hundred bytes", () => {
  const seconds = Array.from({ length: 60 }, (_, index) => index);
  const rates = seconds.map((index) => 750_000 + 125 * ((index * 7_919) % 72));
  const zeros = seconds.map(() => 0);
  const targets = [1, 2, 3, 4, 5].map((targetId) => ({
    targetId,
    rates,
    queueMs: zeros,
    drops: zeros,
    retries: zeros,
  }));
  const times = seconds.map((index) => 1_800_000_000_000 + index * 1_000);
  expect(blockBytes({ times, ingestRates: rates, targets }).length).toBeLessThan(600);
});

test("blocks are read by channel, step and time, oldest first, and one that grew replaces its earlier form", async () => {
  const hour = block(0, { step: "minute" });
  await store.putBlocks([block(10_000), block(0), hour, block(0, { channelId: B })]);
  expect(await store.readBlocks(A, "second", 0, 99_999)).toEqual([block(0), block(10_000)]);
  expect(await store.readBlocks(A, "second", 2_003, 9_999)).toEqual([block(0)]);
  expect(await store.readBlocks(A, "second", 2_004, 9_999)).toEqual([]);
  const grown = { ...hour, times: [...hour.times, 60_000], ingestRates: [...hour.ingestRates, 125], targets: [] };
  await store.putBlocks([grown]);
  expect(await store.readBlocks(A, "minute", 60_000, 60_000)).toEqual([grown]);
});

test("seconds of the last broadcast are removed, and old blocks by their step, so many at a time", async () => {
  await store.putBlocks([block(0), block(10_000), block(0, { step: "minute" }), block(0, { channelId: B })]);
  await store.removeSeconds(A, 10_000);
  expect(await store.readBlocks(A, "second", 0, 99_999)).toEqual([block(10_000)]);
  expect(await store.readBlocks(B, "second", 0, 99_999)).toHaveLength(1);
  expect(await store.readBlocks(A, "minute", 0, 99_999)).toHaveLength(1);
  expect(await store.pruneHistory({ secondsBefore: 50_000, minutesBefore: 2_003 }, 1)).toBe(1);
  expect(await store.pruneHistory({ secondsBefore: 50_000, minutesBefore: 2_003 }, 9)).toBe(1);
  expect(await store.pruneHistory({ secondsBefore: 0, minutesBefore: 2_004 }, 9)).toBe(1);
  expect(await store.readBlocks(A, "minute", 0, 99_999)).toEqual([]);
});
