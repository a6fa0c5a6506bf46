import { computed } from "@preact/signals";
import {
  ALERT_SCOPES,
  ALERT_SEVERITIES,
  type AlertRules,
  type AlertSeverity,
} from "../../../../src/api-contract/alerts/alert-rules.ts";
import { areAlertsOn, keepAlertSettings, keptAlertSettings } from "../../base/alert-settings.ts";

/** How this browser tells of an alert. */
export const ALERT_KINDS = ["notification", "sound", "title"] as const;
type AlertKind = (typeof ALERT_KINDS)[number];

/** This browser's own choice. It is kept in the browser, and sent to the server with a push subscription. */
export type AlertSettings = AlertRules & {
  readonly isOn: boolean;
  readonly kinds: readonly AlertKind[];
  /** Neither notification nor sound while a page of Fanfare has the focus. */
  readonly isQuietInFocus: boolean;
};

const textsOf = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : undefined;

/** Returns the words of a closed list that are in the value. */
function chosenOf<Word extends string>(value: unknown, words: readonly Word[]): readonly Word[] | undefined {
  const texts = textsOf(value);
  return texts === undefined ? undefined : words.filter((word) => texts.includes(word));
}

/** The settings as they are now: what this browser keeps, and else everything about all channels. */
export const alertSettings = computed<AlertSettings>(() => {
  const kept = keptAlertSettings.value;
  return {
    isOn: areAlertsOn(),
    scope: ALERT_SCOPES.find((scope) => scope === kept["scope"]) ?? "all",
    channelIds: textsOf(kept["channelIds"]) ?? [],
    labels: textsOf(kept["labels"]) ?? [],
    severities: chosenOf<AlertSeverity>(kept["severities"], ALERT_SEVERITIES) ?? ["broken", "attention"],
    kinds: chosenOf(kept["kinds"], ALERT_KINDS) ?? ALERT_KINDS,
    isQuietInFocus: kept["isQuietInFocus"] === true,
  };
});

export const changeAlertSettings = (change: Partial<AlertSettings>): void =>
  keepAlertSettings({ ...alertSettings.peek(), ...change });
