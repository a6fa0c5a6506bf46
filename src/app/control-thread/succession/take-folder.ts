import { setTimeout as pass } from "node:timers/promises";
import { systemClock } from "../../../base/clock.ts";
import { DataFolderError } from "../../data-folder/storage.ts";

/** A process that ends has this long to leave the data folder, in milliseconds. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 20;

/**
 * Takes the data folder from a process that is about to leave it. Rejects as `take`; with DataFolderError after ten seconds, or
 * once it is no longer wanted.
 */
export async function takeWhenLeft(take: () => Promise<void>, isWanted: () => boolean = () => true): Promise<void> {
  const lateMs = systemClock.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await take();
    } catch (error) {
      if (!(error instanceof DataFolderError) || systemClock.now() > lateMs || !isWanted()) throw error;
      await pass(PAUSE_MS);
    }
  }
}
