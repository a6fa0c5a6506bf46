import { expect, test } from "vitest";
import { TARGET_ERROR_NAMES, targetError } from "../../src/thread-protocol/targets/target-errors.ts";
import { TargetErrorCode } from "../../src/thread-protocol/targets/target-status.ts";
import { targetWarning } from "../../src/thread-protocol/targets/target-warnings.ts";

test("every code has at least one sentence", () => {
  const codes = new Set(TARGET_ERROR_NAMES.map((name) => targetError(name).code));
  expect([...Object.values(TargetErrorCode)].filter((code) => !codes.has(code))).toEqual([]);
});

test.each(TARGET_ERROR_NAMES)(
  "%s is a whole sentence in English and in Korean, with and without its detail",
  (name) => {
    for (const error of [targetError(name), targetError(name, "a-detail")]) {
      expect(error.message).toMatch(/^[A-Z].*\.$/);
      expect(error.messageKo).toMatch(/[가-힣].*\.$/);
      expect(`${error.message}${error.messageKo}`).not.toMatch(/[{}]|\(\)/);
    }
    const hasPlace = targetError(name, "a-detail").message !== targetError(name).message;
    expect(targetError(name, "a-detail").messageKo.includes("a-detail")).toBe(hasPlace);
  },
);

test("no two sentences are the same", () => {
  const sentences = TARGET_ERROR_NAMES.flatMap((name) => [targetError(name).message, targetError(name).messageKo]);
  expect(new Set(sentences).size).toBe(sentences.length);
});

test.each(["no-keyframe", "no-more-keyframe", "no-media"] as const)("%s: one sentence in both languages", (name) => {
  const { message, messageKo } = targetWarning(name);
  expect(message).toMatch(/^[A-Z].*\.$/);
  expect(messageKo).toMatch(/[가-힣].*\.$/);
});
