import { signal } from "@preact/signals";
import { call } from "../../base/api.ts";
import type { Preset } from "../../base/model.ts";
import { language } from "../../text/text.ts";

/** What is known of every kind of platform; empty until the server told. */
export const presets = signal<readonly Preset[]>([]);

export async function readPresets(): Promise<void> {
  if (presets.value.length === 0) presets.value = await call<Preset[]>("GET", "/re-stream/presets");
}

export const presetName = (preset: Preset): string =>
  language.value === "ko" ? preset.displayNameKo : preset.displayName;
export const keyHelp = (preset: Preset): string => (language.value === "ko" ? preset.keyHelpKo : preset.keyHelp);
export const urlHelp = (preset: Preset): string | undefined =>
  language.value === "ko" ? preset.urlHelpKo : preset.urlHelp;

type PlatformName = { readonly targetName: string; readonly label?: string | undefined };

/** What a platform is called: its own name, else its kind's. */
export function platformName({ targetName, label = "" }: PlatformName): string {
  if (label !== "") return label;
  const preset = presets.value.find((each) => each.targetName === targetName);
  return preset === undefined ? targetName : presetName(preset);
}
