/** One column: its title, and the text of its cell in a row. */
export type Column<Row> = readonly [title: string, text: (row: Row) => string];

const GAP = "  ";
/** What a terminal would take as a command to itself, or as the direction of all that follows. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;
/** Hangul, Han, Kana and full-width forms take two columns of a terminal. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/g;

function widthOf(text: string): number {
  return [...text].length + (text.match(WIDE)?.length ?? 0);
}

/** Text of others as one line that does nothing to a terminal. */
export function printable(text: string): string {
  return text.replace(CONTROL, " ");
}

/** Rows as aligned text, with a line of titles; names from the server lose their control characters. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [columns.map(([title]) => title)];
  for (const row of rows) lines.push(columns.map(([, text]) => printable(text(row))));
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index] ?? ""))));
  const padded = (text: string, index: number) =>
    index === columns.length - 1 ? text : text + " ".repeat((widths[index] ?? 0) - widthOf(text));
  return lines.map((line) => `${line.map(padded).join(GAP)}\n`).join("");
}

/** A rate in bytes a second, as people say it: `6.1 Mbit/s`. */
export function rateText(bytesPerSecond: number): string {
  const kilobits = (bytesPerSecond * 8) / 1_000;
  return kilobits < 1_000 ? `${Math.round(kilobits)} kbit/s` : `${(kilobits / 1_000).toFixed(1)} Mbit/s`;
}

/** Milliseconds since 1970 as ISO 8601 in UTC; empty where it never was. */
export function timeText(time: number | undefined): string {
  return time === undefined ? "" : new Date(time).toISOString();
}

/** `1 step`, `2 steps`. */
export const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;
