import { expect, test } from "vitest";
import { RequestRefusedError } from "../../src/http/errors.ts";
import {
  AT_ONCE,
  AT_ONCE_OF_FAILED,
  FAILURES_OF_ALL_PER_MINUTE,
  FAILURES_PER_MINUTE,
  SignInAttempts,
} from "../../src/http/sign-in-attempts.ts";
import { ManualClock } from "../control/manual-clock.ts";

function open() {
  const clock = new ManualClock();
  const attempts = new SignInAttempts(clock);
  /** What came of it, or the seconds to wait. */
  const run = async (client: string, value: string | undefined): Promise<string | number | undefined> => {
    try {
      return await attempts.run(client, async () => value);
    } catch (error) {
      if (error instanceof RequestRefusedError) return error.retryAfterSeconds ?? 0;
      throw error;
    }
  };
  /** Attempts that go on until the returned function is called. */
  const hold = (client: string, count: number) => {
    const ends: (() => void)[] = [];
    const results = Array.from({ length: count }, () =>
      attempts
        .run(client, () => new Promise<undefined>((resolve) => ends.push(() => resolve(undefined))))
        .then(
          () => "failed",
          () => "refused",
        ),
    );
    return async () => {
      for (const end of ends) end();
      return (await Promise.all(results)).filter((result) => result === "failed").length;
    };
  };
  return { clock, attempts, run, hold };
}

test("right attempts never count, failed ones count for their address for a minute", async () => {
  const { clock, run } = open();
  for (let count = 0; count < 200; count += 1) expect(await run("a", "session")).toBe("session");
  for (let count = 0; count < FAILURES_PER_MINUTE; count += 1) expect(await run("a", undefined)).toBeUndefined();
  clock.advance(20_000);
  expect(await run("a", "session")).toBe(40);
  expect(await run("b", "session")).toBe("session");
  clock.advance(40_000);
  expect(await run("a", "session")).toBe("session");
});

test("false is a failure; an attempt that breaks is none", async () => {
  const { attempts, run } = open();
  for (let count = 0; count < 50; count += 1) {
    await expect(attempts.run("a", () => Promise.reject(new Error("locked")))).rejects.toThrow("locked");
  }
  for (let count = 0; count < FAILURES_PER_MINUTE; count += 1)
    expect(await attempts.run("a", async () => false)).toBe(false);
  expect(await run("a", "session")).toBe(60);
});

test("while many addresses fail, an address that did not is let in, and those that failed once wait", async () => {
  const { run } = open();
  await run("failed once", undefined);
  for (let count = 1; count < FAILURES_OF_ALL_PER_MINUTE; count += 1) await run(`flood ${count % 30}`, undefined);
  expect(await run("flood 3", "session")).toBe(60);
  expect(await run("failed once", "session")).toBe(60);
  expect(await run("never failed", "session")).toBe("session");
});

test("one address has one attempt under way, and it may be its last one", async () => {
  const { run, hold } = open();
  const end = hold("a", 50);
  expect(await run("b", "session")).toBe("session");
  expect(await end()).toBe(1);
  for (let count = 1; count < FAILURES_PER_MINUTE - 1; count += 1) await run("a", undefined);
  expect(await hold("a", 50)()).toBe(1);
  expect(await run("a", "session")).toBe(60);
});

test("those that failed never take all places, and no more than all places are taken", async () => {
  const { run, hold } = open();
  for (let count = 0; count < 30; count += 1) await run(`failed ${count}`, undefined);
  const ends = Array.from({ length: 30 }, (_, count) => hold(`failed ${count}`, 2));
  expect(await run("never failed", "session")).toBe("session");
  const others = Array.from({ length: AT_ONCE }, (_, count) => hold(`new ${count}`, 1));
  expect(await run("never failed", "session")).toBe(1);
  const sum = async (all: readonly (() => Promise<number>)[]) =>
    (await Promise.all(all.map((end) => end()))).reduce((total, count) => total + count, 0);
  expect([await sum(ends), await sum(others)]).toEqual([AT_ONCE_OF_FAILED, AT_ONCE - AT_ONCE_OF_FAILED]);
  expect(await run("never failed", "session")).toBe("session");
});
