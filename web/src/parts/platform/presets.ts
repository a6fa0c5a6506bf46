import { computed, signal } from "@preact/signals";
import { api, content } from "../../base/api.ts";
import type { Preset } from "../../base/model.ts";
import { language } from "../../text/text.ts";

/** The server's list of known platforms. Empty until it is read. */
const presets = signal<readonly Preset[]>([]);

/** Platforms that Koreans stream to most: first in the Korean list. */
const FIRST_IN_KOREAN = ["CHZZK", "SOOP", "NAVERTV"];
/** The former name of SOOP. A channel may have it; the server lists SOOP only. */
const FORMER_NAME = "AFREECATV";

/** The platforms to choose from, in the order of the page's language. */
export const offeredPresets = computed<readonly Preset[]>(() => {
  const offered = presets.value;
  if (language.value !== "ko") return offered;
  const isFirst = ({ targetName }: Preset): boolean => FIRST_IN_KOREAN.includes(targetName);
  const place = ({ targetName }: Preset): number => FIRST_IN_KOREAN.indexOf(targetName);
  return [
    ...offered.filter(isFirst).sort((one, other) => place(one) - place(other)),
    ...offered.filter((preset) => !isFirst(preset)),
  ];
});

export async function readPresets(): Promise<void> {
  if (presets.value.length === 0) presets.value = await content(api.GET("/re-stream/presets"));
}

/** Returns the preset of a kind of platform, also of a former name. */
export const presetOf = (targetName: string): Preset | undefined =>
  presets.value.find((each) => each.targetName === (targetName === FORMER_NAME ? "SOOP" : targetName));

export const presetName = (preset: Preset): string =>
  language.value === "ko" ? preset.displayNameKo : preset.displayName;
export const keyHelp = (preset: Preset): string => (language.value === "ko" ? preset.keyHelpKo : preset.keyHelp);
export const urlHelp = (preset: Preset): string | undefined =>
  language.value === "ko" ? preset.urlHelpKo : preset.urlHelp;

type PlatformName = { readonly targetName: string; readonly label?: string | undefined };

/** Returns a platform's label, or the name of its kind. */
export function platformName({ targetName, label = "" }: PlatformName): string {
  if (label !== "") return label;
  const preset = presetOf(targetName);
  return preset === undefined ? targetName : presetName(preset);
}
