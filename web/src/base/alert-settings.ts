import { signal } from "@preact/signals";
import {
  ALERT_SCOPES,
  ALERT_SEVERITIES,
  type AlertRules,
  type AlertSeverity,
} from "../../../src/api-contract/alerts/alert-rules.ts";

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

const KEPT_AS = "fanfare-alerts";

const DEFAULTS: AlertSettings = {
  isOn: false,
  scope: "all",
  channelIds: [],
  labels: [],
  severities: ["broken", "attention"],
  kinds: ["notification", "sound", "title"],
  isQuietInFocus: false,
};

const textsOf = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : undefined;

/** Returns the words of a closed list that are in the value. */
function chosenOf<Word extends string>(value: unknown, words: readonly Word[]): readonly Word[] | undefined {
  const texts = textsOf(value);
  return texts === undefined ? undefined : words.filter((word) => texts.includes(word));
}

function read(): AlertSettings {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT_AS) ?? "{}") as Readonly<Record<string, unknown>>;
    return {
      isOn: kept["isOn"] === true,
      scope: ALERT_SCOPES.find((scope) => scope === kept["scope"]) ?? DEFAULTS.scope,
      channelIds: textsOf(kept["channelIds"]) ?? DEFAULTS.channelIds,
      labels: textsOf(kept["labels"]) ?? DEFAULTS.labels,
      severities: chosenOf<AlertSeverity>(kept["severities"], ALERT_SEVERITIES) ?? DEFAULTS.severities,
      kinds: chosenOf<AlertKind>(kept["kinds"], ALERT_KINDS) ?? DEFAULTS.kinds,
      isQuietInFocus: kept["isQuietInFocus"] === true,
    };
  } catch {
    return DEFAULTS;
  }
}

/** The settings as they are now, the same in every tab of this browser. */
export const alertSettings = signal<AlertSettings>(read());

export function changeAlertSettings(change: Partial<AlertSettings>): void {
  alertSettings.value = { ...alertSettings.peek(), ...change };
  localStorage.setItem(KEPT_AS, JSON.stringify(alertSettings.peek()));
}

addEventListener("storage", ({ key }) => {
  if (key === KEPT_AS) alertSettings.value = read();
});

/** What the tab's title says of alerts that were not looked at yet; empty: nothing. */
export const alertTitle = signal("");
