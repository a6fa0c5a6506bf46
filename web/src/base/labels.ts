import { labelKey } from "../../../src/api-contract/input/channel-labels.ts";

export { LABEL_CHARACTERS_MAX, LABELS_MAX, labelKey } from "../../../src/api-contract/input/channel-labels.ts";

/** Whether the channel has this label, in any case. */
export const hasLabel = (
  { labels = [] }: { readonly labels?: readonly string[] | undefined },
  label: string,
): boolean => labels.some((each) => labelKey(each) === labelKey(label));

/** Returns the labels without this one, in any case. */
export const withoutLabel = (labels: readonly string[], label: string): readonly string[] =>
  labels.filter((each) => labelKey(each) !== labelKey(label));
