import { expect, test } from "vitest";
import { type Target, targetSpec } from "../../../src/control/channels/channel.ts";
import { isPresetHost } from "../../../src/control/channels/known-hosts.ts";

test("a preset's host is recognised in upper and lower case, and another one is not", () => {
  expect(isPresetHost("rtmps://a.rtmps.YouTube.com:443/live2")).toBe(true);
  expect(isPresetHost("rtmp://a.rtmp.youtubee.com/live2")).toBe(false);
  expect(isPresetHost("nonsense")).toBe(false);
});

test("a target's spec says whether its host is a preset's", () => {
  const target: Omit<Target, "url"> = {
    ...{ targetId: 1, targetName: "CUSTOM", streamKey: "k", isEnabled: true },
    bufferPolicy: "drop",
    totals: { bytes: 0, playMs: 0, retryCount: 0 },
  };
  expect(targetSpec({ ...target, url: "rtmp://live.twitch.tv/app" }).isPresetHost).toBe(true);
  expect(targetSpec({ ...target, url: "rtmp://live.example.com/app" })).not.toHaveProperty("isPresetHost");
});
