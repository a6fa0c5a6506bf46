import { cpus, release } from "node:os";
import type { Scenario } from "./load.ts";
import type { Measurement } from "./measurement.ts";

/** All windows of one relay in one scenario. */
export type Series = { readonly relay: string; readonly scenario: Scenario; readonly windows: readonly Measurement[] };

const OURS = "fanfare";

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The median of one figure over a series' windows. */
export function medianOf(series: Series, figure: keyof Measurement): number {
  return median(series.windows.map((window) => window[figure]));
}

/**
 * How many times Fanfare's cost a peer's gigabyte costs: the median over pairs of windows that lay side by side, and
 * the extremes.
 */
export function ratioTo(
  peer: Series,
  ours: Series,
): { readonly median: number; readonly least: number; readonly most: number } {
  const ratios = ours.windows.flatMap((window, round) => {
    const beside = peer.windows[round];
    return beside === undefined ? [] : [window.cpuSecondsPerGb / beside.cpuSecondsPerGb];
  });
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

const CENTURY = 100;
/** Three significant digits, whatever the size. */
function shown(value: number): string {
  return value >= CENTURY ? value.toFixed(0) : value.toPrecision(3);
}

function costCell(series: Series): string {
  const costs = series.windows.map(({ cpuSecondsPerGb }) => cpuSecondsPerGb);
  return `${shown(median(costs))} (${shown(Math.min(...costs))}–${shown(Math.max(...costs))})`;
}

/** A name that distinguishes scenarios of one fan-out. */
export function scenarioName({ fanOut, isTls, speed, isApart, isQuick }: Scenario): string {
  return `${isTls ? "RTMPS, " : ""}N = ${fanOut}${speed === 1 ? "" : `, ${speed} ×`}${isApart ? ", joined apart" : ""}${isQuick ? ", low latency" : ""}`;
}

function rows(all: readonly Series[]): string[] {
  return all.map((series) => {
    const { relay, scenario, windows } = series;
    const ours = all.find((each) => each.relay === OURS && each.scenario === scenario);
    const ratio = ours === undefined || relay === OURS ? undefined : ratioTo(series, ours);
    const ratioCell =
      ratio === undefined ? "" : `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)})`;
    const frames = windows.reduce((sum, window) => sum + window.wholeFrames, 0);
    const faulty = windows.reduce((sum, window) => sum + window.wrongFrames + window.missingFrames, 0);
    const cells = [
      ...[scenarioName(scenario), relay, costCell(series), ratioCell],
      ...[
        `${(medianOf(series, "cpuShare") * CENTURY).toFixed(1)} %`,
        (medianOf(series, "bytesPerSecond") / 1e6).toFixed(0),
      ],
      ...[
        `${shown(medianOf(series, "p50Ms"))} / ${shown(medianOf(series, "p99Ms"))}`,
        medianOf(series, "memoryMb").toFixed(0),
      ],
      faulty === 0 ? `${frames} whole` : `${frames} whole, ${faulty} not`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
}

export type ReportContext = {
  readonly versions: readonly string[];
  readonly windowSeconds: number;
  readonly isPinned: boolean;
  /** The sink was in a network namespace of its own. */
  readonly isVeth: boolean;
  readonly kilobits: number;
  /** One-minute load of the machine before and after. */
  readonly load: readonly [number, number];
  readonly command: string;
  /** Name of the chart's file, beside the report. */
  readonly chart: string;
};

/** The result as Markdown. */
export function reportText(all: readonly Series[], context: ReportContext): string {
  const { versions, windowSeconds, isPinned, isVeth, kilobits, load, command, chart } = context;
  const [cpu] = cpus();
  const place = isPinned ? "the relay on one core, encoders and sink on another" : "everything on any core";
  return `# What a relayed gigabyte costs

CPU seconds (user and system, all threads of the relay) for each GB that reached the sink: the median of ${all[0]?.windows.length ?? 0} windows
of ${windowSeconds} s, with the least and the most; the relays take turns. *Ours / theirs*: below 1 Fanfare takes less, by pairs of windows side by side. Latency is
what the relay adds, from sending to receiving, p50 / p99. Frames: compared with what was sent, byte for byte, on 20 connections.

![chart](${chart})

| | relay | CPU-s per GB | ours / theirs | core | MB/s | ms | MB | frames |
|---|---|---|---|---|---|---|---|---|
${rows(all).join("\n")}

Machine: ${cpus().length} × ${cpu?.model ?? "unknown"}, Linux ${release()}, ${isVeth ? "targets behind a pair of virtual interfaces" : "loopback"}, ${place}. Load of the machine before and after: ${load.map((value) => value.toFixed(1)).join(", ")}.
Stream: H.264 at ${kilobits / 1_000} Mbit/s and AAC at 128 kbit/s. Versions: ${versions.join("; ")}. Made by \`${command}\` (\`bench/README.md\`).
`;
}
