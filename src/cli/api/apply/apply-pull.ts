import { maskPullUrl } from "../../../base/pull/pull-url.ts";
import type { FanfareClient } from "../../../client/client.ts";
import { contentOf } from "../exit-codes.ts";

/** The stream that a channel pulls, as a file wants it. Absent or null: it is left as it is. */
export type WantedPull = { readonly url: string; readonly enabled?: boolean | null | undefined };

/** … as a server has it: servers show addresses without their secrets. */
export type PresentPull = { readonly url?: string; readonly isRunning: boolean };

/** What has to be done; absent: nothing about that. */
export type PullChange = { readonly url?: string; readonly enabled?: boolean };

const SOURCE = "/re-stream/channels/{channelId}/source";
const pathOf = (channelId: string) => ({ params: { path: { channelId } } });

export async function presentPull(client: FanfareClient, channelId: string): Promise<PresentPull> {
  const { pull, sourceState } = await contentOf(client.GET(SOURCE, pathOf(channelId)));
  return { ...(pull === undefined ? {} : { url: pull.url }), isRunning: sourceState !== "stopped" };
}

/** Undefined where everything is as wanted. An address that differs only in its secrets is the same. */
export function pullChange(
  wanted: WantedPull | null | undefined,
  { url, isRunning }: PresentPull,
): PullChange | undefined {
  if (wanted == null) return undefined;
  const isOther = maskPullUrl(wanted.url) !== url;
  const isSwitched = wanted.enabled != null && wanted.enabled !== isRunning;
  if (!isOther && !isSwitched) return undefined;
  return { ...(isOther ? { url: wanted.url } : {}), ...(isSwitched ? { enabled: wanted.enabled } : {}) };
}

export async function changePull(
  client: FanfareClient,
  channelId: string,
  { url, enabled }: PullChange,
): Promise<void> {
  if (enabled === false) await contentOf(client.POST(`${SOURCE}/stop`, pathOf(channelId)));
  if (url !== undefined) await contentOf(client.PUT(SOURCE, { ...pathOf(channelId), body: { pull: { url } } }));
  if (enabled === true) await contentOf(client.POST(`${SOURCE}/start`, pathOf(channelId)));
}

/** The change for people: without secrets. */
export function pullText({ url, enabled }: PullChange): string {
  const words = [
    url === undefined ? "" : `pulls ${maskPullUrl(url)}`,
    enabled === undefined ? "" : enabled ? "starts" : "stops",
  ];
  return words.filter((word) => word !== "").join(", ");
}
