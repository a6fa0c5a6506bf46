import { expect, test } from "vitest";
import {
  nextBoundary,
  nextOpening,
  type TargetWindows,
  windowState,
} from "../../../src/control/channels/target-windows.ts";
import { type StoreTrouble, StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { TargetSwitches } from "../../../src/control/schedules/target-switches.ts";
import { type WindowedTarget, WindowWatch } from "../../../src/control/schedules/window-watch.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const HOUR_MS = 3_600_000;
const at = (text: string): number => Date.parse(text);
const seconds = (hours: number): number => hours * 3_600;
const DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;

/** Every evening in Berlin, and over midnight into Sunday. */
const WINDOWS: TargetWindows = {
  timeZone: "Europe/Berlin",
  list: [
    { days: DAYS, fromSeconds: seconds(20), toSeconds: seconds(22) },
    { days: ["SAT"], fromSeconds: seconds(22), toSeconds: seconds(3) },
  ],
};

test.each([
  // 2026-10-24 is a Saturday; clocks go back at 03:00 on Sunday.
  { now: "2026-10-24T17:59:59Z", isOpen: false, next: "2026-10-24T18:00:00Z" },
  { now: "2026-10-24T18:00:00Z", isOpen: true, next: "2026-10-24T20:00:00Z" },
  { now: "2026-10-24T20:00:00Z", isOpen: true, next: "2026-10-25T02:00:00Z" },
  { now: "2026-10-25T01:59:59Z", isOpen: true, next: "2026-10-25T02:00:00Z" },
  { now: "2026-10-25T02:00:00Z", isOpen: false, next: "2026-10-25T19:00:00Z" },
])("at $now a window is open: $isOpen", ({ now, isOpen, next }) => {
  expect(windowState({ windows: WINDOWS }, at(now))).toEqual({ isOutsideWindows: !isOpen, openUntil: 0 });
  expect(new Date(nextBoundary(WINDOWS, at(now))).toISOString()).toBe(next.replace("Z", ".000Z"));
});

test.each([
  // Clocks in Berlin skip the hour from 02:00, those in Nuuk the one before midnight, at 01:00 UTC of 2026-03-29.
  { timeZone: "Europe/Berlin", day: "SUN", from: 2.25, to: 2.5, over: "2026-03-29T01:15:00Z" },
  { timeZone: "America/Nuuk", day: "SAT", from: 23.25, to: 23.5, over: "2026-03-29T01:15:00Z" },
  { timeZone: "America/Nuuk", day: "SAT", from: 23.25, to: 1, over: "2026-03-29T02:00:00Z" },
] as const)("a window of $timeZone that clocks skip is open behind the jump", ({ timeZone, day, from, to, over }) => {
  const list = [{ days: [day], fromSeconds: seconds(from), toSeconds: seconds(to) }];
  const stateAt = (text: string) => windowState({ windows: { timeZone, list } }, at(text)).isOutsideWindows;
  expect(stateAt("2026-03-29T00:59:59Z")).toBe(true);
  expect(stateAt("2026-03-29T01:00:00Z")).toBe(false);
  expect(new Date(nextBoundary({ timeZone, list }, at("2026-03-29T01:00:00Z"))).toISOString()).toBe(
    over.replace("Z", ".000Z"),
  );
  expect(stateAt(over)).toBe(true);
});

test("a person who turns it on outside of its windows keeps it on until the next one opens, whatever the clock was", () => {
  const openUntil = nextOpening(WINDOWS, at("2026-10-25T12:00Z"));
  expect(openUntil).toBe(at("2026-10-25T19:00Z"));
  const target = { windows: WINDOWS, openUntil };
  expect(windowState(target, at("2026-10-25T18:59Z"))).toEqual({ isOutsideWindows: false, openUntil });
  expect(windowState(target, at("2026-10-25T19:30Z"))).toEqual({ isOutsideWindows: false, openUntil: 0 });
  expect(windowState(target, at("2026-10-25T21:30Z"))).toEqual({ isOutsideWindows: true, openUntil: 0 });
  expect(windowState(target, at("2025-10-25T12:00Z"))).toEqual({ isOutsideWindows: true, openUntil: 0 });
});

const quiet = () => undefined;
const STORED = { isEnabled: true, isOutsideWindows: true, openUntil: 0, revision: 1 };

/** Targets in memory, as the database keeps them. */
function stageOf(from: string, ...targets: readonly Partial<WindowedTarget>[]) {
  const clock = new VirtualClock(at(from));
  const rows = targets.map((each, index) => ({
    ...{ channelId: "ls-1", targetId: index + 1, windows: WINDOWS, ...STORED },
    ...each,
  }));
  const followed: string[] = [];
  /** The target that cannot be followed. */
  const failing = { targetId: 0 };
  const database: { trouble: StoreTrouble | "silent" | undefined } = { trouble: undefined };
  const orAway = async () => {
    if (database.trouble === "silent") await new Promise(() => undefined);
    else if (database.trouble !== undefined) throw new StoreUnavailableError(database.trouble);
  };
  const lines: string[] = [];
  const line = (event: string) => void lines.push(event);
  const log = { debug: quiet, info: line, warn: line, error: line };
  let reads = 0;
  const now = () => new Date(clock.wallNow()).toISOString().slice(0, 16);
  /** What the media threads are told. */
  const told: unknown[] = [];
  const switches = new TargetSwitches(({ kind: _, channelId: __, ...how }) => told.push({ now: now(), ...how }));
  const watch = new WindowWatch({
    ...{ clock, hasOthers: false, log, switches },
    list: async () => {
      // Where it takes no writes it can be read.
      if (database.trouble !== "unwritable") await orAway();
      reads += 1;
      return rows.map((row) => ({ ...row }));
    },
    follow: async (_channelId, targetId, nowMs) => {
      await orAway();
      if (targetId === failing.targetId) throw new Error("its key cannot be read");
      const row = rows[targetId - 1];
      if (row === undefined) return;
      Object.assign(row, windowState(row, nowMs), { revision: row.revision + 1 });
      followed.push(`${now()} ${targetId} ${row.isOutsideWindows ? "off" : "on"}`);
    },
  });
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(500);
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    }
  };
  return { clock, watch, followed, failing, database, rows, told, switches, pass, lines, reads: () => reads };
}

