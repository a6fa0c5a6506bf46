import { expect, test } from "vitest";
import { OwnTroubles } from "../../src/app/control-thread/own-troubles.ts";
import type { MachineTrouble } from "../../src/base/system-errors.ts";
import { ManualClock } from "../control/manual-clock.ts";

function stage() {
  const clock = new ManualClock();
  const told: string[] = [];
  const troubles = new OwnTroubles(clock, ({ trouble, isOver }) =>
    told.push(`${trouble.name}${isOver ? " over" : ""}`),
  );
  return { clock, told, troubles };
}

test("that no descriptor is left is found within 5 s although nobody is told of it, and over 40 s after there is one", () => {
  const { clock, told, troubles } = stage();
  let lacks: MachineTrouble | undefined;
  troubles.watchDescriptors(() => lacks);
  clock.advance(5_000);
  expect(told).toEqual([]);
  lacks = "descriptors";
  for (let passed = 0; passed < 20; passed += 1) clock.advance(5_000);
  expect(told).toEqual(["descriptors"]);
  lacks = undefined;
  for (let passed = 0; passed < 7; passed += 1) clock.advance(5_000);
  expect(told).toEqual(["descriptors"]);
  clock.advance(5_000);
  expect(told).toEqual(["descriptors", "descriptors over"]);
});

test("what a listener or a media thread meets is told once, whoever meets it", () => {
  const { told, troubles } = stage();
  troubles.acceptFailed(Object.assign(new Error("accept"), { code: "EMFILE" }));
  troubles.acceptFailed(Object.assign(new Error("accept"), { code: "ENOBUFS" }));
  troubles.fact({ kind: "server-trouble", time: 1, trouble: "memory" });
  expect(told).toEqual(["descriptors", "memory"]);
});
