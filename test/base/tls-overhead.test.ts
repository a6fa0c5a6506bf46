import { expect, test } from "vitest";
import { TlsOverhead } from "../../src/base/tls-overhead.ts";

/** Each look has so many bytes with so much payload; returns the look at which it is called a flood. */
function floodAt(looks: number, came: number, carried: number): number | undefined {
  const below = { bytesRead: 0 };
  const overhead = new TlsOverhead(below);
  for (let look = 1; look <= looks; look += 1) {
    below.bytesRead += came;
    if (overhead.isFlood(look * carried)) return look;
  }
  return undefined;
}

test("a handshake is free, and earlier bytes are not counted", () => {
  expect(floodAt(1, 12_000, 0)).toBeUndefined();
  const overhead = new TlsOverhead({ bytesRead: 1_000_000 });
  expect(overhead.isFlood(0)).toBe(false);
});

test("bytes without payload are a flood, at once or bit by bit", () => {
  expect(floodAt(1, 33_000, 0)).toBe(1);
  expect(floodAt(1_000, 8_000, 0)).toBe(5);
  expect(floodAt(1_000, 1_000, 0)).toBe(67);
});

test("records of sixteen bytes, and a change of keys now and then, never are a flood", () => {
  expect(floodAt(100_000, 38_000, 16_000)).toBeUndefined();
  expect(floodAt(100_000, 500, 0)).toBeUndefined();
});

test("earlier payload does not pay for a flood", () => {
  const below = { bytesRead: 10_000_000 };
  const overhead = new TlsOverhead(below);
  below.bytesRead += 10_000_000;
  expect(overhead.isFlood(9_900_000)).toBe(false);
  below.bytesRead += 33_000;
  expect(overhead.isFlood(9_900_000)).toBe(true);
});
