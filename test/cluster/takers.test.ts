import { expect, test } from "vitest";
import type { NodeReport } from "../../src/cluster/node-report.ts";
import { takersAmong } from "../../src/cluster/takers.ts";

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

test("nodes that were upgraded take channels first, then those that own the fewest", () => {
  const nodes = [node(2, 1), node(3, 0), node(4, 7, { version: "1.1.0" }), node(5, 6, { version: "1.1.0" })];
  expect(takersAmong(nodes, "1.0.0")).toEqual([5, 4, 3, 2]);
});

test("nodes that drain or are silent take nothing", () => {
  const nodes = [
    node(2, 0, { isDraining: true }),
    node(3, 0, { heardAgoMs: 6_000 }),
    node(4, 9, { heardAgoMs: 5_999 }),
  ];
  expect(takersAmong(nodes, "1.0.0")).toEqual([4]);
});
