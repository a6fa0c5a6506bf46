import { ConfigError } from "../../../app/config/config-error.ts";
import { maskPullUrl } from "../../../base/pull/pull-url.ts";
import type { FanfareClient } from "../../../client/client.ts";
import { contentOf, contentUnlessGone } from "../exit-codes.ts";

/** The stream that a channel pulls, as a file wants it. Absent or null: it is left as it is. */
export type WantedPull = { readonly url: string; readonly enabled?: boolean | null | undefined };

/** … as a server has it: servers show addresses without their secrets. */
export type PresentPull = { readonly url?: string; readonly isRunning: boolean };

/** What has to be done; absent: nothing about that. */
export type PullChange = { readonly url?: string; readonly enabled?: boolean };

/** What stands for a secret. */
const MASK = "****";
const SOURCE = "/re-stream/channels/{channelId}/source";
const pathOf = (channelId: string) => ({ params: { path: { channelId } } });

/** Undefined where the channel is gone. */
export async function presentPull(client: FanfareClient, channelId: string): Promise<PresentPull | undefined> {
  const source = await contentUnlessGone(client.GET(SOURCE, pathOf(channelId)));
  if (source === undefined) return undefined;
  const { pull, sourceState } = source;
  return { ...(pull === undefined ? {} : { url: pull.url }), isRunning: sourceState !== "stopped" };
}

/** True for an address as servers show it, with something hidden. */
export function isMaskedPull(url: string): boolean {
  return url.includes(MASK) && maskPullUrl(url) === url;
}

/** Throws ConfigError where this channel's address would be stored as servers show it. */
export function refuseMaskedPull(channelName: string, url: string): void {
  if (isMaskedPull(url))
    throw new ConfigError(
      `channel ${channelName}: pull.url must be written in full, with its password, not as ${url}.`,
    );
}

/**
 * Undefined where everything is as wanted. An address that differs only in its secrets is the same. Throws ConfigError
 * where another one is masked.
 */
export function pullChange(
  channelName: string,
  wanted: WantedPull | null | undefined,
  { url, isRunning }: PresentPull,
): PullChange | undefined {
  if (wanted == null) return undefined;
  const isOther = maskPullUrl(wanted.url) !== url;
  if (isOther) refuseMaskedPull(channelName, wanted.url);
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
