/** The most labels of a channel. */
export const LABELS_MAX = 10;
/** The longest label, in characters. */
export const LABEL_CHARACTERS_MAX = 30;

/** The form in which labels are compared: `Studio` and `studio` are the same. */
export const labelKey = (label: string): string => label.toLowerCase();

/**
 * Returns the labels trimmed and composed (macOS sends Hangul decomposed), in their order. Keeps the first of those
 * that differ only in case.
 */
export function tidyLabels(labels: readonly string[]): readonly string[] {
  const byKey = new Map<string, string>();
  for (const label of labels) {
    const tidied = label.trim().normalize("NFC");
    if (!byKey.has(labelKey(tidied))) byKey.set(labelKey(tidied), tidied);
  }
  return [...byKey.values()];
}
