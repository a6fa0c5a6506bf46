import { expect, test } from "vitest";
import { OwnedEpochs } from "../../src/placement/owned-epochs.ts";

const SELF = 5;
const mine = { channelId: "ls-1", epoch: 7, home: 0, revision: 3 };
const by = (incarnation: number) => ({ owner: { incarnation, home: 1 } });

function owning() {
  const owned = new OwnedEpochs();
  owned.add(mine);
  return owned;
}

test("a higher epoch of another node ends an ownership, also one whose answer is still on its way", () => {
  const owned = owning();
  expect(owned.heard("ls-1", 7)).toBeUndefined();
  expect(owned.heard("ls-1", 8)).toEqual(mine);
  expect(owned.all()).toEqual([]);
  expect(owned.add(mine)).toBe(false);
  expect(owned.add({ ...mine, epoch: 9 })).toBe(true);
});

test("an older ownership is not deleted in place of a newer one", () => {
  const owned = owning();
  expect(owned.delete("ls-1", 6)).toBe(false);
  expect(owned.get("ls-1")).toMatchObject({ epoch: 7 });
  expect(owned.delete("ls-1", 7)).toBe(true);
});

const ROW = { channelId: "ls-1", epoch: 7, revision: 3, ...by(SELF) };
const NOTHING = { fenced: [], givenUp: [], missing: [], newer: [], older: [] };
test.for([
  ["the same", [ROW], NOTHING],
  ["no row", [], { ...NOTHING, missing: [mine] }],
  ["a lower epoch", [{ ...ROW, epoch: 6 }], { ...NOTHING, missing: [mine] }],
  ["an ownership that ended", [{ channelId: "ls-1", epoch: 7, revision: 3 }], { ...NOTHING, missing: [mine] }],
  ["the epoch of an older process", [{ ...ROW, ...by(4) }], { ...NOTHING, missing: [mine] }],
  ["the epoch of a newer process", [{ ...ROW, ...by(6) }], { ...NOTHING, fenced: [mine] }],
  ["a higher epoch", [{ ...ROW, epoch: 8, ...by(6) }], { ...NOTHING, fenced: [mine] }],
  ["a higher epoch that ended", [{ channelId: "ls-1", epoch: 8, revision: 3 }], { ...NOTHING, fenced: [mine] }],
  ["that others finished it", [{ ...ROW, isFinished: true }], { ...NOTHING, givenUp: [mine] }],
  [
    "that it was finished under a higher epoch",
    [{ ...ROW, epoch: 8, isFinished: true }],
    { ...NOTHING, fenced: [mine] },
  ],
  ["newer settings", [{ ...ROW, revision: 4 }], { ...NOTHING, newer: ["ls-1"] }],
  ["older settings", [{ ...ROW, revision: 2 }], { ...NOTHING, older: [{ channelId: "ls-1", revision: 3 }] }],
] as const)("the database has %s", ([, rows, differences]) => {
  const owned = owning();
  expect(owned.compare(SELF, owned.all(), rows)).toEqual(differences);
  expect(owned.all()).toHaveLength(differences.fenced.length === 0 ? 1 : 0);
});

test("an answer that is older than the ownership says nothing", () => {
  const owned = owning();
  const asked = owned.all();
  owned.delete("ls-1", 7);
  owned.add({ ...mine, epoch: 9 });
  expect(owned.compare(SELF, asked, [{ ...ROW, epoch: 8, ...by(6) }])).toEqual(NOTHING);
});
