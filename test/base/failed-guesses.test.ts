import { describe, expect, test } from "vitest";
import { FailedGuesses, limitsFrom } from "../../src/base/failed-guesses.ts";

const MINUTE_MS = 60_000;

/** How many of these addresses may guess, when each guesses once and fails. */
function allowed(guesses: FailedGuesses, addresses: Iterable<string>, nowMs = 0): number {
  let count = 0;
  for (const address of addresses) {
    if (guesses.waitMs(address, nowMs) > 0) continue;
    guesses.failed(address, nowMs);
    count += 1;
  }
  return count;
}

function* each(count: number, address: (index: number) => string) {
  for (let index = 0; index < count; index += 1) yield address(index);
}

test("one address fails as often as it may, and waits until a minute after its first failure", () => {
  const guesses = new FailedGuesses(limitsFrom(10));
  guesses.failed("192.0.2.1", 0);
  expect(
    allowed(
      guesses,
      each(50, () => "192.0.2.1"),
      20_000,
    ),
  ).toBe(9);
  expect(guesses.waitMs("192.0.2.1", 20_000)).toBe(40_000);
  expect(guesses.waitMs("192.0.2.2", 20_000)).toBe(0);
  expect(guesses.waitMs("192.0.2.1", MINUTE_MS - 1)).toBe(1);
  expect(guesses.waitMs("192.0.2.1", MINUTE_MS)).toBe(0);
});

describe("ever new addresses", () => {
  const hex = (value: number) => value.toString(16);
  test.each([
    ["a /64", 10, (index: number) => `2001:db8::${hex(index)}`],
    ["a /56", 40, (index: number) => `2001:db8:0:${hex(index % 256)}::1`],
    ["a /48", 160, (index: number) => `2001:db8:0:${hex(index % 65_536)}::1`],
    ["a /24", 40, (index: number) => `192.0.2.${index % 256}`],
    ["everywhere", 600, (index: number) => `2001:${hex(index)}::1`],
  ])("of %s fail %i times in a minute together", (_what, count, address) => {
    expect(allowed(new FailedGuesses(limitsFrom(10, 600)), each(5_000, address))).toBe(count);
  });
});

test("10,000 networks of a width are remembered, and the one that failed least recently is forgotten", () => {
  const guesses = new FailedGuesses(limitsFrom(1));
  guesses.failed("10.0.0.1", 0);
  guesses.failed("10.0.1.1", 0);
  guesses.failed("10.0.0.1", 0);
  for (let count = 0; count < 9_999; count += 1) guesses.failed(`11.${count >> 8}.${count & 255}.1`, 0);
  expect([guesses.waitMs("10.0.0.1", 0), guesses.waitMs("10.0.1.1", 0)]).toEqual([MINUTE_MS, 0]);
});
