import { beforeEach, expect, test } from "vitest";
import type { HistoryBlock, HistoryStore } from "../../../src/control/history/history.ts";
import { HistoryReader } from "../../../src/control/history/history-reader.ts";
import { HistoryWriter } from "../../../src/control/history/history-writer.ts";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { channelSample, targetSample } from "../../support/stages/sample.ts";
import { ManualClock } from "../manual-clock.ts";

const A = "ls-20260101000000-00001";
const ENCODER = { channelId: A, ingestId: 1, slot: "main" } as const;

/** Keeps blocks as a database does. */
class FakeStore implements HistoryStore {
  blocks: HistoryBlock[] = [];
  writes = 0;
  trouble: Error | undefined;
  pruneTrouble: Error | undefined;
  /** When what was too old was removed, and before which times. The first time there is more of it than one call takes. */
  readonly pruned: { readonly atMs: number; readonly secondsBefore: number; readonly minutesBefore: number }[] = [];

  async putBlocks(blocks: readonly HistoryBlock[]): Promise<void> {
    if (this.trouble !== undefined) throw this.trouble;
    this.writes += 1;
    const isOf = (left: HistoryBlock, right: HistoryBlock) =>
      left.channelId === right.channelId && left.step === right.step && left.times[0] === right.times[0];
    this.blocks = [...this.blocks.filter((each) => !blocks.some((block) => isOf(each, block))), ...blocks];
  }

  async readBlocks(channelId: string, step: string, from: number, to: number): Promise<readonly HistoryBlock[]> {
    return this.blocks
      .filter((each) => each.channelId === channelId && each.step === step)
      .filter(({ times }) => (times[0] ?? 0) <= to && (times.at(-1) ?? 0) >= from);
  }

  async removeSeconds(channelId: string, before: number): Promise<void> {
    if (this.trouble !== undefined) throw this.trouble;
    this.blocks = this.blocks.filter(
      (each) => each.channelId !== channelId || each.step !== "second" || (each.times[0] ?? 0) >= before,
    );
  }

  async pruneHistory(limits: { readonly secondsBefore: number; readonly minutesBefore: number }, most: number) {
    if (this.pruneTrouble !== undefined) throw this.pruneTrouble;
    this.pruned.push({ atMs: clock.now(), ...limits });
    return this.pruned.length === 1 ? most : 0;
  }
}

let clock: ManualClock;
let store: FakeStore;
let lines: string[];
let writer: HistoryWriter;
let reader: HistoryReader;
beforeEach(() => {
  clock = new ManualClock();
  store = new FakeStore();
  lines = [];
  const log = (event: string) => void lines.push(event);
  writer = new HistoryWriter({ store, clock, log: { debug: log, info: log, warn: log, error: log } });
  reader = new HistoryReader(store, writer, clock);
  writer.start();
});

function begin(): void {
  const kind = { kind: "ingest-started", remoteAddress: "192.0.2.1", encoder: "x", isBroadcastNew: true } as const;
  writer.fact({ ...ENCODER, ...kind, time: clock.wallNow() });
}
const end = () =>
  writer.fact({ ...ENCODER, kind: "ingest-ended", time: clock.wallNow(), end: "clean", isBroadcastOver: true });

const none = () => undefined;
const settle = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

/** A sample a second; `rate` is the encoder's, and its one target has half of it. */
async function run(seconds: number, rate: (second: number) => number, targets: readonly number[] = [7]): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1_000);
    const bytesPerSecond = rate(second);
    const counters = { bytesPerSecond: bytesPerSecond / 2, droppedFrames: second, retryCount: 0, queueMs: second };
    const sample = channelSample(
      A,
      targets.map((targetId) => targetSample(targetId, counters)),
    );
    writer.samples([{ ...sample, ingest: { ...sample.ingest, bytesPerSecond } }]);
    await settle();
  }
}

const stored = (step: string) => store.blocks.filter((block) => block.step === step);