test("targets go on and off at their times, and nothing is read in between", async () => {
  const { watch, followed, pass, reads } = stageOf("2026-10-21T17:00:00Z", {}, { isOutsideWindows: false });
  await watch.start();
  await pass(26 * HOUR_MS);
  expect(followed).toEqual([
    "2026-10-21T17:00 2 off",
    ...["2026-10-21T18:00 1 on", "2026-10-21T18:00 2 on", "2026-10-21T20:00 1 off", "2026-10-21T20:00 2 off"],
    ...["2026-10-22T18:00 1 on", "2026-10-22T18:00 2 on"],
  ]);
  expect(reads()).toBe(5);
});

test("what was changed during a look is read a tenth of a second later", async () => {
  const { clock, watch, rows, reads, followed } = stageOf("2026-10-21T18:30:00Z", {});
  const settle = async () => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  // It changes the first target itself.
  await watch.start();
  expect([reads(), followed]).toEqual([1, ["2026-10-21T18:30 1 on"]]);
  rows.push({ channelId: "ls-1", targetId: 2, windows: WINDOWS, ...STORED });
  clock.advance(99);
  await settle();
  expect(reads()).toBe(1);
  clock.advance(1);
  await settle();
  expect([reads(), followed.slice(1)]).toEqual([2, ["2026-10-21T18:30 2 on"]]);
  watch.stop();
});

test("a database that is away for minutes is one line a minute", async () => {
  const { watch, database, pass, lines } = stageOf("2026-10-21T12:00:00Z", {});
  await watch.start();
  database.trouble = "crowded";
  watch.changed();
  await pass(150_000);
  database.trouble = undefined;
  await pass(2_000);
  const failed = "windows of platforms could not be followed";
  expect(lines).toEqual([failed, failed, failed, "windows of platforms are followed again"]);
});

test("a clock that is set into a window and back is followed", async () => {
  const { clock, watch, followed, pass } = stageOf("2026-10-21T12:00:00Z", {});
  await watch.start();
  clock.setWall(7 * HOUR_MS);
  await pass(2_000);
  clock.setWall(-7 * HOUR_MS);
  await pass(2_000);
  expect(followed).toEqual(["2026-10-21T19:00 1 on", "2026-10-21T12:00 1 off"]);
});

test("without windows there is no timer, and a change is read at once", async () => {
  const { watch, rows, pass, reads, followed } = stageOf("2026-10-21T18:30:00Z");
  await watch.start();
  await pass(10_000);
  expect(reads()).toBe(1);
  rows.push({ channelId: "ls-1", targetId: 1, windows: WINDOWS, ...STORED });
  watch.changed();
  await pass(1_000);
  expect(followed).toEqual(["2026-10-21T18:30 1 on"]);
  watch.stop();
});

