import { expect, test } from "vitest";
import { hintOf } from "../../src/api-contract/input/hints.ts";
import { WRONG_BODY_VALUES } from "../http/contract/wrong-values.ts";

/** Values that a form of the dashboard cannot send: choices, and objects that the page builds. */
const UNTYPED = /^(an? (object|array|list|file id)|one of |true or false|at least |the incarnation of )/;

test("every rule of a field that people type has a hint in both languages", () => {
  const rules = new Set(
    Object.values(WRONG_BODY_VALUES)
      .flat()
      .map(({ rule }) => rule)
      .filter((rule) => !UNTYPED.test(rule)),
  );
  expect(rules.size).toBeGreaterThan(15);
  expect([...rules].filter((rule) => hintOf(rule) === undefined)).toEqual([]);
  for (const rule of rules) {
    const hint = hintOf(rule);
    expect(hint?.hint, rule).toMatch(/^[A-Z“].*\.$/s);
    expect(hint?.hintKo, rule).toMatch(/[가-힣].*\.$/s);
  }
});

test("an unknown rule has no hint", () => {
  expect(hintOf("toString")).toBeUndefined();
  expect(hintOf("anything")).toBeUndefined();
});