test("a broadcast is stored in blocks of 60 seconds, and in one growing block of minutes", async () => {
  begin();
  await run(130, () => 1_000);
  expect(stored("second").map(({ times }) => times.length)).toEqual([60, 60]);
  const [minutes] = stored("minute");
  expect(minutes).toMatchObject({ ingestRates: [1_000, 1_000], targets: [{ targetId: 7, rates: [500, 500] }] });
  // Of 60 seconds the queue was the longest in the last; each second but the first dropped one more frame.
  expect(minutes?.targets[0]).toMatchObject({ queueMs: [59, 119], drops: [59, 60] });
  end();
  await run(5, () => 0);
  expect(stored("second").map(({ times }) => times.length)).toEqual([60, 60, 10]);
  expect(stored("minute")).toMatchObject([{ ingestRates: [1_000, 1_000, 1_000] }]);
});

test("a node that does not carry the broadcast reads the same of it, with what the owner tells", async () => {
  begin();
  await run(130, (second) => second * 1_000);
  const idle = new HistoryWriter({ store, clock, log: { debug: none, info: none, warn: none, error: none } });
  const elsewhere = async (channelId: string) => ({
    startTime: writer.startOf(channelId) ?? 0,
    blocks: [...writer.unstored(channelId, "minute"), ...writer.unstored(channelId, "second")],
  });
  const other = new HistoryReader(store, idle, clock, elsewhere);
  for (const query of [{}, { step: 1 }, { step: 60 }, { from: clock.wallNow() - 3 * 3_600_000 }])
    expect(await other.read(A, query)).toEqual(await reader.read(A, query));
  const alone = await new HistoryReader(store, idle, clock).read(A, { step: 1 });
  expect(alone.from).toBe(clock.wallNow() - 3_600_000);
});

test("a target that joins starts blocks of its own", async () => {
  begin();
  await run(10, () => 1_000);
  await run(10, () => 1_000, [7, 8]);
  end();
  await run(5, () => 0);
  expect(stored("second").map(({ targets }) => targets.map(({ targetId }) => targetId))).toEqual([[7], [7, 8]]);
  expect(stored("minute")).toHaveLength(2);
});

test("seconds of the last broadcast are removed when the next one begins, and its minutes stay", async () => {
  begin();
  await run(70, () => 1_000);
  end();
  await run(5, () => 0);
  const first = stored("second").length;
  begin();
  await run(6, () => 1_000);
  expect([first, stored("second").length, stored("minute").length]).toEqual([2, 0, 1]);
});

test("seconds are kept for a day and minutes for thirty days: every ten minutes what is older goes, in parts", async () => {
  const DAY_MS = 24 * 60 * 60 * 1_000;
  const beganMs = clock.now();
  for (let passedMs = 0; passedMs < 21 * 60_000; passedMs += 5_000) {
    clock.advance(5_000);
    await settle();
  }
  const wallAheadMs = clock.wallNow() - clock.now();
  expect(store.pruned).toEqual(
    [600_000, 605_000, 1_205_000].map((passedMs) => {
      const time = beganMs + passedMs + wallAheadMs;
      return {
        ...{ atMs: beganMs + passedMs, secondsBefore: time - DAY_MS, minutesBefore: time - 30 * DAY_MS },
      };
    }),
  );
});

test("it is read unchanged, stored or not, and each second counts once", async () => {
  begin();
  const from = clock.wallNow();
  await run(125, (second) => 250 * second);
  const answer = await reader.read(A, { step: 1 });
  expect([answer.from, answer.to, answer.stepSeconds]).toEqual([from, from + 125_000, 1]);
  // The first sample comes a second after the beginning.
  expect(answer.ingestRates).toEqual([null, ...Array.from({ length: 125 }, (_, second) => 250 * second)]);
  expect(answer.targets[0]?.drops.slice(0, 4)).toEqual([null, 0, 1, 1]);
  const coarse = await reader.read(A, { step: 10 });
  expect(coarse.ingestRates.slice(0, 3)).toEqual([1_000, 3_375, 5_875]);
  expect(coarse.targets[0]?.queueMs.slice(0, 2)).toEqual([8, 18]);
  expect(coarse.targets[0]?.drops.slice(0, 2)).toEqual([8, 10]);
});

test("minutes count each value once too, with those of the current minute", async () => {
  begin();
  await run(125, () => 1_000);
  const answer = await reader.read(A, { step: 60 });
  expect(answer.ingestRates).toEqual([1_000, 1_000, 1_000]);
  expect(answer.targets[0]?.drops).toEqual([59, 60, 5]);
});

