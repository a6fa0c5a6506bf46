import { randomBytes, randomInt } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { FanfareProcess, ROOT } from "../support/processes/fanfare-process.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { drawPlan, type PlannedFault } from "./matrix/fault-plan.ts";
import { programOptions } from "./program-options.ts";
import { descriptors, processorSeconds, residentBytes } from "./server-process.ts";
import { FAULTY_TARGETS, SoakChannel } from "./soak-channel.ts";
import { type SoakFigures, soakReport } from "./soak-report.ts";
import { lastTwoThirds, type Measurement, slopePerHour } from "./streams/slope.ts";

const USAGE = `usage: npm run soak -- [--minutes 10] [--seed NUMBER] [--write] [--note TEXT]

The real server, 10 channels of 5 targets each, and a fault every 10 seconds. Exits with 1 if anything is not as promised.
--write puts the result into docs/results/soak.md; --note adds a sentence to it.
`;
const CHANNELS = 10;
const FAULT_EVERY_MS = 10_000;
const FIRST_FAULT_MS = 5_000;
/** Everything is well again for so long at the end; a target may wait 30 s for its next attempt. */
const CALM_MS = 60_000;
const MINUTES_MIN = 2;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const START_GAP_MS = 200;
const ON_AIR_DEADLINE_MS = 20_000;
const BACK_DEADLINE_MS = 60_000;
const FLOW_MS = 3_000;
/** After the encoders' end, until the descriptors are counted. */
const REST_MS = 15_000;
/**
 * By how much the line through the memory of the last two thirds may rise; keeping 100 bytes for each message to each target
 * would be 140 MiB in ten minutes. It does not allow for the young generation's own steps of up to 32 MiB.
 */
const MEMORY_RISE_MEBIBYTES_MAX = 32;
const DRIFT_MAX_MS = 2_000;
const PROBLEMS_SHOWN_MAX = 50;
const SEED_MAX = 2 ** 31;
const MEBIBYTE = 1_048_576;

type Options = {
  readonly minutes: number;
  readonly seed: number;
  readonly writes: boolean;
  readonly note: string | undefined;
};

function readOptions(): Options {
  const values = programOptions(USAGE, {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: `${randomInt(SEED_MAX)}` },
    write: { type: "boolean", default: false },
    note: { type: "string" },
  });
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (!(minutes >= MINUTES_MIN)) throw new Error(`--minutes is a number from ${MINUTES_MIN} on`);
  if (!Number.isSafeInteger(seed)) throw new Error("--seed is a whole number");
  return { minutes, seed, writes: values.write, note: values.note };
}

/** A run: what it does, what it measured, and everything that was wrong. */
class Soak {
  readonly problems: string[] = [];
  readonly #options: Options;
  readonly #server: FanfareProcess;
  readonly #channels: readonly SoakChannel[];
  readonly #memory: Measurement[] = [];
  readonly #errorCodes = new Map<string, number>();
  readonly #healing = new Set<Promise<void>>();
  #descriptorsMax = 0;
  #startMs = 0;

  constructor(options: Options, server: FanfareProcess, api: ApiClient) {
    this.#options = options;
    this.#server = server;
    const observer = {
      onProblem: (problem: string) => this.#problem(problem),
      onErrorCode: (code: string) => void this.#errorCodes.set(code, (this.#errorCodes.get(code) ?? 0) + 1),
    };
    this.#channels = Array.from({ length: CHANNELS }, (_, index) => new SoakChannel(api, index, observer));
  }

