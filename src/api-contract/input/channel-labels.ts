/** A channel has at most so many labels. */
export const LABELS_MAX = 10;
/** Longest label, in characters. */
export const LABEL_CHARACTERS_MAX = 30;

/** What a label is compared by: `Studio` and `studio` are one. */
export const labelKey = (label: string): string => label.toLowerCase();

/**
 * Returns the labels trimmed and composed (macOS sends Hangul decomposed), in their order. Of those that differ only in case
 * the first is kept.
 */
export function tidyLabels(labels: readonly string[]): readonly string[] {
  const byKey = new Map<string, string>();
  for (const label of labels) {
    const tidied = label.trim().normalize("NFC");
    if (!byKey.has(labelKey(tidied))) byKey.set(labelKey(tidied), tidied);
  }
  return [...byKey.values()];
}
