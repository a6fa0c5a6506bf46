import { expect, test } from "vitest";
import { fingerprintOf } from "../../web/src/parts/sources/fingerprint.ts";

const MIB = 1024 * 1024;

/** A file whose bytes are all 0, except at some places. */
const fileOf = (length: number, places: readonly number[] = [], lastModified = 1_800_000_000_000) => {
  const bytes = new Uint8Array(length);
  for (const place of places) bytes[place] = 1;
  return new File([bytes], "film.mp4", { lastModified });
};

test.each([
  { name: "a byte", length: 1, places: [0] },
  { name: "a file that is read whole, in its middle", length: MIB, places: [MIB / 2 + 1] },
  { name: "a long file, at its beginning", length: 40 * MIB, places: [9] },
  { name: "a long file, at its end", length: 40 * MIB, places: [40 * MIB - 1] },
  {
    name: "a long file, in a piece of its middle",
    length: 31 * MIB,
    places: [Math.floor(((31 - 1 / 8) * MIB) / 3) + 7],
  },
])("two files of one name and length differ: $name", async ({ length, places }) => {
  const plain = await fingerprintOf(fileOf(length));
  expect(plain).toMatch(/^[\w.-]{1,100}$/);
  expect(await fingerprintOf(fileOf(length))).toBe(plain);
  expect(await fingerprintOf(fileOf(length, places))).not.toBe(plain);
});

test("a file that was changed since is another one", async () => {
  expect(await fingerprintOf(fileOf(9, [], 5))).not.toBe(await fingerprintOf(fileOf(9, [], 6)));
});

test("of a thousand files that differ in one byte no two have the same fingerprint", async () => {
  const all = new Set<string>();
  for (let place = 0; place < 1_000; place += 1) all.add(await fingerprintOf(fileOf(1_000, [place])));
  expect(all.size).toBe(1_000);
});
