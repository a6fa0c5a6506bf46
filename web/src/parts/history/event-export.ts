import { fileName, tableMoments } from "../../../../src/api-contract/words/file-name.ts";
import type { ChannelEvent } from "../../base/model.ts";
import { saveJson, saveText } from "../lists/save-file.ts";

export const FORMATS = ["json", "csv"] as const;
export type ExportFormat = (typeof FORMATS)[number];

const COLUMNS = [
  "timestamp",
  "logLevel",
  "eventCode",
  "platId",
  "targetName",
  "label",
  "from",
  "to",
  "reason",
  "by",
  "description",
] as const;
/** First characters that make a spreadsheet read a text as a formula, in narrow and wide forms. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** A quoted cell. An apostrophe in front keeps a text from being a formula. */
function cell(value: string): string {
  return `"${(FORMULA.test(value) ? `'${value}` : value).replaceAll('"', '""')}"`;
}

/**
 * CSV as in RFC 4180, with the byte order mark by which spreadsheets recognise UTF-8. Times are the reader's; the heading
 * names the time zone.
 */
function csvOf(events: readonly ChannelEvent[]): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const moment = tableMoments(timeZone);
  const heads = COLUMNS.map((name) => (name === "timestamp" ? cell(`${name} (${timeZone})`) : name));
  const rows = events.map((event) =>
    COLUMNS.map((name) => cell(name === "timestamp" ? moment(event.timestamp) : String(event[name] ?? ""))).join(","),
  );
  return `\uFEFF${[heads.join(","), ...rows].join("\r\n")}\r\n`;
}

/** Downloads the events as a file named after the channel. */
export function saveEvents(channelName: string, format: ExportFormat, events: readonly ChannelEvent[]): void {
  const name = `${fileName(channelName)}.${format}`;
  if (format === "json") saveJson(events, name);
  else saveText(csvOf(events), "text/csv", name);
}
