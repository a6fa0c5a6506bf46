import { fstatSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import { exitNow } from "../app/process/exit-now.ts";
import { systemCode } from "../base/system-errors.ts";

const STDOUT = 1;
/** What the kernel says of a pipe or socket whose reader is gone. */
const READER_GONE: readonly string[] = ["EPIPE", "ECONNRESET"];

let isWatched = false;

/**
 * Prints what a command has to say. Throws where a file does not take all of it: half an export must not look like a
 * whole one. A reader that closes its pipe early (`| head`) has what it wanted: the process ends then with the code that
 * it has.
 */
export function print(text: string): void {
  if (hasReader()) return printToReader(text);
  const bytes = Buffer.from(text);
  try {
    // Node's own stream takes a write for done of which a full disk took only a part.
    for (let at = 0; at < bytes.length; ) at += writeSync(STDOUT, bytes, at);
  } catch (error) {
    throw new Error(problemText(error));
  }
}

/** A pipe, a socket or a terminal, not a file or a device. */
function hasReader(): boolean {
  const stats = fstatSync(STDOUT);
  return stats.isFIFO() || stats.isSocket() || isatty(STDOUT);
}

function printToReader(text: string): void {
  if (!isWatched) process.stdout.on("error", ended);
  isWatched = true;
  process.stdout.write(text);
}

function ended(error: Error): void {
  if (READER_GONE.includes(systemCode(error) ?? "")) return exitNow(Number(process.exitCode ?? 0));
  process.stderr.on("error", () => undefined);
  process.stderr.write(`fanfare: ${problemText(error)}\n`);
  exitNow(1);
}

function problemText(error: unknown): string {
  return `the output could not be written: ${error instanceof Error ? error.message : String(error)}`;
}
