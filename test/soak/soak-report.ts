import { machineRows, table } from "./machine.ts";
import type { PlannedFault } from "./matrix/fault-plan.ts";
import { ENCODER_KILOBITS } from "./soak-encoder.ts";

/** Figures of a soak. Memory in MiB, slope in MiB an hour. */
export type SoakFigures = {
  readonly faults: readonly PlannedFault[];
  readonly memory: {
    readonly first: number;
    readonly last: number;
    readonly most: number;
    readonly slope: number;
    readonly rise: number;
  };
  /** Of one core. */
  readonly processorShare: number;
  readonly descriptors: {
    readonly before: number;
    readonly onAir: number;
    readonly most: number;
    readonly after: number;
  };
  readonly driftMaxMs: number;
  readonly messagesAlike: number;
  readonly sent: number;
  readonly received: number;
  readonly filler: number;
  readonly lostWithConnection: number;
  readonly skippedBehindFiller: number;
  readonly encoderLives: number;
  readonly faultyConnections: number;
  readonly errorCodes: ReadonlyMap<string, number>;
  /** Of each channel. */
  readonly digests: readonly string[];
};

const PROBLEMS_LISTED_MAX = 30;
const DIGEST_DIGITS = 16;

function count(of: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const each of of) counts.set(each, (counts.get(each) ?? 0) + 1);
  return listed(counts);
}

function listed(counts: ReadonlyMap<string, number>): string {
  const entries = [...counts].sort(([left], [right]) => left.localeCompare(right));
  return entries.length === 0 ? "none" : entries.map(([name, times]) => `${name} ${times}`).join(", ");
}

function measuredRows(figures: SoakFigures): [string, string][] {
  const { memory, descriptors, errorCodes } = figures;
  const number = (value: number): string => value.toLocaleString("en");
  return [
    ["faults", count(figures.faults.map(({ kind }) => kind))],
    [
      "messages that all three healthy targets of their channel got alike, by kind, time and SHA-256",
      number(figures.messagesAlike),
    ],
    ["video and audio frames that encoders sent", number(figures.sent)],
    ["… that arrived", number(figures.received)],
    ["… sent within the second before a reset, and lost with the connection", number(figures.lostWithConnection)],
    ["… left out after filler, and counted as dropped", number(figures.skippedBehindFiller)],
    ["filler", `${number(figures.filler)} messages`],
    ["encoder connections", number(figures.encoderLives)],
    ["connections to faulty targets", number(figures.faultyConnections)],
    ["reasons the API showed for faulty targets", listed(errorCodes)],
    ["channel time against the wall clock, in ten seconds each: most apart", `${Math.round(figures.driftMaxMs)} ms`],
    [
      "server's resident memory, first, last, most",
      `${[memory.first, memory.last, memory.most].map((value) => value.toFixed(1)).join(", ")} MiB`,
    ],
    [
      "its slope over the last two thirds",
      `${memory.slope.toFixed(1)} MiB an hour: ${memory.rise.toFixed(1)} MiB in that time`,
    ],
    ["server's processor time", `${(figures.processorShare * 100).toFixed(1)} % of one core`],
    [
      "server's descriptors: before the first encoder, on air at the end, most, 15 s after the last encoder",
      `${descriptors.before}, ${descriptors.onAir}, ${descriptors.most}, ${descriptors.after}`,
    ],
    [
      "SHA-256 of each channel's stream, its beginning",
      figures.digests.map((digest) => `\`${digest.slice(0, DIGEST_DIGITS)}\``).join(" "),
    ],
  ];
}

/** The result of a run as a page. */
export function soakReport(run: {
  readonly minutes: number;
  readonly seed: number;
  readonly note: string | undefined;
  readonly figures: SoakFigures;
  readonly problems: readonly string[];
}): string {
  const { problems } = run;
  const verdict =
    problems.length === 0
      ? "Everything was as it must be: no healthy target was ever shown as anything but on air, none was connected to twice, and no status was untrue."
      : [
          `**${problems.length} problems:**`,
          "",
          ...problems.slice(0, PROBLEMS_LISTED_MAX).map((each) => `- ${each}`),
        ].join("\n");
  return `# Soak

\`npm run soak -- --minutes ${run.minutes} --seed ${run.seed} --write\`, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC: the server in a process
of its own, 10 channels of 5 targets, ${ENCODER_KILOBITS} kbit/s each, and a random fault every 10 seconds at an encoder or at one of the two targets of each channel
that are on a bad network. The last minute is calm. Encoders, targets and network are the [fault kit](../testkit.md)'s, on the same machine.
${run.note === undefined ? "" : `\n${run.note}\n`}
${verdict}

${table(["machine", ""], machineRows())}

${table(["measured", ""], measuredRows(run.figures))}
`;
}
