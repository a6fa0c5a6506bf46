import type { Channel, ChannelEvent } from "../../base/model.ts";
import { t } from "../../text/text.ts";
import { platformName } from "../platform/presets.ts";

/**
 * Returns the name of an event's or report's platform: the current one, or the one it had when it was removed, or its number where an
 * older version of the server recorded no name.
 */
export function recordedTargetName(
  { platId, targetName, label }: Pick<ChannelEvent, "platId" | "targetName" | "label">,
  { platforms }: Channel,
): string {
  const platform = platforms.find((each) => each.platId === platId);
  if (platform !== undefined) return platformName(platform);
  return targetName === undefined ? t().events.formerPlatform(platId ?? 0) : platformName({ targetName, label });
}
