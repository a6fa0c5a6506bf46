import { labelKey } from "../input/channel-labels.ts";

/** What an alert can be about: a channel broke, needs attention, or is healthy again. */
export const ALERT_SEVERITIES = ["broken", "attention", "healthy"] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** Which channels a person gets alerts of: all, some by their ids, or those with one of some labels. */
export const ALERT_SCOPES = ["all", "channels", "labels"] as const;
type AlertScope = (typeof ALERT_SCOPES)[number];

/** Which alerts one browser gets. */
export type AlertRules = {
  readonly scope: AlertScope;
  /** For the scope `channels`. */
  readonly channelIds: readonly string[];
  /** For the scope `labels`; in any case. */
  readonly labels: readonly string[];
  readonly severities: readonly AlertSeverity[];
};

type Subject = { readonly channelId: string; readonly labels?: readonly string[] | undefined };

/** Whether these rules allow an alert of this severity about this channel. */
export function isAlertWanted(
  rules: AlertRules,
  severity: AlertSeverity,
  { channelId, labels = [] }: Subject,
): boolean {
  if (!rules.severities.includes(severity)) return false;
  if (rules.scope === "all") return true;
  if (rules.scope === "channels") return rules.channelIds.includes(channelId);
  const wanted = new Set(rules.labels.map(labelKey));
  return labels.some((label) => wanted.has(labelKey(label)));
}
