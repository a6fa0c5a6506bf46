import { createHash } from "node:crypto";
import type { ChannelEvent } from "../../control/events/events.ts";
import type { HistoryAnswer } from "../../control/history/history-reader.ts";
import type { FinishedReport, TargetReport } from "../../control/reports/reports.ts";

/** The parts of an exported report. */
export type ReportParts = {
  readonly channelName: string;
  readonly report: FinishedReport;
  /** Oldest first. */
  readonly events: readonly ChannelEvent[];
  readonly history: HistoryAnswer;
};

const STYLE = `
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8884}
td{font-variant-numeric:tabular-nums}
svg{width:100%;height:auto;border:1px solid #8884}
@media print{:root{color-scheme:light}body{max-width:none;padding:0}tr{break-inside:avoid}}
`;

/** Only this page's own style: no script, no image, no other host. */
export const REPORT_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const moment = (time: number): string => new Date(time).toISOString();
/** The same for people. */
const shown = (time: number): string => moment(time).slice(0, 19).replace("T", " ");
const seconds = (ms: number): number => Math.round(ms / 1_000);
const kilobits = (rate: number | null | undefined): string =>
  rate == null ? "" : String(Math.round((rate * 8) / 1_000));

function nameOf({ label, targetName, targetId }: TargetReport): string {
  return `${label ?? targetName ?? "platform"} (${targetId})`;
}

/** A cell that no spreadsheet treats as a formula. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The history of a broadcast as a table: a line for each step, rates in kilobits a second. */
export function reportCsv({ report, history }: ReportParts): string {
  const names = new Map(report.targets.map((target) => [target.targetId, nameOf(target)]));
  const lines = [
    [
      "time",
      "ingest kbit/s",
      ...history.targets.flatMap(({ targetId }) => {
        const name = names.get(targetId) ?? `platform (${targetId})`;
        return ["kbit/s", "queue ms", "dropped frames", "retries"].map((what) => `${name} ${what}`);
      }),
    ],
    ...history.ingestRates.map((rate, index) => [
      moment(history.from + index * history.stepSeconds * 1_000),
      kilobits(rate),
      ...history.targets.flatMap(({ rates, queueMs, drops, retries }) => [
        kilobits(rates[index]),
        ...[queueMs, drops, retries].map((points) => String(points[index] ?? "")),
      ]),
    ]),
  ];
  // Excel takes UTF-8 for what it is with the mark at its beginning.
  return `\uFEFF${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const head = heads.map((text) => `<th>${escaped(text)}</th>`).join("");
  const body = rows.map((row) => {
    const cells = row.map((value) => `<td>${escaped(String(value))}</td>`);
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

const CHART = { width: 900, height: 200 } as const;

/** The encoder's bitrate as a line; gaps where nothing is known. */
function chart({ ingestRates }: HistoryAnswer): string {
  const most = Math.max(1, ...ingestRates.map((rate) => rate ?? 0));
  const x = (index: number) => Math.round((index / Math.max(1, ingestRates.length - 1)) * CHART.width);
  const y = (rate: number) => Math.round(CHART.height - (rate / most) * (CHART.height - 10));
  let isDown = true;
  const path = ingestRates.map((rate, index) => {
    const command = isDown ? "M" : "L";
    isDown = rate === null;
    return rate === null ? "" : `${command}${x(index)} ${y(rate)}`;
  });
  return [
    `<p>Encoder's bitrate, up to ${kilobits(most)} kbit/s</p>`,
    `<svg viewBox="0 0 ${CHART.width} ${CHART.height}" role="img" aria-label="Encoder's bitrate over time">`,
    `<path d="${path.join("")}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>`,
  ].join("");
}

/** A report as a page to print or keep: plain HTML that needs nothing else. */
export function reportPage({ channelName, report, events, history }: ReportParts): string {
  const { startTime, endTime, end, isTest, interruptions, targets } = report;
  const platforms = targets.map((target) => {
    const { onAirMs, bytes, retryCount, drops } = target;
    const dropped = drops.overTime + drops.overBytes + drops.untilKeyframe;
    const megabytes = Math.round(bytes / 1_000_000);
    return [nameOf(target), seconds(onAirMs), megabytes, retryCount, dropped, target.interruptions.count];
  });
  const breaks = [
    ...interruptions.list.map((each) => ({ who: "Encoder", ...each })),
    ...targets.flatMap((target) => target.interruptions.list.map((each) => ({ who: nameOf(target), ...each }))),
  ].sort((left, right) => left.time - right.time);
  const title = escaped(`${channelName}, ${shown(startTime)}`);
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>`,
    `<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body><h1>${title}</h1>`,
    `<p>${seconds(endTime - startTime)} s, until ${shown(endTime)}; it ended: ${escaped(end)}. All times are UTC.</p>`,
    isTest === true ? "<p>Nothing but the test pattern was on air.</p>" : "",
    chart(history),
    "<h2>Platforms</h2>",
    table(["Platform", "On air, s", "MB sent", "Retries", "Frames dropped", "Interruptions"], platforms),
    "<h2>Interruptions</h2>",
    table(
      ["When", "What", "Seconds", "Why"],
      breaks.map(({ time, who, durationMs, reason }) => [shown(time), who, seconds(durationMs), reason]),
    ),
    "<h2>Timeline</h2>",
    table(
      ["When", "What", "Who"],
      events.map(({ time, description, by }) => [shown(time), description, by ?? ""]),
    ),
    "</body></html>",
  ].join("\n");
}
