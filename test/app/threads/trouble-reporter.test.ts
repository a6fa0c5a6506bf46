import { expect, test } from "vitest";
import { TroubleReporter } from "../../../src/app/threads/trouble-reporter.ts";
import { ManualClock } from "../../control/manual-clock.ts";

function stage(isCutOff = false) {
  const clock = new ManualClock();
  const reported: string[] = [];
  const reporter = new TroubleReporter({
    clock,
    isCutOff: () => isCutOff,
    onTrouble: (name) => void reported.push(name),
  });
  return { clock, reported, reporter };
}

test("hundreds of connections that meet the same trouble are reported once a second", () => {
  const { clock, reported, reporter } = stage();
  for (let each = 0; each < 300; each += 1) reporter.met("descriptors");
  reporter.met("memory");
  clock.advance(999);
  reporter.met("descriptors");
  expect(reported).toEqual(["descriptors", "memory"]);
  clock.advance(1);
  reporter.met("descriptors");
  expect(reported).toEqual(["descriptors", "memory", "descriptors"]);
});

test("no route to one address is that target's fault, no route at all is the server's, and a firewall's reply never is", () => {
  const one = stage(false);
  one.reporter.met("no-route");
  one.reporter.met("firewall");
  expect(one.reported).toEqual([]);
  const all = stage(true);
  all.reporter.met("no-route");
  expect(all.reported).toEqual(["no-route"]);
});
