import { signal } from "@preact/signals";
import { keep, recall } from "./kept.ts";

const KEPT_AS = "fanfare-alerts";

type Kept = Readonly<Record<string, unknown>>;

function read(): Kept {
  try {
    return Object(JSON.parse(recall(KEPT_AS) ?? "{}")) as Kept;
  } catch {
    return {};
  }
}

/** The alert settings as this browser keeps them, the same in all of its tabs. What they mean, the alerts know. */
export const keptAlertSettings = signal<Kept>(read());

export function keepAlertSettings(settings: object): void {
  keptAlertSettings.value = { ...settings };
  keep(KEPT_AS, JSON.stringify(settings));
}

addEventListener("storage", ({ key }) => {
  if (key === KEPT_AS) keptAlertSettings.value = read();
});

export const areAlertsOn = (): boolean => keptAlertSettings.value["isOn"] === true;

/** What the tab's title says of alerts that were not looked at yet; empty: nothing. */
export const alertTitle = signal("");
