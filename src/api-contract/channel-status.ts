/** Every `channelStatus` of the API; the list call filters by them. */
export const CHANNEL_STATUSES = [
  "CREATING",
  "READY",
  "PUBLISHING",
  "PUBLISH",
  "DELETED",
  "BLOCK",
  "FORCE_BLOCK",
  "FORCE_DELETED",
] as const;

/**
 * The status of a channel on air: Live Station's reference spelled it `PUBLISH` until 2024 and `PUBLISHING` since, and
 * clients compare the word.
 */
export type PublishStatusName = "PUBLISHING" | "PUBLISH";

/** Reads the setting `FANFARE_PUBLISH_STATUS_NAME`; undefined where it is neither word. */
export function parsePublishStatusName(text: string): PublishStatusName | undefined {
  return text === "PUBLISHING" || text === "PUBLISH" ? text : undefined;
}
