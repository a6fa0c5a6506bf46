import { createHash } from "node:crypto";
import { authorText, eventText, reasonText } from "../../api-contract/words/event-sentences.ts";
import { tableMoments } from "../../api-contract/words/file-name.ts";
import { REPORT_WORDS, type ReportLanguage, type ReportWords } from "../../api-contract/words/report-words.ts";
import type { ChannelEvent } from "../../control/events/events.ts";
import type { HistoryAnswer } from "../../control/history/history-reader.ts";
import { TARGET_PRESETS } from "../../control/presets/target-presets.ts";
import type { FinishedReport } from "../../control/reports/reports.ts";
import type { TargetId } from "../../thread-protocol/channel-spec.ts";

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
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;overflow-wrap:break-word}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8884}
td{font-variant-numeric:tabular-nums}
svg{width:100%;height:auto;border:1px solid #8884}
@media screen and (max-width:48rem){
thead{display:none}
tr{display:block;padding:.5rem 0;border-bottom:1px solid #8884}
td{display:flex;justify-content:space-between;gap:1rem;padding:.1rem 0;border:0;text-align:end;overflow-wrap:anywhere}
td::before{content:attr(data-head);flex:none;opacity:.7}
td:empty{display:none}
}
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

/** Who reads a report's file: the language, and the time zone of dates for people. */
export type Reader = { readonly lang: ReportLanguage; readonly timeZone: string };

const seconds = (ms: number): number => Math.round(ms / 1_000);
const kilobits = (rate: number | null | undefined): string =>
  rate == null ? "" : String(Math.round((rate * 8) / 1_000));

/** A length of time as `1:02:03`. */
function clock(ms: number): string {
  const whole = seconds(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${Math.floor(whole / 3_600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** Writes moments as the reader does, to the second. */
function momentsOf({ lang, timeZone }: Reader): (time: number) => string {
  const format = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "medium", timeZone });
  return (time) => format.format(time);
}

type NamedTarget = {
  readonly targetId: TargetId;
  readonly targetName?: string | undefined;
  readonly label?: string | undefined;
};

/** A platform's own name, or that of its kind, with its number: two may have the same name. */
function nameOf({ label, targetName, targetId }: NamedTarget, lang: ReportLanguage): string {
  const kind = TARGET_PRESETS.find((preset) => preset.targetName === targetName)?.displayName[lang];
  return `${label ?? kind ?? targetName ?? REPORT_WORDS[lang].platform} (${targetId})`;
}

/** A cell that no spreadsheet treats as a formula. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** CSV as in RFC 4180. Excel takes UTF-8 for what it is with the mark at its beginning. */
export function csvTable(lines: readonly (readonly string[])[]): string {
  return `\uFEFF${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** The history of a broadcast as a table: a line for each step, rates in kilobits a second, times in the reader's zone. */
export function reportCsv({ report, history }: ReportParts, { lang, timeZone }: Reader): string {
  const moment = tableMoments(timeZone);
  const { csv, platform } = REPORT_WORDS[lang];
  const names = new Map(report.targets.map((target) => [target.targetId, nameOf(target, lang)]));
  const lines = [
    [
      `${csv.time} (${timeZone})`,
      csv.ingest,
      ...history.targets.flatMap(({ targetId }) => {
        const name = names.get(targetId) ?? `${platform} (${targetId})`;
        return csv.ofPlatform.map((what) => `${name} ${what}`);
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
  return csvTable(lines);
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const head = heads.map((text) => `<th>${escaped(text)}</th>`).join("");
  const body = rows.map((row) => {
    // On a phone each cell is a line with its own heading.
    const cells = row.map((value, at) => `<td data-head="${escaped(heads[at] ?? "")}">${escaped(String(value))}</td>`);
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

const CHART = { width: 900, height: 200 } as const;

/** The encoder's bitrate as a line; gaps where nothing is known. */
function chart({ ingestRates }: HistoryAnswer, { bitrate, bitrateLabel }: ReportWords): string {
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
    `<p>${escaped(bitrate(kilobits(most)))}</p>`,
    `<svg viewBox="0 0 ${CHART.width} ${CHART.height}" role="img" aria-label="${escaped(bitrateLabel)}">`,
    `<path d="${path.join("")}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>`,
  ].join("");
}

/** A report as a page to print or keep: plain HTML that needs nothing else. */
export function reportPage(parts: ReportParts, reader: Reader): string {
  const { channelName, report, events, history } = parts;
  const { startTime, endTime, end, isTest } = report;
  const words = REPORT_WORDS[reader.lang];
  const shown = momentsOf(reader);
  const title = escaped(`${channelName}, ${shown(startTime)}`);
  const how = words.length(clock(endTime - startTime), shown(endTime), reasonText(words.events, end));
  return [
    `<!doctype html><html lang="${reader.lang}"><head><meta charset="utf-8"><title>${title}</title>`,
    `<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body><h1>${title}</h1>`,
    `<p>${escaped(how)} ${escaped(words.zone(reader.timeZone))}</p>`,
    isTest === true ? `<p>${escaped(words.onlyTest)}</p>` : "",
    chart(history, words),
    ...section(words.titles.platforms, words.platformHeads, platformRows(report, reader)),
    ...section(words.titles.interruptions, words.interruptionHeads, interruptionRows(report, reader)),
    ...section(words.titles.refused, words.refusedHeads, refusedRows(report, reader)),
    ...section(words.titles.timeline, words.timelineHeads, eventRows(events, reader)),
    "</body></html>",
  ].join("\n");
}

type Rows = readonly (readonly (string | number)[])[];

/** A titled table; nothing where it has no rows. */
function section(title: string, heads: readonly string[], rows: Rows): readonly string[] {
  return rows.length === 0 ? [] : [`<h2>${escaped(title)}</h2>`, table(heads, rows)];
}

function platformRows({ targets }: FinishedReport, { lang }: Reader): Rows {
  return targets.map((target) => {
    const { onAirMs, bytes, retryCount, drops } = target;
    const dropped = drops.overTime + drops.overBytes + drops.untilKeyframe;
    const onAir = seconds(onAirMs) > 0 ? clock(onAirMs) : REPORT_WORDS[lang].neverOnAir;
    const megabytes = Math.round(bytes / 1_000_000);
    return [nameOf(target, lang), onAir, megabytes, retryCount, dropped, target.interruptions.count];
  });
}

function interruptionRows({ interruptions, targets }: FinishedReport, reader: Reader): Rows {
  const { encoder, events } = REPORT_WORDS[reader.lang];
  const shown = momentsOf(reader);
  return [
    ...interruptions.list.map((each) => ({ who: encoder, ...each })),
    ...targets.flatMap((target) =>
      target.interruptions.list.map((each) => ({ who: nameOf(target, reader.lang), ...each })),
    ),
  ]
    .sort((left, right) => left.time - right.time)
    .map(({ time, who, durationMs, reason }) => [shown(time), who, clock(durationMs), reasonText(events, reason)]);
}

function refusedRows({ refused = [] }: FinishedReport, reader: Reader): Rows {
  const { refusals } = REPORT_WORDS[reader.lang];
  const shown = momentsOf(reader);
  return refused.map(({ lastTime, remoteAddress, count, reason }) => [
    ...[shown(lastTime), remoteAddress, count, refusals[reason]],
  ]);
}

function eventRows(events: readonly ChannelEvent[], reader: Reader): Rows {
  const texts = REPORT_WORDS[reader.lang].events;
  const shown = momentsOf(reader);
  return events.map(({ code, time, targetId = 0, targetName, targetLabel, ...event }) => {
    const target = { targetId, targetName, label: targetLabel };
    const spoken = { ...event, eventCode: code };
    const sentence = eventText(texts, spoken, nameOf(target, reader.lang));
    return [shown(time), sentence, authorText(texts, spoken) ?? ""];
  });
}
