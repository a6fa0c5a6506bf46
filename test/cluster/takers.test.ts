import { expect, test } from "vitest";
import type { NodeReport } from "../../src/cluster/node-report.ts";
import { Takers } from "../../src/cluster/takers.ts";

const node = (
  incarnation: number,
  channels: number,
  { version = "1.0.0", heardAgoMs = 0, isDraining = false } = {},
) => {
  const load = { channels, egressBitsPerSecond: 0, loopDelayMs: 0, relayed: 0 };
  const state = isDraining ? "draining" : "serving";
  const report: NodeReport = { nodeId: `n${incarnation}`, state, version, no: 1, load };
  return { incarnation, report, heardAgoMs };
};

const NEWER = { version: "1.10.0" };
const takers = (version: string, self: number, ...nodes: readonly ReturnType<typeof node>[]) =>
  new Takers({ nodes: () => nodes, self, version }).ranked();

test("nodes that were upgraded take channels first, then those with the fewest", () => {
  const all = [node(2, 1), node(3, 0), node(4, 7, NEWER), node(5, 6, NEWER)];
  expect(takers("1.9.0", 1, ...all)).toEqual([
    { incarnation: 5, isUpgraded: true },
    { incarnation: 4, isUpgraded: true },
    { incarnation: 3, isUpgraded: false },
    { incarnation: 2, isUpgraded: false },
  ]);
});

test("a node that was upgraded gives channels to others that were, unless older ones started last: then the cluster goes back", () => {
  const older = node(2, 0, { version: "1.9.0" });
  expect(takers("1.10.0", 4, older, node(3, 5, NEWER))[0]).toEqual({ incarnation: 3, isUpgraded: false });
  expect(takers("1.10.0", 4, older)[0]).toEqual({ incarnation: 2, isUpgraded: false });
  const goesBack = node(5, 6, { version: "1.9.0" });
  expect(takers("1.10.0", 4, node(3, 5, NEWER), goesBack)[0]).toEqual({ incarnation: 5, isUpgraded: true });
});

test("channels that a node took count before it says so", () => {
  const all = [node(2, 1), node(3, 0)];
  const chosen = new Takers({ nodes: () => all, self: 1, version: "1.0.0" });
  const given = [1, 2, 3, 4].map(() => {
    const [{ incarnation } = { incarnation: 0 }] = chosen.ranked();
    chosen.took(incarnation);
    return incarnation;
  });
  expect(given).toEqual([3, 2, 3, 2]);
  // Its next report has them.
  all[1] = node(3, 9);
  expect(chosen.ranked()[0]?.incarnation).toBe(2);
});

test("nodes that drain or are silent take nothing", () => {
  const gone = [node(2, 0, { isDraining: true }), node(3, 0, { heardAgoMs: 6_000 })];
  expect(takers("1.0.0", 1, ...gone)).toEqual([]);
  expect(takers("1.0.0", 1, ...gone, node(4, 9, { heardAgoMs: 5_999 }))[0]?.incarnation).toBe(4);
});

test.each(["0.1.0", "0.9.0", "0.10.0", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0"])(
  "the newest version is not %s",
  (version) => {
    expect(takers(version, 1, node(2, 9, { version: "1.0.1" }), node(3, 0, { version }))[0]?.incarnation).toBe(2);
    const between = takers("0.0.9", 1, node(2, 0, { version }), node(3, 9, { version: "1.0.0-rc.10.1" }))[0];
    expect(between?.incarnation).toBe(version === "1.0.0" ? 2 : 3);
  },
);
