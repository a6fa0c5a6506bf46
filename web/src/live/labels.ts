import { computed } from "@preact/signals";
import { labelKey } from "../base/labels.ts";
import { allChannels } from "./store.ts";

/** The labels of all channels as one text: a page renders again only when that changes. */
const labelsText = computed(() => {
  const byKey = new Map<string, string>();
  for (const { channel } of allChannels.value) {
    for (const label of channel.value.labels ?? []) {
      if (!byKey.has(labelKey(label))) byKey.set(labelKey(label), label);
    }
  }
  return [...byKey.values()].sort((one, other) => one.localeCompare(other, undefined, { numeric: true })).join("\n");
});

/** The labels of all channels, sorted, each once: of those that differ only in case the newest channel's. */
export const allLabels = computed(() => labelsText.value.split("\n").filter((label) => label !== ""));
