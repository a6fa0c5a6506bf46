/** With a date and an ending, 60 characters of up to three bytes fit into the 255 bytes that file systems take. */
const CHARACTERS_MAX = 60;
/** Characters that file systems do not take, and those that end lines, turn the direction of text or are not seen. */
const RESERVED = /[\\/:*?"<>|]/g;
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
/** Names that Windows keeps for devices, whatever their ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i;

/** Returns a channel's name as the beginning of a file's name that every file system takes and that is not hidden. */
export function fileName(channelName: string): string {
  const letters = [...channelName.replace(RESERVED, "-").replace(UNSEEN, "")].slice(0, CHARACTERS_MAX);
  const isEdge = (letter: string): boolean => letter === "." || letter.trim() === "";
  const first = letters.findIndex((letter) => !isEdge(letter));
  const name = letters.slice(Math.max(0, first), letters.findLastIndex((letter) => !isEdge(letter)) + 1).join("");
  return name === "" || DEVICE.test(name) ? "channel" : name;
}

/** The same with a moment in a time zone, as `name-2026-11-29T103000`. */
export function datedFileName(channelName: string, time: number, timeZone?: string): string {
  return `${fileName(channelName)}-${tableMoments(timeZone)(time).replace(" ", "T").replaceAll(":", "")}`;
}

/** Writes moments in a time zone as `2026-11-29 10:30:00`: every spreadsheet reads that as a date. */
export function tableMoments(timeZone: string | undefined): (time: number) => string {
  // Sweden writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone });
  return (time) => format.format(time);
}
