import { machineRows, table } from "../machine.ts";
import type { StatusHistory } from "../streams/status-history.ts";
import type { MatrixFault } from "./matrix-faults.ts";
import type { TargetKind } from "./matrix-target.ts";

/** An outage may cost so much more than it lasts. */
const BACK_WITHIN_MS = 15_000;
/** A target that got nothing is reported as failed by then. */
const REPORTED_WITHIN_MS = 8_000;
/** Media that waits for a target, in our queue and in the kernel's … */
const QUEUE_MS_MAX = 7_000;
/** … once what the kernel got before the path became narrow has left. */
const SETTLED_AFTER_MS = 30_000;

/** What happened to one target. Times count from the fault's beginning. */
export type MatrixRow = {
  readonly kind: TargetKind;
  readonly fault: string;
  /** The API's statuses, one after another, each with its second. */
  readonly words: string;
  readonly failedAfterMs?: number;
  /** From the fault's end until it was PUBLISHING for good; absent where it never was anything else. */
  readonly backAfterMs?: number;
  readonly offAirMs: number;
  /** The time in which the target got nothing. */
  readonly longestGapMs: number;
  readonly drops: number;
  /** The most media that waited for it, once it had settled. */
  readonly queueMs: number;
  readonly warning?: string;
  readonly problems: readonly string[];
};

export function judgeRow(of: {
  readonly kind: TargetKind;
  readonly fault: MatrixFault;
  readonly platform: StatusHistory;
  readonly beganMs: number;
  readonly longestGapMs: number;
}): MatrixRow {
  const { kind, fault, platform, beganMs, longestGapMs } = of;
  const faultMs = fault.seconds * 1_000;
  const failedAtMs = platform.failedAtMs(beganMs);
  const backAtMs = platform.backAtMs(beganMs);
  const queueMs = platform.longestQueueMs(beganMs + SETTLED_AFTER_MS);
  const isSilent = !fault.staysOnAir && faultMs > REPORTED_WITHIN_MS && !fault.name.startsWith("loss");
  const { warnings } = platform;
  const found = [
    { is: !platform.isOnAir, problem: "not on air at the end" },
    { is: fault.staysOnAir && failedAtMs !== undefined, problem: "reported as failed though it took what it could" },
    {
      is: isSilent && (failedAtMs === undefined || failedAtMs - beganMs > REPORTED_WITHIN_MS),
      problem: `not reported as failed within ${REPORTED_WITHIN_MS / 1_000} s`,
    },
    {
      is: backAtMs !== undefined && backAtMs - beganMs > faultMs + BACK_WITHIN_MS,
      problem: `on air again later than ${BACK_WITHIN_MS / 1_000} s after the fault`,
    },
    // A path that loses every fifth packet both ways stands for seconds at a time: more may wait then, but never
    // unreported.
    {
      is: queueMs > QUEUE_MS_MAX && (fault.staysOnAir || (warnings.length === 0 && failedAtMs === undefined)),
      problem: `${queueMs} ms of media waited`,
    },
  ];
  return {
    kind,
    fault: fault.name,
    words: platform.changes
      .filter(({ atMs }) => atMs >= beganMs)
      .map(({ atMs, word }) => `${word} ${seconds(atMs - beganMs)}`)
      .join(" → "),
    ...(failedAtMs === undefined ? {} : { failedAfterMs: failedAtMs - beganMs }),
    ...(backAtMs === undefined ? {} : { backAfterMs: backAtMs - beganMs - faultMs }),
    offAirMs: platform.offAirMs(beganMs, performance.now()),
    longestGapMs,
    drops: platform.droppedFrames,
    queueMs,
    ...(warnings.length === 0 ? {} : { warning: warnings.slice(0, 4).join(", ") }),
    problems: found.filter(({ is }) => is).map(({ problem }) => problem),
  };
}

const seconds = (ms: number | undefined): string => (ms === undefined ? "–" : (ms / 1_000).toFixed(1));

function cells(row: MatrixRow): string[] {
  return [
    row.kind,
    row.fault,
    seconds(row.failedAfterMs),
    seconds(row.backAfterMs),
    seconds(row.offAirMs),
    row.longestGapMs < 1_000 ? `${(row.longestGapMs / 1_000).toFixed(2)}` : seconds(row.longestGapMs),
    `${row.drops}`,
    seconds(row.queueMs),
    row.warning ?? "–",
    row.words === "" ? "PUBLISHING" : row.words,
  ];
}

/** One line of the output. */
export function rowText(row: MatrixRow): string {
  const [kind, fault, failed, back, off, gap, drops, behind, warning, words] = cells(row);
  return `${kind} | ${fault} | FAIL after ${failed} s, back ${back} s after its end, off air ${off} s, nothing for ${gap} s, ${drops} dropped, ${behind} s behind | ${warning} | ${words}`;
}

/** The result as a page. */
export function matrixReport(
  rows: readonly MatrixRow[],
  problems: readonly string[],
  kilobits: number,
  note: string | undefined,
): string {
  const head = [
    "target",
    "fault",
    "FAIL after",
    "on air after its end",
    "off air",
    "longest gap",
    "drops",
    "behind",
    "slow",
    "said",
  ];
  const lines = rows.map((row) => `| ${cells(row).join(" | ")} |`);
  const verdict =
    problems.length === 0 ? "Everything was as it must be." : problems.map((each) => `- ${each}`).join("\n");
  return `# Fault matrix

\`npm run fault-matrix -- --write\`, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC: one stream of ${kilobits} kbit/s, a keyframe each second, to one target for each
fault and to a healthy one, all at once. Each target is in a network namespace of its own, behind a virtual wire; \`nginx\` is nginx-rtmp, which refuses a second publisher, \`kit\` the
[fault kit](../testkit.md)'s, which accepts it. Times are seconds. *On air after its end*: from the fault's end until the target was PUBLISHING for good. *Longest gap*: in which the
target itself got nothing, by its own recording. *Behind*: the most media that waited for it, after the first 30 s.
${note === undefined ? "" : `\n${note}\n`}
${verdict}

| ${head.join(" | ")} |
|${head.map(() => "---").join("|")}|
${lines.join("\n")}

${table(["machine", ""], machineRows())}
`;
}