test.each([true, false])(
  "in a time zone that only another server knows a target stays as it is: off: %s",
  async (isOutsideWindows) => {
    const windows = { ...WINDOWS, timeZone: "Antarctica/Nowhere" };
    const target = { windows, isOutsideWindows, openUntil: 7 };
    expect(windowState(target, at("2026-10-21T18:30Z"))).toEqual({ isOutsideWindows, openUntil: 7 });
    // A person may turn it on all the same.
    expect(nextOpening(windows, 1_000)).toBe(1_000 + 8 * 24 * HOUR_MS);
    const { watch, followed, pass } = stageOf("2026-10-21T17:59:00Z", target, {});
    await watch.start();
    await pass(3 * HOUR_MS);
    expect(followed).toEqual(["2026-10-21T18:00 2 on", "2026-10-21T20:00 2 off"]);
  },
);

test("a target that cannot be followed holds up no other", async () => {
  const { watch, followed, failing, pass } = stageOf("2026-10-21T17:59:00Z", {}, {});
  failing.targetId = 1;
  await watch.start();
  await pass(120_000);
  expect(followed).toEqual(["2026-10-21T18:00 2 on"]);
  failing.targetId = 0;
  await pass(2_000);
  expect(followed.slice(1)).toEqual(["2026-10-21T18:01 1 on"]);
});

test.each(["unreachable", "unwritable", "full", "silent"] as const)(
  "while the database is %s targets go on and off by what is known, and what it has counts again behind that",
  async (trouble) => {
    const off = { isEnabled: false };
    const { watch, followed, told, database, rows, switches, pass } = stageOf("2026-10-21T17:59:00Z", {}, off);
    await watch.start();
    database.trouble = trouble;
    await pass(60_000 + 2_000);
    expect(told).toEqual([{ now: "2026-10-21T18:00", targetId: 1, isOn: true }]);
    // An encoder that comes now, with the settings that are known, finds it on.
    const targets = [1, 2].map((targetId) => ({ targetId, url: "", streamKey: "", isEnabled: false }));
    const spec = { channelId: "ls-1", revision: 1, holdSeconds: 0, targets };
    expect(switches.on(spec).targets.map(({ isSwitchedOn }) => isSwitchedOn)).toEqual([true, undefined]);
    await pass(2 * HOUR_MS);
    // It has the state of before the window, which is that of now: one that can be read needs no write.
    const letGo = { now: "2026-10-21T20:00", targetId: 1, fromRevision: 1 };
    const closed = { now: "2026-10-21T20:00", targetId: 1, isOn: false };
    expect(told.slice(1)).toEqual([trouble === "unwritable" ? letGo : closed]);
    expect(followed).toEqual([]);
    database.trouble = undefined;
    if (trouble === "silent") return;
    await pass(2_000);
    expect(told.at(-1)).toEqual(letGo);
    expect([followed, rows[0]?.isOutsideWindows]).toEqual([[], true]);
    expect(switches.on(spec)).toBe(spec);
    watch.stop();
  },
);

test("what the database was told only when it was back counts from the settings on that have it", async () => {
  const { watch, followed, told, database, pass } = stageOf("2026-10-21T19:59:00Z", { isOutsideWindows: false });
  await watch.start();
  database.trouble = "unreachable";
  await pass(120_000);
  database.trouble = undefined;
  await pass(3_000);
  expect(followed).toEqual(["2026-10-21T20:01 1 off"]);
  expect(told).toEqual([
    { now: "2026-10-21T20:00", targetId: 1, isOn: false },
    { now: "2026-10-21T20:01", targetId: 1, fromRevision: 2 },
  ]);
  watch.stop();
});

test("a target that lost its windows, or was removed, while it was held follows its settings again", async () => {
  const { watch, told, database, rows, pass } = stageOf("2026-10-21T19:59:00Z", { isOutsideWindows: false });
  await watch.start();
  database.trouble = "unreachable";
  await pass(120_000);
  rows.length = 0;
  database.trouble = undefined;
  await pass(2_000);
  expect(told.slice(1)).toEqual([{ now: "2026-10-21T20:01", targetId: 1, fromRevision: 2 }]);
});

test("a window that opened right before the database went away closes all the same", async () => {
  const { watch, followed, told, database, pass } = stageOf("2026-10-21T17:59:59Z", {});
  await watch.start();
  await pass(1_000);
  expect(followed).toEqual(["2026-10-21T18:00 1 on"]);
  // Before the new state is read.
  database.trouble = "unreachable";
  await pass(2 * HOUR_MS + 2_000);
  expect(told).toEqual([{ now: "2026-10-21T20:00", targetId: 1, isOn: false }]);
  watch.stop();
});
