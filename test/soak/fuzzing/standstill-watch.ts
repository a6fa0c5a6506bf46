import { cpus } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "../../support/processes/children.ts";

const BEAT = join(import.meta.dirname, "standstill-beat.mjs");
/** Above every other real-time task of this machine that is not the kernel's. */
const PRIORITY = "60";
const STOP_GRACE_MS = 1_000;

/**
 * Notices when a processor of this machine stands still. The delay is no fault of the measured program, and does not
 * show as time in which it waited for a processor.
 */
export class StandstillWatch {
  readonly #beats: readonly Child[];

  private constructor(beats: readonly Child[]) {
    this.#beats = beats;
  }

  /** Needs root; without it nothing is ever noticed. */
  static async start(): Promise<StandstillWatch> {
    const beats = cpus().map((_, index) => {
      const bound = ["-c", `${index}`, "chrt", "-f", PRIORITY, process.execPath, BEAT];
      return startChild("taskset", bound);
    });
    return new StandstillWatch(await Promise.all(beats));
  }

  /** Returns the longest standstill that ended since `fromTime` (wall time), in milliseconds. */
  longestSinceMs(fromTime: number): number {
    const lines = this.#beats.flatMap((beat) => beat.stdout().trimEnd().split("\n"));
    const late = lines.map((line) => line.split(" ").map(Number)).filter(([time = 0]) => time >= fromTime);
    return Math.max(0, ...late.map(([, ms = 0]) => ms));
  }

  async close(): Promise<void> {
    await Promise.all(this.#beats.map((beat) => beat.stop("SIGTERM", STOP_GRACE_MS)));
  }
}
