import { print } from "../../output.ts";

/**
 * Prints one line of JSON for one event, at once, so that a program that reads the output sees the event when it
 * happens.
 */
export function printEvent(event: object): void {
  print(`${JSON.stringify(event)}\n`);
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process as usual. */
export async function untilStopped(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}
