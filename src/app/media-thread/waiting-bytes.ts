import { totalmem } from "node:os";
import { WAITING_BYTES_MAX } from "../../relay/stream/waiting-memory.ts";

/** The part of the memory that this process may use. */
const MEMORY_SHARE = 1 / 4;

/**
 * How many bytes may wait for receivers that are behind in each of so many media threads: 512 MiB in all of them, and less
 * where the machine, or the container, has little memory.
 */
export function waitingBytesMax(threads: number): number {
  // 0 where nothing but the machine limits this process.
  const limit = process.constrainedMemory();
  const usable = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return Math.min(WAITING_BYTES_MAX, usable * MEMORY_SHARE) / threads;
}
