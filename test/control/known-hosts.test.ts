import { expect, test } from "vitest";
import { besideKnownHost } from "../../src/control/channels/known-hosts.ts";
import { targetError } from "../../src/thread-protocol/targets/target-errors.ts";

const failed = (name: Parameters<typeof targetError>[0]) =>
  ({ status: "FAIL", sinceTime: 1, lastError: { ...targetError(name), time: 1 } }) as const;

test("a preset's address whose name is not found is blamed on DNS, not on a typing error", () => {
  const { lastError } = besideKnownHost(failed("name-unknown"), "rtmps://a.rtmps.YouTube.com:443/live2");
  expect(lastError).toEqual({ ...targetError("known-name-unknown"), time: 1 });
});

test("another name may have a typing error, and another failure stays unchanged", () => {
  const unknown = failed("name-unknown");
  expect(besideKnownHost(unknown, "rtmp://a.rtmp.youtubee.com/live2")).toBe(unknown);
  expect(besideKnownHost(unknown, "nonsense")).toBe(unknown);
  const refused = failed("connection-refused");
  expect(besideKnownHost(refused, "rtmp://a.rtmp.youtube.com/live2")).toBe(refused);
});
