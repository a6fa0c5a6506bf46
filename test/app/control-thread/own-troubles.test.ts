import { expect, test } from "vitest";
import { OwnTroubles } from "../../../src/app/control-thread/own-troubles.ts";
import type { MachineTrouble } from "../../../src/base/system-errors.ts";
import { ManualClock } from "../../control/manual-clock.ts";

function stage() {
  const clock = new ManualClock();
  const reported: string[] = [];
  const troubles = new OwnTroubles(clock, ({ trouble, isOver }) =>
    reported.push(`${trouble.name}${isOver ? " over" : ""}`),
  );
  return { clock, reported, troubles };
}

test("missing descriptors are found within 5 s without any error, and the trouble is over 40 s after there is one", () => {
  const { clock, reported, troubles } = stage();
  let lacks: MachineTrouble | undefined;
  troubles.watchDescriptors(() => lacks);
  clock.advance(5_000);
  expect(reported).toEqual([]);
  lacks = "descriptors";
  for (let passed = 0; passed < 20; passed += 1) clock.advance(5_000);
  expect(reported).toEqual(["descriptors"]);
  lacks = undefined;
  for (let passed = 0; passed < 7; passed += 1) clock.advance(5_000);
  expect(reported).toEqual(["descriptors"]);
  clock.advance(5_000);
  expect(reported).toEqual(["descriptors", "descriptors over"]);
});

test("what a listener or a media thread meets is reported once, whichever meets it", () => {
  const { reported, troubles } = stage();
  troubles.acceptFailed(Object.assign(new Error("accept"), { code: "EMFILE" }));
  troubles.acceptFailed(Object.assign(new Error("accept"), { code: "ENOBUFS" }));
  troubles.fact({ kind: "server-trouble", time: 1, trouble: "memory" });
  expect(reported).toEqual(["descriptors", "memory"]);
});
