import { plural } from "../base/plural.ts";

const count = (number: number, one: string, other: string): string =>
  plural("en", number, { one: `${number} ${one}`, other: `${new Intl.NumberFormat("en").format(number)} ${other}` });

export const enImport = {
  import: {
    title: "Import platforms",
    ofField: { rtmpUrl: "Server URL:", streamKey: "Stream key:" },
    help: "Paste or drop the JSON of obs-multi-rtmp, OBS's service.json, or the push lines of an nginx-rtmp configuration.",
    input: "Settings to import",
    found: (number: number) => `${count(number, "platform", "platforms")} found`,
    problems: {
      nothing: "No platforms found in this text.",
      "too-long": "This text is too long.",
      "broken-json": "The JSON is incomplete. Copy all of it.",
    },
    brokenAt: (line: number, column: number) => `The JSON has an error in line ${line}, column ${column}.`,
    skipped: {
      "not-rtmp": "not an rtmp:// or rtmps:// address",
      "no-address": "no address",
      "too-many": "more platforms than a channel can have",
      pull: "pull line: not a platform. Enter its address under “Sources and slate”",
    },
    othersAdded: (number: number) => `Already added: ${count(number, "platform", "platforms")}.`,
    noKey: "no stream key",
    button: (number: number) => `Add ${count(number, "platform", "platforms")}`,
    file: "Choose a file…",
  },
};
