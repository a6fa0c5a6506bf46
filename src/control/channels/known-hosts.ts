import { parseTargetUrl } from "../../protocol/rtmp/url.ts";
import { isTargetError, targetError } from "../../thread-protocol/targets/target-errors.ts";
import type { TargetStatus } from "../../thread-protocol/targets/target-status.ts";
import { TARGET_PRESETS } from "../presets/target-presets.ts";

function hostOf(url: string): string | undefined {
  const address = parseTargetUrl(url);
  return typeof address === "string" ? undefined : address.host.toLowerCase();
}

/** The hosts of all presets: an address with one of these has no typing error in its host name. */
const KNOWN_HOSTS: ReadonlySet<string | undefined> = new Set(
  TARGET_PRESETS.flatMap(({ urls, backupUrls }) => [...urls, ...backupUrls]).map(hostOf),
);

/** Where a known host name was not found, the status with an error that blames DNS. */
export function besideKnownHost(status: TargetStatus, url: string): TargetStatus {
  const { lastError } = status;
  if (lastError === undefined || !isTargetError(lastError, "name-unknown") || !KNOWN_HOSTS.has(hostOf(url)))
    return status;
  const { message, messageKo } = targetError("known-name-unknown");
  return { ...status, lastError: { ...lastError, message, messageKo } };
}
