import { describe, expect, test } from "vitest";
import type { OwnerAnswer } from "../../src/control/ports/owner-question.ts";
import type { NodeState } from "../../src/control/ports/ownership-store.ts";
import { type Answers, nextStep, type Verdict, verdictOf } from "../../src/placement/admission-steps.ts";

const SELF = 5;
const row = (incarnation?: number) => ({
  ...{ channelId: "ls-1", epoch: 7 },
  ...(incarnation === undefined ? {} : { owner: { incarnation, home: 2 } }),
});

describe("what the database says", () => {
  const CLAIMS: readonly (readonly [string, ReturnType<typeof row> | undefined, NodeState | undefined, number])[] = [
    ["the channel never had an owner", undefined, undefined, 0],
    ["its last owner released it", row(), undefined, 7],
    ["its owner left", row(3), "left", 7],
    ["nothing is known of its owner", row(3), undefined, 7],
    ["this node owns it, and the answer to its claim was lost", row(SELF), "serving", 7],
  ];
  test.for(CLAIMS)("%s: claim", ([, present, state, seenEpoch]) => {
    expect(nextStep(SELF, present, () => state)).toEqual({ kind: "claim", seenEpoch });
  });

  test.for(["serving", "draining", "lost"] as const)("its owner is %s: ask it", (state) => {
    const step = { kind: "ask", owner: { incarnation: 3, home: 2 }, epoch: 7 };
    expect(nextStep(SELF, row(3), () => state)).toEqual(step);
  });
});

describe("what the owner says", () => {
  const owner = (isOnAir: boolean, isDraining = false, epoch = 7): OwnerAnswer => ({
    ...{ kind: "owner", epoch, isOnAir, isDraining },
  });
  const [GONE, UNUSABLE, NOT_OWNER]: readonly [OwnerAnswer, OwnerAnswer, OwnerAnswer] = [
    { kind: "gone" },
    { kind: "unusable" },
    { kind: "not-owner" },
  ];
  const CASES: readonly (readonly [string, Answers, Verdict, Verdict])[] = [
    ["nothing", {}, "wait", "claim"],
    ["it lives, by the link", { link: owner(true) }, "attach", "attach"],
    ["it lives and is off air, by the link", { link: owner(false) }, "attach", "attach"],
    ["it drains and is on air", { link: owner(true, true) }, "attach", "attach"],
    ["it drains and is off air", { link: owner(false, true) }, "move", "move"],
    ["it is not the owner", { bus: NOT_OWNER }, "read-again", "read-again"],
    ["it has a lower epoch", { link: owner(true, false, 6) }, "read-again", "read-again"],
    ["it has a higher epoch, which the database lost", { link: owner(true, false, 8) }, "attach", "attach"],
    ["refused, and nothing by the bus yet", { link: GONE }, "wait", "claim"],
    ["refused on both ways", { link: GONE, bus: GONE }, "claim", "claim"],
    ["refused, and there is no bus", { link: GONE, bus: UNUSABLE }, "claim", "claim"],
    ["no responders, and nothing by the link yet", { bus: GONE }, "wait", "claim"],
    ["on air, by the bus only", { bus: owner(true) }, "wait", "try-again"],
    ["on air by the bus, and the link is refused", { link: GONE, bus: owner(true) }, "try-again", "try-again"],
    ["off air, by the bus only", { bus: owner(false) }, "wait", "move"],
    ["off air by the bus, and the link is refused", { link: GONE, bus: owner(false) }, "move", "move"],
  ];
  test.for(CASES)("%s", ([, answers, verdict, inTheEnd]) => {
    expect(verdictOf(answers, { epoch: 7 }, false)).toBe(verdict);
    expect(verdictOf(answers, { epoch: 7 }, true)).toBe(inTheEnd);
  });
});
