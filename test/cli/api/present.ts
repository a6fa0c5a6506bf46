import type { Present } from "../../../src/cli/api/apply/apply-plan.ts";

/** What a server has of a channel: the fields that the test is about. A plan reads no others. */
export function presentOf(
  channel: object,
  platforms: readonly object[],
  more: { readonly pull?: Present["pull"]; readonly schedules?: readonly object[] } = {},
): Present {
  const has = { channelId: "ls-1", channelName: "show", planType: "STANDARD", isPublishing: false };
  return { channel: { ...has, ...channel }, platforms, ...more } as unknown as Present;
}
