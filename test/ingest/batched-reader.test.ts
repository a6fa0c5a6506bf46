import { expect, test } from "vitest";
import { BatchedReader, READ_INTERVAL_MS } from "../../src/ingest/batched-reader.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

/** A batched reader on virtual time, and the order of what it did. */
function readClock() {
  const clock = new VirtualClock();
  const said: string[] = [];
  const pending: (() => void)[] = [];
  const reads = new BatchedReader({ clock, afterReads: (run) => pending.push(run), onRead: () => said.push("flush") });
  const busy = new Set<string>();
  const reader = (name: string) => ({
    hold: () => said.push(`hold ${name}`),
    read: (isStep: boolean) => {
      said.push(isStep ? `read ${name}` : `read ${name} again`);
      return busy.has(name);
    },
    settle: () => said.push(`settle ${name}`),
    release: () => said.push(`release ${name}`),
  });
  /** The event loop's next check phase. */
  const check = () => {
    for (const run of pending.splice(0)) run();
  };
  return { clock, reads, reader, busy, check, taken: () => said.splice(0) };
}

test("readers are held at once, read together each 50 ms, settled after the reads, and then everything is flushed", () => {
  const { clock, reads, reader, check, taken } = readClock();
  const [a, b] = [reader("a"), reader("b")];
  reads.add(a);
  clock.advance(20);
  reads.add(b);
  expect(taken()).toEqual(["hold a", "hold b"]);
  clock.advance(READ_INTERVAL_MS - 21);
  expect(taken()).toEqual([]);
  for (let step = 0; step < 3; step += 1) {
    clock.advance(step === 0 ? 1 : READ_INTERVAL_MS);
    expect(taken()).toEqual(["read a", "read b"]);
    check();
    expect(taken()).toEqual(["settle a", "settle b", "flush"]);
  }
});

test("of many readers each sixteen are flushed before the next are read, so that the first do not wait for the last", () => {
  const { clock, reads, reader, check, taken } = readClock();
  const names = Array.from({ length: 40 }, (_, index) => `${index}`);
  for (const name of names) reads.add(reader(name));
  taken();
  clock.advance(READ_INTERVAL_MS);
  const read = names.map((name) => `read ${name}`);
  expect(taken()).toEqual([...read.slice(0, 16), "flush", ...read.slice(16, 32), "flush", ...read.slice(32)]);
  check();
  expect(taken().at(-1)).toBe("flush");
});

test("a callback that waits for the next step runs after its reads, once, and at once without readers", () => {
  const { clock, reads, reader, check, taken } = readClock();
  const said: string[] = [];
  reads.afterNext(() => said.push("at once"));
  expect(said.splice(0)).toEqual(["at once"]);
  const a = reader("a");
  reads.add(a);
  clock.advance(READ_INTERVAL_MS - 1);
  reads.afterNext(() => said.push(`after ${taken()}`));
  clock.advance(1);
  expect(said).toEqual([]);
  check();
  expect(said.splice(0)).toEqual(["after hold a,read a,settle a"]);
  // Also where the readers have left by then.
  reads.afterNext(() => said.push("without readers"));
  reads.delete(a);
  clock.advance(READ_INTERVAL_MS);
  check();
  expect(said).toEqual(["without readers"]);
});

test("a deleted reader is released and not read any more, and without readers no timer runs", () => {
  const { clock, reads, reader, check, taken } = readClock();
  const [a, b] = [reader("a"), reader("b")];
  reads.add(a);
  reads.add(b);
  reads.delete(a);
  reads.delete(a);
  expect(taken()).toEqual(["hold a", "hold b", "release a"]);
  clock.advance(READ_INTERVAL_MS);
  reads.delete(b);
  check();
  expect(taken()).toEqual(["read b", "release b", "flush"]);
  clock.advance(10 * READ_INTERVAL_MS);
  check();
  expect(taken()).toEqual([]);
  reads.add(a);
  clock.advance(READ_INTERVAL_MS);
  expect(taken()).toEqual(["hold a", "read a"]);
});

test("a reader that brought much is read again each 5 ms, as long as that brings much, and at the next step with all others", () => {
  const { clock, reads, reader, busy, check, taken } = readClock();
  busy.add("a");
  for (const name of ["a", "b"]) reads.add(reader(name));
  clock.advance(READ_INTERVAL_MS);
  check();
  taken();
  clock.advance(10);
  expect(taken()).toEqual(["read a again", "read a again"]);
  busy.clear();
  clock.advance(READ_INTERVAL_MS - 11);
  expect(taken()).toEqual(["read a again"]);
  clock.advance(1);
  expect(taken()).toEqual(["read a", "read b"]);
});
