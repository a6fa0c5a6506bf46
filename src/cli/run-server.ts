import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../app/config/settings/settings.ts";
import { type RunningServer, startServer } from "../app/control-thread/server.ts";
import { firstRunText, newKeyFileText, readyText, setupLinkText } from "../app/first-run.ts";
import { exitNow } from "../app/process/exit-now.ts";
import { type Outputs, openOutputs } from "../app/process/outputs.ts";
import { collectStartGarbage } from "../app/threads/start-garbage.ts";
import { systemClock } from "../base/clock.ts";
import { stopInTime } from "./stop-in-time.ts";
import { type StopRequest, StopRequestedError } from "./stop-request.ts";

/** At the end the last output has this long to be read, in milliseconds. */
const LAST_WORDS_MS = 200;
/** A server has started by then, and most tests' servers have ended. In milliseconds. */
const START_OVER_MS = 3_000;

/**
 * Runs the server until it is stopped, which may be before it is ready. Ends the process; rejects where it cannot
 * start.
 */
export async function runServer(config: Config, { signal, hurry }: StopRequest): Promise<void> {
  const outputs = openOutputs();
  const starting = startServer(config, outputs, signal);
  const stopped = new Promise<RunningServer | undefined>((resolve, reject) => {
    const stop = () =>
      emptied(starting, hurry)
        .then(() => stopInTime(() => stopWhenStarted(starting)))
        .then(() => resolve(undefined), reject);
    if (signal.aborted) void stop();
    else signal.addEventListener("abort", () => void stop(), { once: true });
  });
  const server = await Promise.race([starting.catch(ifNotStopping), stopped]);
  if (server !== undefined) {
    printStart(server, outputs);
    collectStartGarbage(systemClock, START_OVER_MS);
  }
  // Tells `fanfare upgrade`, which started this process.
  if (server !== undefined && process.connected) process.send?.("ready", () => process.disconnect());
  await (server === undefined ? stopped : Promise.race([stopped, server.ended]));
  // This timer keeps the process alive; those of the clock do not.
  await Promise.race([outputs.standard.drained(LAST_WORDS_MS), delay(LAST_WORDS_MS)]);
  exitNow(0);
}

/** A node of a cluster first carries its broadcasts to their end, or as long as it may; a second request ends that. */
async function emptied(starting: Promise<RunningServer>, hurry: AbortSignal): Promise<void> {
  const hurried = new Promise<void>((resolve) => {
    if (hurry.aborted) resolve();
    hurry.addEventListener("abort", () => resolve(), { once: true });
  });
  const empty = starting.then(
    (server) => server.empty(),
    // A start that failed is told by the one who waits for it.
    () => undefined,
  );
  await Promise.race([empty, hurried]);
}

/** A stop request cancels the start: there is nothing to stop then. */
async function stopWhenStarted(starting: Promise<RunningServer>): Promise<void> {
  const server = await starting.catch(ifNotStopping);
  await server?.stop();
}

function ifNotStopping(error: unknown): undefined {
  if (!(error instanceof StopRequestedError)) throw error;
}

/** Also after a stop request: a new key is shown now or never. */
function printStart({ addresses, newKeyFile, firstKey, setupToken }: RunningServer, { standard }: Outputs): void {
  standard.write(readyText(addresses));
  if (newKeyFile !== undefined) standard.write(newKeyFileText(newKeyFile));
  if (firstKey !== undefined) standard.write(firstRunText(firstKey, addresses));
  if (setupToken !== undefined) standard.write(setupLinkText(setupToken, addresses));
}
