import { expect, test } from "vitest";
import { LinkError } from "../../src/node-link/frames.ts";
import { type PeerFault, PeerFaults } from "../../src/node-link/peer-faults.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

test("what peers do wrong is told once a minute with its count; what is no peer's is left to the caller", () => {
  const clock = new VirtualClock();
  const told: PeerFault[] = [];
  const faults = new PeerFaults(clock, (fault) => told.push(fault));
  expect(faults.take(new TypeError("ours"))).toBe(false);
  expect(faults.take(new LinkError("the peer is silent"))).toBe(true);
  for (let count = 0; count < 1_000; count += 1) faults.take(new LinkError("garbage"));
  expect(told).toEqual([{ detail: "the peer is silent", count: 1 }]);
  clock.advance(60_000);
  faults.take(new LinkError("silent again"));
  expect(told.slice(1)).toEqual([{ detail: "silent again", count: 1_001 }]);
});
