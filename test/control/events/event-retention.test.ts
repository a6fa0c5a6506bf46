import { expect, test } from "vitest";
import { EVENTS_KEPT_MS, EventRetention } from "../../../src/control/events/event-retention.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";
import { ManualClock } from "../manual-clock.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const MINUTE_MS = 60 * 1_000;

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function open(counts: readonly (number | Error)[]) {
  const clock = new VirtualClock();
  const asked: (readonly [number, number])[] = [];
  const lines: string[] = [];
  const write = (event: string) => void lines.push(event);
  const prune = async (time: number, limit: number) => {
    const count = counts[asked.length] ?? 0;
    asked.push([clock.wallNow() - time, limit]);
    if (count instanceof Error) throw count;
    return count;
  };
  const retention = new EventRetention({
    rows: [{ keptMs: EVENTS_KEPT_MS, prune }],
    clock,
    log: { debug: write, info: write, warn: write, error: write },
  });
  retention.start();
  // Not before the clock of a machine that has just started may have been set.
  expect(asked).toEqual([]);
  clock.advance(10 * MINUTE_MS);
  return { clock, asked, lines, retention };
}

test("events older than seven days are removed, at most 500 at once, every ten minutes", async () => {
  const { clock, asked } = open([3]);
  await settle();
  clock.advance(10 * MINUTE_MS - 1);
  await settle();
  expect(asked).toEqual([[7 * DAY_MS, 500]]);
  clock.advance(1);
  await settle();
  expect(asked).toEqual([
    [7 * DAY_MS, 500],
    [7 * DAY_MS, 500],
  ]);
});

test("while more are old the next ones are removed after a second, not at once", async () => {
  const { clock, asked } = open([500, 500, 20]);
  await settle();
  clock.advance(999);
  await settle();
  expect(asked).toHaveLength(1);
  clock.advance(1);
  await settle();
  clock.advance(1_000);
  await settle();
  expect(asked).toHaveLength(3);
  clock.advance(MINUTE_MS);
  await settle();
  expect(asked).toHaveLength(3);
});

test("removal is tried again later when the database refuses writes", async () => {
  const { clock, asked, lines } = open([new Error("locked")]);
  await settle();
  expect(lines).toEqual(["old events could not be removed"]);
  clock.advance(10 * MINUTE_MS);
  await settle();
  expect(asked).toHaveLength(2);
});

test("nothing is removed after closing", async () => {
  const { clock, asked, retention } = open([500]);
  await retention.close();
  clock.advance(DAY_MS);
  await settle();
  expect(asked).toHaveLength(1);
});

test("a clock that is set forward by 400 days on air removes nothing until it has stayed so for a day", async () => {
  const clock = new ManualClock();
  const cutOffs: number[] = [];
  const pruneEvents = async (time: number) => {
    cutOffs.push(time);
    return 0;
  };
  const write = () => undefined;
  const log = { debug: write, info: write, warn: write, error: write };
  new EventRetention({ rows: [{ keptMs: EVENTS_KEPT_MS, prune: pruneEvents }], clock, log }).start();
  const beganMs = clock.wallMs;
  const pass = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 10) {
      clock.advance(10 * MINUTE_MS);
      await settle();
    }
    return (cutOffs.at(-1) ?? 0) + 7 * DAY_MS - beganMs;
  };
  expect(await pass(10)).toBe(10 * MINUTE_MS);
  clock.wallMs += 400 * DAY_MS;
  expect(await pass(60)).toBe(70 * MINUTE_MS);
  // Back by 800 days: nothing is as old as it looks there, and nothing is removed.
  clock.wallMs -= 800 * DAY_MS;
  expect(await pass(10)).toBe(80 * MINUTE_MS - 400 * DAY_MS);
  clock.wallMs += 400 * DAY_MS;
  expect(await pass(10)).toBe(90 * MINUTE_MS - 400 * DAY_MS);
  // The first value again, for a day: believed.
  expect(await pass(25 * 60)).toBe(90 * MINUTE_MS + 25 * 60 * MINUTE_MS);
});
