import { expect, test } from "vitest";
import type { TroubleChanged } from "../../../src/control/facts/server-fact.ts";
import { ServerTroubles } from "../../../src/control/live/server-troubles.ts";
import { ManualClock } from "../manual-clock.ts";

function stage() {
  const clock = new ManualClock();
  const reported: string[] = [];
  const publish = ({ trouble, isOver }: TroubleChanged) =>
    void reported.push(`${trouble.name} ${isOver ? "over" : "there"}`);
  const troubles = new ServerTroubles({ clock, publish });
  return { clock, reported, troubles, names: () => troubles.current.map(({ name }) => name) };
}

test("a trouble that is met is reported once, lasts while it is met, and is over 40 s after the last time", () => {
  const { clock, reported, troubles, names } = stage();
  const sinceTime = clock.wallNow();
  troubles.see("descriptors");
  clock.advance(30_000);
  troubles.see("descriptors");
  clock.advance(39_999);
  expect(troubles.current).toMatchObject([{ name: "descriptors", sinceTime, message: expect.any(String) }]);
  expect(reported).toEqual(["descriptors there"]);
  clock.advance(1);
  expect(names()).toEqual([]);
  expect(reported).toEqual(["descriptors there", "descriptors over"]);
});

test("several troubles are listed in the order they came, and one that is set stays until it is cleared", () => {
  const { clock, reported, troubles, names } = stage();
  troubles.set("memory", true);
  troubles.set("memory", true);
  troubles.see("no-route");
  expect(names()).toEqual(["memory", "no-route"]);
  clock.advance(1_000_000);
  expect(names()).toEqual(["memory"]);
  troubles.set("memory", false);
  troubles.set("memory", false);
  expect(reported).toEqual(["memory there", "no-route there", "no-route over", "memory over"]);
});
