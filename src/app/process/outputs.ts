import { systemClock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { LogOutput } from "../../telemetry/log-output.ts";
import { standardOutput } from "../../telemetry/standard-output.ts";
import { exitNow } from "./exit-now.ts";

/** The process's standard output and standard error. */
export type Outputs = {
  readonly standard: LogOutput;
  readonly error: LogOutput;
};

/** Opens both. A write never blocks the process, however slowly it is read. */
export function openOutputs(): Outputs {
  return { standard: standardOutput(1, systemClock), error: standardOutput(2, systemClock) };
}

/**
 * Ends the process on an uncaught error, with the reason in the log and on standard error. Node's own report would wait for the reader
 * of standard error; for the same reason its warnings become log lines.
 */
export function logLastWords(log: Log, { error: output }: Outputs): void {
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => log.warn("node warning", { name, detail: message }));
  process.on("uncaughtException", (error) => {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error("crashed", { detail });
    output.write(`fanfare: crashed: ${detail}\n`);
    exitNow(1);
  });
}
