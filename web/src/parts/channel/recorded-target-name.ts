import type { Channel, ChannelEvent } from "../../base/model.ts";
import { t } from "../../text/text.ts";
import { platformName } from "../platform/presets.ts";

/**
 * What the platform of an event or a report is called, or was when it was removed; by its number where a server of before kept no name
 * of it.
 */
export function nameThen(
  { platId, targetName, label }: Pick<ChannelEvent, "platId" | "targetName" | "label">,
  { platforms }: Channel,
): string {
  const platform = platforms.find((each) => each.platId === platId);
  if (platform !== undefined) return platformName(platform);
  return targetName === undefined ? t().events.formerPlatform(platId ?? 0) : platformName({ targetName, label });
}
