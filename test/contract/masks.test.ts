import { expect, test } from "vitest";
import { maskPassword, maskStreamKey } from "../../src/contract/masks.ts";

test("of a password the first character is shown, and its length", () => {
  expect(maskPassword("hunter2")).toBe("h******");
  expect(maskPassword("x")).toBe("x");
  expect(maskPassword("")).toBe("");
  expect(maskPassword("🔑🔑")).toBe("🔑*");
});

test("of a stream key a viewer sees the first four characters, and its length", () => {
  expect(maskStreamKey("abcdefgh")).toBe("abcd****");
  expect(maskStreamKey("abc")).toBe("abc");
});
