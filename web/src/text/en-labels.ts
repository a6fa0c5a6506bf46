import { plural } from "../base/plural.ts";

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

/** What belongs to a platform's less common settings, in English. */
export const enMoreFields = {
  timedData: "Don't send captions and cue points",
  bufferPolicy: "If the platform can't keep up",
  bufferPolicyHelp: "What happens when the platform takes the stream more slowly than it comes in.",
  policies: { drop: "Drop frames", disconnect: "Reconnect" },
  silentAudio: "If the stream has no audio",
  silentAudioChoices: {
    auto: "Send silence if the platform needs audio",
    always: "Send silence",
    never: "Send no audio",
  },
  silenceAdded: "Silence added",
  silenceAddedHelp: "The encoder sends no audio: this platform gets silence instead",
};
