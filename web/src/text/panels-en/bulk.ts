import { plural } from "../../base/plural.ts";

const channels = (number: number): string =>
  plural("en", number, { one: "1 channel", other: `${new Intl.NumberFormat("en").format(number)} channels` });

/** What can be done to many selected channels at once. */
export const enBulk = {
  acts: { start: "Start sources", enable: "Enable", end: "End now", disable: "Disable" },
  sure: {
    start: (number: number) =>
      `Start the sources of ${channels(number)}? Their files or pulled streams go on air on every platform that is switched on. A source never interrupts an encoder.`,
    end: (number: number) =>
      `End the broadcast of ${channels(number)}? The stream stops on every platform. Channels that are off air stay as they are.`,
    disable: (number: number) =>
      `Disable ${channels(number)}? Running broadcasts end, and encoders can't connect until you enable the channels again.`,
  },
  done: {
    start: (number: number) => `Started the sources of ${channels(number)}.`,
    enable: (number: number) => `Enabled ${channels(number)}.`,
    end: (number: number) => `Ended ${channels(number)}.`,
    disable: (number: number) => `Disabled ${channels(number)}.`,
  },
  failedCount: (number: number) => `${number} failed:`,
};
