import { expect, test } from "vitest";
import { TroubleTeller } from "../../src/app/threads/trouble-teller.ts";
import { ManualClock } from "../control/manual-clock.ts";

function stage(isCutOff = false) {
  const clock = new ManualClock();
  const told: string[] = [];
  const teller = new TroubleTeller({ clock, isCutOff: () => isCutOff, tell: (name) => void told.push(name) });
  return { clock, told, teller };
}

test("hundreds of connections that meet the same are told once a second", () => {
  const { clock, told, teller } = stage();
  for (let each = 0; each < 300; each += 1) teller.met("descriptors");
  teller.met("memory");
  clock.advance(999);
  teller.met("descriptors");
  expect(told).toEqual(["descriptors", "memory"]);
  clock.advance(1);
  teller.met("descriptors");
  expect(told).toEqual(["descriptors", "memory", "descriptors"]);
});

test("no route to one address is that target's affair, no route at all is the server's; a firewall's word never is", () => {
  const one = stage(false);
  one.teller.met("no-route");
  one.teller.met("firewall");
  expect(one.told).toEqual([]);
  const all = stage(true);
  all.teller.met("no-route");
  expect(all.told).toEqual(["no-route"]);
});