  async run(): Promise<SoakFigures> {
    const { minutes, seed } = this.#options;
    for (const channel of this.#channels) await channel.open();
    await this.#everywhere("READY", ON_AIR_DEADLINE_MS);
    const before = this.#descriptors();
    this.#startMs = performance.now();
    for (const channel of this.#channels) {
      channel.startEncoder();
      await pass(START_GAP_MS);
    }
    await this.#everywhere("PUBLISHING", ON_AIR_DEADLINE_MS);
    for (const channel of this.#channels) channel.wentOnAir();
    const processorBefore = { atMs: this.#nowMs(), seconds: processorSeconds(this.#server.pid) };
    const untilMs = minutes * MINUTE_MS - CALM_MS;
    const fromMs = Math.ceil(this.#nowMs()) + FIRST_FAULT_MS;
    const plan = drawPlan({
      seed,
      fromMs,
      untilMs,
      everyMs: FAULT_EVERY_MS,
      channels: CHANNELS,
      faultyTargets: FAULTY_TARGETS,
    });
    await this.#sail(plan, minutes * MINUTE_MS);
    const processorShare =
      (processorSeconds(this.#server.pid) - processorBefore.seconds) / ((this.#nowMs() - processorBefore.atMs) / 1_000);
    await this.#checkAllOnAir();
    const descriptorsOnAir = this.#descriptors().length;
    await Promise.all(this.#channels.map((channel) => channel.stopEncoder()));
    await this.#everywhere("READY", ON_AIR_DEADLINE_MS);
    await pass(REST_MS);
    const after = this.#descriptors();
    if (after.length > before.length) {
      this.#problem(`${after.length} descriptors where ${before.length} were before: ${different(after, before)}`);
    }
    const digests = this.#channels.map((channel) => channel.finish());
    return this.#figures(plan, digests, {
      processorShare,
      descriptors: { before: before.length, onAir: descriptorsOnAir, most: this.#descriptorsMax, after: after.length },
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.close()));
  }

  /** Faults as planned, and each second a look at everything. */
  async #sail(plan: readonly PlannedFault[], untilMs: number): Promise<void> {
    const coming = [...plan];
    for (let tick = 1; this.#nowMs() < untilMs; tick += 1) {
      for (let next = coming[0]; next !== undefined && next.atMs <= this.#nowMs(); next = coming[0]) {
        coming.shift();
        const fault = this.#fault(next);
        this.#healing.add(fault);
        void fault.finally(() => this.#healing.delete(fault));
      }
      this.#memory.push({ atMs: this.#nowMs(), value: residentBytes(this.#server.pid) / MEBIBYTE });
      this.#descriptorsMax = Math.max(this.#descriptorsMax, this.#descriptors().length);
      await Promise.all(this.#channels.map((channel) => channel.look()));
      if (tick % 60 === 0) this.#say(`${this.#memory.at(-1)?.value.toFixed(1)} MiB, ${this.problems.length} problems`);
      const dueMs = Math.max(0, 1_000 - (this.#nowMs() - (this.#memory.at(-1)?.atMs ?? 0)));
      await pass(dueMs);
    }
    await Promise.all(this.#healing);
  }

  async #fault(fault: PlannedFault): Promise<void> {
    const channel = this.#channels[fault.channel];
    const place =
      "target" in fault ? `channel ${fault.channel}, faulty target ${fault.target}` : `channel ${fault.channel}`;
    this.#say(`${fault.kind} at ${place} for ${fault.forMs} ms`);
    await channel?.begin(fault);
    await pass(fault.forMs);
    await channel?.heal(fault);
  }

  /** The API says that all are on air, and so they are: each gets media. */
  async #checkAllOnAir(): Promise<void> {
    await this.#everywhere("PUBLISHING", BACK_DEADLINE_MS);
    const before = this.#channels.map((channel) => channel.liveMediaBytes());
    await pass(FLOW_MS);
    for (const [index, channel] of this.#channels.entries()) {
      for (const [target, bytes] of channel.liveMediaBytes().entries()) {
        const earlier = before[index]?.[target];
        if (bytes !== undefined && earlier !== undefined && bytes > earlier) continue;
        this.#problem(`channel ${index}, target ${target}: shown as PUBLISHING at the end, but is sent nothing`);
      }
      await channel.look();
    }
  }

  /** Waits until every target of every channel is shown like this; a problem where that does not come. */
  async #everywhere(status: string, deadlineMs: number): Promise<void> {
    let others: string[] = [];
    await waitFor(`${status} everywhere`, deadlineMs, async () => {
      const all = await Promise.all(this.#channels.map((channel) => channel.platforms()));
      others = all.flatMap((platforms, index) =>
        platforms.flatMap(({ connectStatus, lastError }, target) =>
          connectStatus === status
            ? []
            : [`channel ${index}, target ${target}: ${connectStatus} ${lastError?.code ?? ""}`],
        ),
      );
      return others.length === 0 ? true : undefined;
    }).catch(() => this.#problem(`not ${status} after ${deadlineMs} ms: ${others.join("; ")}`));
  }

  #figures(
    plan: readonly PlannedFault[],
    digests: readonly string[],
    measured: Pick<SoakFigures, "processorShare" | "descriptors">,
  ): SoakFigures {
    const judged = lastTwoThirds(this.#memory);
    const slope = slopePerHour(judged);
    const rise = (slope * ((judged.at(-1)?.atMs ?? 0) - (judged[0]?.atMs ?? 0))) / HOUR_MS;
    if (rise > MEMORY_RISE_MEBIBYTES_MAX) {
      this.#problem(`memory rose by ${rise.toFixed(1)} MiB, more than ${MEMORY_RISE_MEBIBYTES_MAX}`);
    }
    const driftMaxMs = Math.max(...this.#channels.map(({ drift }) => drift.maxMs));
    if (driftMaxMs > DRIFT_MAX_MS) this.#problem(`channel time was ${Math.round(driftMaxMs)} ms off the wall clock's`);
    const sum = (of: (channel: SoakChannel) => number): number =>
      this.#channels.reduce((total, channel) => total + of(channel), 0);
    const memory = this.#memory.map(({ value }) => value);
    return {
      ...measured,
      faults: plan,
      memory: { first: memory[0] ?? 0, last: memory.at(-1) ?? 0, most: Math.max(...memory), slope, rise },
      driftMaxMs,
      messagesAlike: sum(({ comparison }) => comparison.settledCount),
      sent: sum(({ sent }) => sent.counts.sent),
      received: sum(({ sent }) => sent.counts.received),
      filler: sum(({ sent }) => sent.counts.filler),
      lostWithConnection: sum(({ sent }) => sent.counts.lostWithConnection),
      skippedBehindFiller: sum(({ sent }) => sent.counts.skippedBehindFiller),
      encoderLives: sum(({ encoderLives }) => encoderLives),
      faultyConnections: sum(({ faultyConnections }) => faultyConnections),
      errorCodes: this.#errorCodes,
      digests,
    };
  }

  #descriptors(): string[] {
    return descriptors(this.#server.pid, this.#server.httpPort);
  }

  #nowMs(): number {
    return performance.now() - this.#startMs;
  }

  #problem(problem: string): void {
    this.problems.push(problem);
    if (this.problems.length <= PROBLEMS_SHOWN_MAX) this.#say(`PROBLEM: ${problem}`);
  }

  #say(text: string): void {
    process.stdout.write(`${(this.#nowMs() / 1_000).toFixed(1).padStart(7)} s  ${text}\n`);
  }
}

/** What one list has and the other has not. */
function different(after: readonly string[], before: readonly string[]): string {
  const left = [...before];
  return after
    .filter((each) => {
      const at = left.indexOf(each);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    })
    .join(", ");
}

const options = readOptions();
process.stdout.write(`seed ${options.seed}, ${options.minutes} minutes\n`);
const folder = await mkdtemp(join(tmpdir(), "fanfare-soak-"));
const credentials = { accessKey: "SOAK0000000000000001", secretKey: randomBytes(20).toString("hex") };
const environment = { FANFARE_LOG_LEVEL: "info" };
const server = await FanfareProcess.start({ dataFolder: join(folder, "data"), credentials, environment });
const soak = new Soak(options, server, new ApiClient(server.origin, credentials, () => undefined));
const figures = await soak.run();
const ended = await server.stop();
if (ended?.code !== 0) soak.problems.push(`the server ended with ${JSON.stringify(ended)}`);
await soak.close();
if (soak.problems.length > 0) await writeFile(join(folder, "server.log"), server.output);
else await rm(folder, { recursive: true, force: true });
const report = soakReport({ ...options, figures, problems: soak.problems });
process.stdout.write(`\n${report}`);
if (options.writes) {
  await mkdir(join(ROOT, "docs", "results"), { recursive: true });
  await writeFile(join(ROOT, "docs", "results", "soak.md"), report);
}
if (soak.problems.length > 0)
  process.stderr.write(`${soak.problems.length} problems; the server's log is in ${folder}\n`);
process.exit(soak.problems.length > 0 ? 1 : 0);
