import { expect, test } from "vitest";
import { HlsNames } from "../../../src/sources/pull-links/hls-names.ts";

const url = (path: string) => new URL(`https://media.example/${path}`);

test("an address keeps its number, and a number leads back to its address", () => {
  const names = new HlsNames();
  expect(names.numberOf(url("a.ts?x=1"), "segment")).toBe(1);
  expect(names.numberOf(url("a.ts?x=1"), "key")).toBe(2);
  expect(names.numberOf(url("a.ts?x=1"), "segment")).toBe(1);
  expect(names.find(1)).toEqual({ url: url("a.ts?x=1"), part: "segment" });
  expect(names.find(2)?.part).toBe("key");
  expect(names.find(3)).toBeUndefined();
});

test("whatever playlists name, memory is bounded, and what is still named keeps its number", () => {
  const names = new HlsNames();
  const long = "x".repeat(4_000);
  const kept = names.numberOf(url("kept.ts"), "segment");
  for (let count = 0; count < 20_000; count += 1) {
    names.numberOf(url(`${count}/${long}.ts`), "segment");
    if (count % 1_000 === 0) expect(names.numberOf(url("kept.ts"), "segment")).toBe(kept);
  }
  expect(names.characters).toBeLessThanOrEqual(32 * 1_024 * 1_024);
  expect(names.find(kept)?.url.pathname).toBe("/kept.ts");
  expect(names.find(2)).toBeUndefined();
  for (let count = 0; count < 150_000; count += 1) names.numberOf(url(`${count}.ts`), "segment");
  expect(names.find(kept)).toBeUndefined();
  // The last 50,000 at least.
  expect(names.find(20_001 + 100_001)?.url.pathname).toBe("/100000.ts");
});
