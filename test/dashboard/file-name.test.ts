import { expect, test } from "vitest";
import { datedFileName, fileName } from "../../src/api-contract/words/file-name.ts";

test.each([
  ["금요일 공연 🎤", "금요일 공연 🎤"],
  ['a\\b/c:d*e?f"g<h>i|j', "a-b-c-d-e-f-g-h-i-j"],
  ["../../etc/passwd", "-..-etc-passwd"],
  [".hidden. ", "hidden"],
  ["a\r\nb\u0000c", "abc"],
  // The direction of text is turned, so that the ending seems to be another.
  ["report\u202Efdp.exe", "reportfdp.exe"],
  ["CON", "channel"],
  ["...", "channel"],
  ["가".repeat(80), "가".repeat(60)],
])("%j as a file's name is %j", (name, expected) => {
  expect(fileName(name)).toBe(expected);
});

test("a dated name has the moment of the reader's clock, and fits into 255 bytes with any ending", () => {
  const time = Date.UTC(2026, 10, 29, 20, 30, 5);
  expect(datedFileName("show", time, "UTC")).toBe("show-2026-11-29T203005");
  expect(datedFileName("show", time, "Asia/Seoul")).toBe("show-2026-11-30T053005");
  expect(Buffer.byteLength(`${datedFileName("가".repeat(80), time, "UTC")}.json`)).toBeLessThanOrEqual(255);
});
