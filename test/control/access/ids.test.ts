import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import {
  newAccessKeyId,
  newChannelId,
  newSecretKey,
  newStreamKey,
  randomText,
} from "../../../src/control/access/ids.ts";

test("ids have their forms", () => {
  expect(newChannelId(0, randomBytes)).toMatch(/^ls-\d{14}-[A-Za-z0-9]{5}$/);
  expect(newStreamKey(randomBytes)).toMatch(/^[a-z0-9]{32}$/);
  expect(newAccessKeyId(randomBytes)).toMatch(/^[A-Z0-9]{20}$/);
  expect(newSecretKey(randomBytes)).toMatch(/^[A-Za-z0-9]{40}$/);
});

test("a channel's id contains the time in Korea", () => {
  const id = newChannelId(Date.UTC(2025, 11, 31, 15, 0, 1), () => new Uint8Array(5));
  expect(id).toBe("ls-20260101000001-AAAAA");
});

test("every character is equally likely: bytes past the last whole round of the alphabet are discarded", () => {
  const allBytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const source = (size: number) => allBytes.subarray(0, Math.max(size, 256));
  const text = randomText(252, "abcdefghijklmnopqrstuvwxyz0123456789", source);
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  expect(new Set(counts.values())).toEqual(new Set([7]));
  expect(counts.size).toBe(36);
});

test("discarded bytes are drawn again, and a broken source ends in an error", () => {
  const draws = [Uint8Array.of(255, 255), Uint8Array.of(255, 1), Uint8Array.of(2)];
  expect(randomText(2, "abc", () => draws.shift() ?? Uint8Array.of())).toBe("bc");
  expect(() => randomText(2, "abc", () => Uint8Array.of(255))).toThrow("random bytes");
});