test("long times are returned in minutes, and an answer has 3,601 points at most", async () => {
  begin();
  await run(65, () => 1_000);
  const now = clock.wallNow();
  const day = await reader.read(A, { from: now - 24 * 3_600_000, step: 1 });
  expect([day.stepSeconds, day.ingestRates.length]).toEqual([60, 1_441]);
  expect(day.ingestRates.slice(-4)).toEqual([null, 1_000, 1_000, 1_000]);
  const ever = await reader.read(A, { from: 0, step: 1 });
  expect(ever.ingestRates.length).toBe(3_601);
  expect(ever.from).toBe(now - 31 * 24 * 3_600_000);
});

test("a time that ends before it begins has one empty point", async () => {
  expect(await reader.read(A, { from: 5_000, to: 1_000 })).toMatchObject({
    from: 1_000,
    ingestRates: [null],
    targets: [],
  });
});

test("a full disk costs what exceeds the bound, is logged, and what waits is stored later", async () => {
  store.trouble = new StoreUnavailableError("full");
  begin();
  await run(130, () => 1_000);
  expect(store.blocks).toEqual([]);
  // Once a minute, not with each try.
  expect(lines).toEqual(Array(3).fill("history not stored, will retry"));
  store.trouble = undefined;
  await run(6, () => 1_000);
  expect(stored("second")).toHaveLength(2);
  expect((await reader.read(A, { step: 1 })).ingestRates.filter((rate) => rate !== null)).toHaveLength(136);
});

test("old history that cannot be removed is logged as that, once a minute, and what is new is stored", async () => {
  store.pruneTrouble = new StoreUnavailableError("full");
  for (let passedMs = 0; passedMs < 601_000; passedMs += 1_000) {
    clock.advance(1_000);
    await settle();
  }
  begin();
  await run(130, () => 1_000);
  expect(stored("second")).toHaveLength(2);
  expect(lines).toEqual(Array(3).fill("old history not removed, will retry"));
  store.pruneTrouble = undefined;
  await run(6, () => 1_000);
  expect(lines.slice(3)).toEqual(["old history is removed again"]);
});

test("the waiting blocks are bounded: the oldest is lost, and the log says so once", async () => {
  store.trouble = new StoreUnavailableError("full");
  for (let broadcast = 0; broadcast < 1_100; broadcast += 1) {
    begin();
    await run(1, () => 1_000);
    end();
  }
  expect(lines.filter((line) => line === "history is lost: too much of it waits for the database")).toHaveLength(1);
  store.trouble = undefined;
  await writer.pause();
  expect(store.blocks).toHaveLength(2_000);
});

test("closing stores everything that is known", async () => {
  begin();
  await run(20, () => 1_000);
  await writer.pause();
  expect(stored("second").map(({ times }) => times.length)).toEqual([20]);
  expect(stored("minute")).toHaveLength(1);
});

test("what a full disk did not take is stored by the next process, also that older seconds are to go", async () => {
  store.trouble = new StoreUnavailableError("full", { path: "test" });
  begin();
  await run(70, () => 1_000);
  end();
  await writer.pause();
  const unstored = structuredClone(writer.allUnstored);
  expect(unstored.began.map(([channelId]) => channelId)).toEqual([A]);
  store.trouble = undefined;
  const next = new HistoryWriter({ store, clock, log: { debug: none, info: none, warn: none, error: none } });
  next.resume([], unstored);
  next.start();
  await next.pause();
  const seconds = store.blocks.filter(({ step }) => step === "second").flatMap(({ times }) => times);
  expect(seconds.length).toBeGreaterThan(65);
  expect(new Set(seconds).size).toBe(seconds.length);
  expect(next.allUnstored).toEqual({ blocks: [], began: [] });
  const { writes } = store;
  // What happens later in a broadcast that the first process carries is the second one's to keep.
  writer.abandon();
  begin();
  await run(65, () => 1_000);
  await writer.pause();
  expect([store.writes, writer.allUnstored.blocks]).toEqual([writes, []]);
});
