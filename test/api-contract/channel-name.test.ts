import { expect, test } from "vitest";
import { channelNameProblem, tidyChannelName } from "../../src/api-contract/input/channel-name.ts";
import { createChannelByPerson, updateChannelByPerson } from "../../src/api-contract/schemas/schemas.ts";

const FAMILY = "👨‍👩‍👧‍👦";

test.each([
  ["x", undefined],
  ["공연 1: “라이브” / <b>", undefined],
  ["=1+1", undefined],
  ["n".repeat(80), undefined],
  ["n".repeat(81), "too-long"],
  // Code points count: one emoji of a family is seven, a letter with its accents may be several.
  ["😀".repeat(80), undefined],
  ["😀".repeat(81), "too-long"],
  [FAMILY.repeat(11), undefined],
  [FAMILY.repeat(12), "too-long"],
  ["", "empty"],
  ["a\u0000b", "control-character"],
  ["a\nb", "control-character"],
  ["a\u0085b", "control-character"],
  ["a\u202eb", "control-character"],
  ["a\u2028b", "control-character"],
  ["a\ud800", "control-character"],
])("the name %j is refused with: %s", (name, problem) => {
  expect(channelNameProblem(name)).toBe(problem);
  const parsed = updateChannelByPerson.safeParse({ channelName: name });
  expect(parsed.success).toBe(problem === undefined);
});

test("blanks around a name are removed, on create and on change, and blanks alone are refused", () => {
  expect(tidyChannelName(" \u00a0my show\u3000\n")).toBe("my show");
  expect(updateChannelByPerson.parse({ channelName: "  my  show " }).channelName).toBe("my  show");
  expect(updateChannelByPerson.safeParse({ channelName: " \t " }).success).toBe(false);
  const platform = { targetName: "CUSTOM", rtmpUrl: "rtmp://example.com/app", streamKey: "k" };
  const body = { channelName: " 쇼 ", planType: "STANDARD", restream: [platform] };
  expect(createChannelByPerson.parse(body).channelName).toBe("쇼");
});
