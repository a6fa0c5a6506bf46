import { systemClock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { LogOutput } from "../../telemetry/log-output.ts";
import { standardOutput } from "../../telemetry/standard-output.ts";
import { exitNow } from "./exit-now.ts";

/** Where the server's process writes to. */
export type Outputs = {
  readonly standard: LogOutput;
  readonly error: LogOutput;
};

/** Nothing that goes this way holds the process up, whoever reads it. */
export function openOutputs(): Outputs {
  return { standard: standardOutput(1, systemClock), error: standardOutput(2, systemClock) };
}

/**
 * What nobody caught still ends the process, with the reason in the log and on standard error: Node's own way of saying it waits for
 * who reads. Its warnings become log lines for the same cause.
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
