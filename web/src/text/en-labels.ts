import { plural } from "./plural.ts";

const channels = (number: number): string =>
  plural("en", number, { one: "1 channel", other: `${new Intl.NumberFormat("en").format(number)} channels` });

export const enLabels = {
  labels: {
    title: "Labels",
    add: "Add label",
    remove: (label: string) => `Remove the label ${label}`,
    name: "Label",
    help: (characters: number) =>
      `Up to ${characters} characters. Channels with the same label can be filtered together.`,
    limit: (number: number) => `A channel can have up to ${number} labels.`,
    filter: "Filter by label",
    all: "All labels",
    edit: "Labels…",
    ofSelected: (number: number) => `Labels of ${channels(number)}`,
    removeSelected: "Remove label",
    added: (number: number) => `Added the label to ${channels(number)}.`,
    removed: (number: number) => `Removed the label from ${channels(number)}.`,
  },
};
