import type { Clock } from "../base/clock.ts";
import { descriptorSink, type Standard } from "./descriptor-sink.ts";
import { LogOutput } from "./log-output.ts";

/** Standard output or standard error for the whole server: no caller ever waits for its reader. */
export function standardOutput(descriptor: Standard, clock: Clock): LogOutput {
  return new LogOutput({
    sink: descriptorSink(descriptor),
    clock,
    lossLine: (lines) => {
      const time = new Date(clock.wallNow()).toISOString();
      return `${JSON.stringify({ level: "warn", time, lines, event: "log lines were lost" })}\n`;
    },
  });
}
