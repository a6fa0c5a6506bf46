import { parseTargetUrl } from "../../protocol/rtmp/url.ts";
import { TARGET_PRESETS } from "../presets/target-presets.ts";

function hostOf(url: string): string | undefined {
  const address = parseTargetUrl(url);
  return typeof address === "string" ? undefined : address.host.toLowerCase();
}

const PRESET_HOSTS: ReadonlySet<string | undefined> = new Set(
  TARGET_PRESETS.flatMap(({ urls, backupUrls }) => [...urls, ...backupUrls]).map(hostOf),
);

/** Whether the URL's host is one of a preset: its name has no typing error. */
export function isPresetHost(url: string): boolean {
  const host = hostOf(url);
  return host !== undefined && PRESET_HOSTS.has(host);
}
