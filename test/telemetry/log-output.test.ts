import { expect, test } from "vitest";
import { LogOutput } from "../../src/telemetry/log-output.ts";
import { ManualClock } from "../control/manual-clock.ts";

const KIB = 1_024;

function stage() {
  const clock = new ManualClock();
  const way = { text: "", room: Number.POSITIVE_INFINITY, error: undefined as string | undefined, tries: 0 };
  let lost = 0;
  const output = new LogOutput({
    clock,
    sink: (bytes) => {
      way.tries += 1;
      if (way.error !== undefined) throw Object.assign(new Error(way.error), { code: way.error });
      const taken = Math.min(way.room, bytes.length);
      if (taken === 0) throw Object.assign(new Error("full"), { code: "EAGAIN" });
      way.room -= taken;
      way.text += bytes.subarray(0, taken).toString();
      return taken;
    },
    lossLine: (count) => `${count} lost\n`,
    onLost: () => {
      lost += 1;
    },
  });
  return { clock, way, output, lost: () => lost };
}

/** Lines of 1 KiB with their numbers. */
const line = (number: number) => `${String(number).padEnd(KIB - 1, ".")}\n`;
const numbers = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((each) => each.replace(/\.+$/, ""));

test("a line is out when write returns, where its reader takes it", () => {
  const { way, output } = stage();
  output.write("one\n");
  output.write("two\n");
  expect([way.text, way.tries, output.lostTotal]).toEqual(["one\ntwo\n", 2, 0]);
});

test("a reader that is behind gets every line, in order and whole, as it takes them", () => {
  const { clock, way, output } = stage();
  way.room = 1_500;
  for (let number = 1; number <= 5; number += 1) output.write(line(number));
  expect(way.text.length).toBe(1_500);
  way.room = 700;
  clock.advance(50);
  way.room = Number.POSITIVE_INFINITY;
  clock.advance(50);
  expect(numbers(way.text)).toEqual(["1", "2", "3", "4", "5"]);
  expect(output.lostTotal).toBe(0);
});

test.each([
  ["a reader that hangs", undefined, 50],
  ["a disk that is full", "ENOSPC", 1_000],
  ["a pipe without a reader", "EPIPE", 1_000],
] as const)(
  "%s: lines that do not fit are dropped and counted, and one line says so when it goes on",
  (_, error, retryMs) => {
    const { clock, way, output, lost } = stage();
    way.room = 0;
    way.error = error;
    for (let number = 1; number <= 300; number += 1) output.write(line(number));
    // 256 KiB and the line that went over it.
    expect([output.lostTotal, lost()]).toEqual([43, 43]);
    for (let passed = 0; passed < 10; passed += 1) clock.advance(retryMs);
    expect(way.tries).toBe(11);
    way.error = undefined;
    way.room = Number.POSITIVE_INFINITY;
    clock.advance(retryMs);
    output.write("again\n");
    const kept = Array.from({ length: 257 }, (_each, index) => String(index + 1));
    expect(numbers(way.text)).toEqual([...kept, "43 lost", "again"]);
    expect(output.lostTotal).toBe(43);
  },
);

test("after a dropped line none comes before the line that reports it", () => {
  const { clock, way, output } = stage();
  way.room = 0;
  for (let number = 1; number <= 258; number += 1) output.write(line(number));
  way.room = 200 * KIB;
  clock.advance(50);
  output.write(line(259));
  way.room = Number.POSITIVE_INFINITY;
  clock.advance(50);
  expect(numbers(way.text).slice(-2)).toEqual(["257", "2 lost"]);
});

test("waiting lines get some time at the end", async () => {
  const { clock, way, output } = stage();
  await output.drained(300);
  way.room = 0;
  output.write("last\n");
  let isDrained = false;
  const drained = output.drained(300).then(() => {
    isDrained = true;
  });
  for (let passed = 0; passed < 5; passed += 1) {
    clock.advance(50);
    await Promise.resolve();
    await Promise.resolve();
  }
  expect(isDrained).toBe(false);
  clock.advance(50);
  await drained;
});
