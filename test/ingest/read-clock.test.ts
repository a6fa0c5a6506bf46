import { expect, test } from "vitest";
import { READ_INTERVAL_MS, ReadClock } from "../../src/ingest/read-clock.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

/** A read clock on virtual time, and in what order it did what. */
function readClock() {
  const clock = new VirtualClock();
  const said: string[] = [];
  const pending: (() => void)[] = [];
  const reads = new ReadClock({ clock, afterReads: (run) => pending.push(run), onRead: () => said.push("flush") });
  const reader = (name: string) => ({
    resume: () => said.push(`resume ${name}`),
    pause: () => said.push(`pause ${name}`),
  });
  /** The loop's next check phase. */
  const check = () => {
    for (const run of pending.splice(0)) run();
  };
  return { clock, reads, reader, check, taken: () => said.splice(0) };
}

test("readers are paused at once, read together each 50 ms, paused again behind the reads, and then all is flushed", () => {
  const { clock, reads, reader, check, taken } = readClock();
  const [a, b] = [reader("a"), reader("b")];
  reads.add(a);
  clock.advance(20);
  reads.add(b);
  expect(taken()).toEqual(["pause a", "pause b"]);
  clock.advance(READ_INTERVAL_MS - 21);
  expect(taken()).toEqual([]);
  for (let step = 0; step < 3; step += 1) {
    clock.advance(step === 0 ? 1 : READ_INTERVAL_MS);
    expect(taken()).toEqual(["resume a", "resume b"]);
    check();
    expect(taken()).toEqual(["pause a", "pause b", "flush"]);
  }
});

test("what waits for the next step runs behind its reads, once; where nobody is read, at once", () => {
  const { clock, reads, reader, check, taken } = readClock();
  const said: string[] = [];
  reads.afterNext(() => said.push("at once"));
  expect(said.splice(0)).toEqual(["at once"]);
  const a = reader("a");
  reads.add(a);
  clock.advance(READ_INTERVAL_MS - 1);
  reads.afterNext(() => said.push(`behind ${taken()}`));
  clock.advance(1);
  expect(said).toEqual([]);
  check();
  expect(said.splice(0)).toEqual(["behind pause a,resume a,pause a"]);
  // Also where whoever was to be read has left by then.
  reads.afterNext(() => said.push("nobody"));
  reads.delete(a);
  clock.advance(READ_INTERVAL_MS);
  check();
  expect(said).toEqual(["nobody"]);
});

test("who is let go is resumed and not touched any more, and without readers no timer runs", () => {
  const { clock, reads, reader, check, taken } = readClock();
  const [a, b] = [reader("a"), reader("b")];
  reads.add(a);
  reads.add(b);
  reads.delete(a);
  reads.delete(a);
  expect(taken()).toEqual(["pause a", "pause b", "resume a"]);
  clock.advance(READ_INTERVAL_MS);
  reads.delete(b);
  check();
  expect(taken()).toEqual(["resume b", "resume b", "flush"]);
  clock.advance(10 * READ_INTERVAL_MS);
  check();
  expect(taken()).toEqual([]);
  reads.add(a);
  clock.advance(READ_INTERVAL_MS);
  expect(taken()).toEqual(["pause a", "resume a"]);
});
