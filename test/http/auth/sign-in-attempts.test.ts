import { expect, test } from "vitest";
import { RequestRefusedError } from "../../../src/http/answers/errors.ts";
import {
  FAILURES_OF_UNKNOWN_PER_MINUTE,
  FAILURES_PER_MINUTE,
  SignInAttempts,
  type SignInClient,
  UNKNOWN_AT_ONCE,
} from "../../../src/http/auth/sign-in-attempts.ts";
import { ManualClock } from "../../control/manual-clock.ts";

const OWNER: SignInClient = { address: "198.51.100.1", deviceId: "abcdefgh12345678" };
const client = (from: string | SignInClient): SignInClient => (typeof from === "string" ? { address: from } : from);

function open(isGuessable = true) {
  const clock = new ManualClock();
  const failed: string[] = [];
  const attempts = new SignInAttempts(clock, (address) => failed.push(address), isGuessable, undefined);
  /** The result, or the seconds to wait. */
  const run = async (from: string | SignInClient, value: string | undefined): Promise<string | number | undefined> => {
    try {
      return await attempts.run(client(from), async () => value);
    } catch (error) {
      if (error instanceof RequestRefusedError) return error.retryAfterSeconds ?? 0;
      throw error;
    }
  };
  /** Attempts that go on until the returned function is called; it returns how many there were. */
  const hold = (from: string | SignInClient, count: number) => {
    const ends: (() => void)[] = [];
    const results = Array.from({ length: count }, () =>
      attempts
        .run(client(from), () => new Promise<undefined>((resolve) => ends.push(() => resolve(undefined))))
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
  return { clock, attempts, failed, run, hold };
}

test("right attempts never count, failed ones count for their address for a minute", async () => {
  const { clock, run } = open();
  for (let count = 0; count < 200; count += 1) expect(await run("192.0.2.1", "session")).toBe("session");
  for (let count = 0; count < FAILURES_PER_MINUTE; count += 1)
    expect(await run("192.0.2.1", undefined)).toBeUndefined();
  clock.advance(20_000);
  expect(await run("192.0.2.1", "session")).toBe(40);
  expect(await run("192.0.2.2", "session")).toBe("session");
  clock.advance(40_000);
  expect(await run("192.0.2.1", "session")).toBe("session");
});

test("false counts as a failure, and an attempt that throws does not count", async () => {
  const { attempts, failed, run } = open();
  const one = { address: "192.0.2.1" };
  for (let count = 0; count < 50; count += 1) {
    await expect(attempts.run(one, () => Promise.reject(new Error("locked")))).rejects.toThrow("locked");
  }
  for (let count = 0; count < FAILURES_PER_MINUTE; count += 1)
    expect(await attempts.run(one, async () => false)).toBe(false);
  expect(await run("192.0.2.1", "session")).toBe(60);
  expect(failed).toEqual(Array.from({ length: FAILURES_PER_MINUTE }, () => "192.0.2.1"));
});

test("ever new addresses run into the bound of all unknown browsers, and a known browser signs in meanwhile", async () => {
  const { run } = open();
  let looked = 0;
  for (let count = 0; count < 1_000; count += 1) {
    // No two of them in one /48.
    if ((await run(`2001:${count.toString(16)}::1`, undefined)) === undefined) looked += 1;
  }
  expect(looked).toBe(FAILURES_OF_UNKNOWN_PER_MINUTE);
  expect(await run("198.51.100.1", "session")).toBe(60);
  expect(await run(OWNER, "session")).toBe("session");
});

test("secrets that cannot be guessed are bounded by network alone, so that others keep nobody from a set-up link", async () => {
  const { run } = open(false);
  for (let count = 0; count < 1_000; count += 1) {
    expect(await run(`2001:${count.toString(16)}::1`, undefined)).toBeUndefined();
  }
  expect(await run("198.51.100.1", "session")).toBe("session");
});

test("a known browser fails as often as one machine may, and does not affect others", async () => {
  const { run } = open();
  for (let count = 0; count < FAILURES_PER_MINUTE; count += 1) expect(await run(OWNER, undefined)).toBeUndefined();
  expect(await run(OWNER, "session")).toBe(60);
  // Another of the owner's browsers, behind the same address; and a client without a cookie.
  expect(await run({ ...OWNER, deviceId: "another-browser1" }, "session")).toBe("session");
  expect(await run(OWNER.address, "session")).toBe("session");
});

test("one machine has one attempt under way, and it may be its last one", async () => {
  const { run, hold } = open();
  const end = hold("2001:db8::1", 50);
  expect(await run("2001:db8::2", "session")).toBe(1);
  expect(await run("192.0.2.1", "session")).toBe("session");
  expect(await end()).toBe(1);
  for (let count = 1; count < FAILURES_PER_MINUTE - 1; count += 1) await run("2001:db8::1", undefined);
  expect(await hold("2001:db8::1", 50)()).toBe(1);
  expect(await run("2001:db8::1", "session")).toBe(60);
});

test("unknown browsers take their own places only", async () => {
  const { run, hold } = open();
  const ends = Array.from({ length: UNKNOWN_AT_ONCE * 3 }, (_, count) => hold(`2001:${count.toString(16)}::1`, 1));
  expect(await run("198.51.100.1", "session")).toBe(1);
  expect(await run(OWNER, "session")).toBe("session");
  const held = await Promise.all(ends.map((end) => end()));
  expect(held.reduce((total, count) => total + count, 0)).toBe(UNKNOWN_AT_ONCE);
  expect(await run("198.51.100.1", "session")).toBe("session");
});

test("failures at other nodes count too, and those here are told", async () => {
  const told: (readonly string[])[] = [];
  let waitMs = 0;
  const guards = {
    useOnce: async () => true,
    waitMs: async () => waitMs,
    failed: async (names: readonly string[]) => void told.push(names),
  };
  const attempts = new SignInAttempts(new ManualClock(), () => undefined, true, guards);
  const from = { address: "192.0.2.1" };
  expect(await attempts.run(from, async () => undefined)).toBeUndefined();
  expect(told).toEqual([["", "own 192.0.2.1", "near 192.0.2.0/24"]]);
  waitMs = 1_500;
  await expect(attempts.run(from, async () => "session")).rejects.toMatchObject({ retryAfterSeconds: 2 });
  waitMs = 0;
  expect(await attempts.run(from, async () => "session")).toBe("session");
});
