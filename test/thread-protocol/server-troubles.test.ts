import { expect, test } from "vitest";
import { SERVER_TROUBLE_NAMES, serverTroubleText, sharedTrouble } from "../../src/thread-protocol/server-troubles.ts";

test.each(SERVER_TROUBLE_NAMES)("%s is a whole sentence in English and in Korean that says what to do", (name) => {
  const { message, messageKo } = serverTroubleText(name);
  expect(message).toMatch(/^This server('s|) .*: .*\.$/);
  expect(messageKo).toMatch(/이 서버.*[가-힣].*\. .*\.$/);
});

test("what a firewall forbids one connection says nothing of others", () => {
  expect(sharedTrouble("firewall")).toBeUndefined();
  expect(sharedTrouble("descriptors")).toBe("descriptors");
});
