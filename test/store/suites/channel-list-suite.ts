import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChannelRecord } from "../../../src/control/channels/channel.ts";
import type { ChannelFilter } from "../../../src/control/ports/store.ts";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { takeNumbers } from "../../../src/store/database/numbers.ts";
import { newChannel } from "./store-suite-data.ts";
import { newTestDatabase, type TestDatabase } from "./test-databases.ts";

const CHANNELS = 24;
/** Numbers between two channels: a few channels lie in each block of a thousand, and some blocks have none. */
const GAPS = [0, 400, 3, 999, 2_500];
const SIZES = [1, 7, 100];

let made: TestDatabase;
let database: Database;
let store: SqlStore;
beforeEach(async () => {
  made = await newTestDatabase();
  database = await made.open();
  store = new SqlStore(database);
});
afterEach(async () => {
  await database.close();
  await made.remove();
});

const idOf = (n: number) => newChannel(n).channelId;
const block = (n: number) => store.changeChannel(idOf(n), () => ({ state: "blocked" }));
const unblock = (n: number) => store.changeChannel(idOf(n), () => ({ state: "live" }));

/** All channels that a filter selects, as its pages have them; each page must say the same total. */
async function allPages(filter: ChannelFilter, size: number) {
  const read: string[] = [];
  for (let number = 1; ; number += 1) {
    const { channels, total } = await store.listChannels(filter, { number, size });
    read.push(...channels.map(({ channelId }) => channelId));
    if (channels.length < size || read.length >= 2 * CHANNELS) return { read, total };
  }
}

test("the pages of a list have every channel once and count them all, wherever their numbers lie", async () => {
  for (let n = 1; n <= CHANNELS; n += 1) {
    await store.createChannel(newChannel(n, { targets: [] }));
    await database.write((trx) => takeNumbers(trx, "channel", (GAPS[n % GAPS.length] ?? 0) + 1));
  }
  for (const n of [2, 3, 9, 24]) await block(n);
  for (const n of [3, 12]) await unblock(n);
  for (const n of [1, 9, 17]) await store.deleteChannel(idOf(n));
  // Changes that leave the state count for nothing.
  await store.changeChannel(idOf(5), () => ({ name: "renamed" }));
  const all = Array.from({ length: CHANNELS }, (_, index) => CHANNELS - index).filter((n) => ![1, 9, 17].includes(n));
  const blocked = [24, 2];
  const some = [idOf(24), idOf(20), idOf(6), idOf(5), idOf(1), "ls-unknown"];
  const isSome = (n: number) => some.includes(idOf(n));
  const expected: readonly (readonly [ChannelFilter, readonly number[]])[] = [
    [{}, all],
    [{ state: "live" }, all.filter((n) => !blocked.includes(n))],
    [{ state: "blocked" }, blocked],
    [{ state: "deleted" }, []],
    [{ among: { channelIds: some, isInside: true } }, all.filter(isSome)],
    [{ among: { channelIds: some, isInside: false } }, all.filter((n) => !isSome(n))],
    [{ state: "live", among: { channelIds: some, isInside: false } }, [...all].filter((n) => n !== 2 && !isSome(n))],
    [{ state: "blocked", among: { channelIds: some, isInside: true } }, [24]],
    [{ state: "blocked", among: { channelIds: [], isInside: false } }, blocked],
    [{ namePart: "channel_2" }, all.filter((n) => `channel_${n}`.includes("channel_2"))],
  ];
  for (const [filter, numbers] of expected) {
    for (const size of SIZES) {
      expect([filter, size, await allPages(filter, size)]).toEqual([
        filter,
        size,
        { read: numbers.map(idOf), total: numbers.length },
      ]);
    }
  }
});

test("a write that fails is not counted", async () => {
  await store.createChannel(newChannel(1));
  const failing = database.write(async (trx) => {
    await trx.updateTable("channel").set({ state: "blocked" }).execute();
    throw new Error("in the middle");
  });
  await expect(failing).rejects.toThrow("in the middle");
  await expect(store.createChannel(newChannel(1))).rejects.toThrow();
  const totalOf = async (state: ChannelRecord["state"]) =>
    (await store.listChannels({ state }, { number: 1, size: 1 })).total;
  expect([await totalOf("live"), await totalOf("blocked")]).toEqual([1, 0]);
});
