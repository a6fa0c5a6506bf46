import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChannelRecord } from "../../../src/control/channels/channel.ts";
import type { ChannelFilter } from "../../../src/control/ports/store.ts";
import { streamKeyColumns } from "../../../src/store/channels/channel-columns.ts";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { takeNumbers } from "../../../src/store/database/numbers.ts";
import { newChannel } from "./store-suite-data.ts";
import { newTestDatabase, type TestDatabase } from "./test-databases.ts";

const CHANNELS = 24;
/** Numbers between two channels: a few channels lie in each block of a thousand, and some blocks have none. */
const GAPS = [0, 400, 3, 999, 2_500];
const SIZES = [1, 7, 100];
/** More channels than a search reads at once, in several blocks of a thousand numbers. */
const MANY = 2_400;
const BATCH = 300;

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

/** Copies of a channel with these names and further numbers, some blocked, some deleted. Their keys do not open. */
async function addMany(channels: readonly Pick<ChannelRecord, "channelId" | "name" | "state">[]): Promise<void> {
  const { channelId } = await store.createChannel(newChannel(0, { targets: [] }));
  const rows = await database.read((db) => db.selectFrom("channel").selectAll().execute());
  const [model] = rows;
  if (model === undefined) throw new Error("no channel");
  await store.deleteChannel(channelId);
  const { secrets } = database;
  for (let first = 0; first < channels.length; first += BATCH) {
    await database.write(async (trx) => {
      const batch = channels.slice(first, first + BATCH);
      const numbers = await takeNumbers(trx, "channel", batch.length);
      const values = batch.map(({ channelId: channel_id, name, state }, index) => ({
        ...{ ...model, channel_id, name, state, instance_no: numbers[index] ?? 0 },
        ...streamKeyColumns(secrets, channel_id, `key of ${channel_id}`),
      }));
      await trx.insertInto("channel").values(values).execute();
    });
  }
}

test("a search finds every channel once and counts them all, however many have that part in their names", async () => {
  const channels = Array.from({ length: MANY }, (_, n) => ({
    ...{ channelId: `ls-${n}`, name: n % 3 === 0 ? `Show ${n}` : `channel_${n}` },
    state: ({ 0: "blocked", 1: "deleted" } as const)[n % 10] ?? ("live" as const),
  }));
  await addMany(channels);
  const parts = ["1", "9", "24", "CHANNEL_", "w 1", "0_", "2399", "no such name", ""];
  const onAir = channels.filter(({ channelId }) => Number(channelId.slice(3)) % 4 === 2).map((each) => each.channelId);
  const filters = parts.flatMap((namePart): ChannelFilter[] => [
    { namePart },
    { namePart, state: "live" },
    { namePart, state: "blocked" },
    { namePart, among: { channelIds: onAir, isInside: true } },
    { namePart, state: "live", among: { channelIds: onAir, isInside: false } },
  ]);
  for (const filter of [...filters, { among: { channelIds: onAir, isInside: true } }]) {
    const part = filter.namePart?.toLowerCase() ?? "";
    const found = channels
      .filter(({ name, state }) => state !== "deleted" && name.toLowerCase().includes(part))
      .filter(({ state }) => filter.state === undefined || state === filter.state)
      .filter(
        ({ channelId }) => (filter.among?.channelIds.includes(channelId) ?? true) === (filter.among?.isInside ?? true),
      )
      .map(({ channelId }) => channelId)
      .reverse();
    const lastPage = Math.max(1, Math.ceil(found.length / 100));
    for (const number of new Set([
      1,
      2,
      6,
      Math.ceil(lastPage / 2),
      Math.max(1, lastPage - 1),
      lastPage,
      lastPage + 1,
    ])) {
      const { channels: read, total } = await store.listChannels(filter, { number, size: 100 });
      const page = found.slice((number - 1) * 100, number * 100);
      expect([part, number, total, read.map((each) => each.channelId)]).toEqual([part, number, found.length, page]);
    }
  }
});

test("a search finds a channel by its present name alone, and none that was deleted", async () => {
  const [first, second] = [idOf(1), idOf(2)];
  for (const n of [1, 2]) await store.createChannel(newChannel(n, { targets: [], name: `Old_${n}` }));
  await store.changeChannel(first, () => ({ name: "NEW ÄÖ" }));
  await store.deleteChannel(second);
  const found = async (filter: ChannelFilter) => (await allPages(filter, 10)).read;
  expect(await found({ namePart: "old" })).toEqual([]);
  expect(await found({ namePart: "new" })).toEqual([first]);
  expect([await found({ namePart: "ÄÖ" }), await found({ namePart: "äö" })]).toEqual([[first], []]);
  await block(1);
  expect(await found({ namePart: "new", state: "live" })).toEqual([]);
  expect(await found({ namePart: "new", state: "blocked" })).toEqual([first]);
  // What a write takes back is as it was before.
  const failing = database.write(async (trx) => {
    await trx.updateTable("channel").set({ name: "gone", state: "live" }).execute();
    throw new Error("in the middle");
  });
  await expect(failing).rejects.toThrow("in the middle");
  expect([await found({ namePart: "gone" }), await found({ state: "blocked", namePart: "n" })]).toEqual([[], [first]]);
});
