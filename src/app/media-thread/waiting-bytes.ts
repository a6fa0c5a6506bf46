import { totalmem } from "node:os";
import { WAITING_BYTES_MAX } from "../../relay/stream/waiting-memory.ts";

/** The parts of the memory that this process may use. */
const TARGETS_SHARE = 1 / 4;
const DISK_SHARE = 1 / 8;

export type WaitingBytes = {
  /** For targets that are behind. */
  readonly targets: number;
  /** Of recordings, for the disk. */
  readonly recordings: number;
  /** Of delayed streams, for their time; and as much again for the disk. */
  readonly delayed: number;
};

/**
 * How many bytes may wait in each of so many media threads: of each kind 512 MiB in all of them, and less where the
 * machine, or the container, has little memory.
 */
export function waitingBytesMax(threads: number): WaitingBytes {
  // 0 where nothing but the machine limits this process.
  const limit = process.constrainedMemory();
  const usable = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  const part = (share: number) => Math.min(WAITING_BYTES_MAX, usable * share) / threads;
  return { targets: part(TARGETS_SHARE), recordings: part(DISK_SHARE), delayed: part(DISK_SHARE) };
}
