import { WaitingMemory } from "../../stream/waiting-memory.ts";

const MIB = 1024 * 1024;
/** How much of one line may wait in memory, in bytes; what comes beyond goes to the shelf. */
export const DELAY_MEMORY_MAX = 32 * MIB;
/** Put away by one line and not stored yet, in bytes: above this the disk is too slow. */
export const UNSTORED_MAX = 16 * MIB;

/** The memory that all delay lines of one media thread share. Where many wait, each has less. */
export class DelayMemory {
  /** What waits in memory for its time. */
  readonly kept: WaitingMemory;
  /** What was put away, and waits for the disk. */
  readonly unstored: WaitingMemory;

  /** `bytesMax`: of each of the two, in bytes; default 512 MiB. */
  constructor(bytesMax?: number) {
    this.kept = new WaitingMemory(bytesMax, DELAY_MEMORY_MAX);
    this.unstored = new WaitingMemory(bytesMax, UNSTORED_MAX);
  }
}

/** One line's part of that memory. */
export class LineMemory {
  readonly #shared: DelayMemory;
  #keptBytes = 0;
  #unstoredBytes = 0;

  constructor(shared: DelayMemory) {
    this.#shared = shared;
  }

  /** Bytes that wait in memory for their time. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Whether everything that was put away is on the disk. */
  get isStored(): boolean {
    return this.#unstoredBytes === 0;
  }

  /** Whether further segments have to go to the shelf. */
  get isFull(): boolean {
    return this.#keptBytes > this.#shared.kept.eachBytesMax;
  }

  /** Whether the disk takes less than what comes. */
  get isDiskSlow(): boolean {
    return this.#unstoredBytes > this.#shared.unstored.eachBytesMax;
  }

  /** So many bytes more wait in memory, or fewer. */
  keep(bytes: number): void {
    this.#keptBytes += bytes;
    this.#shared.kept.add(bytes);
  }

  /** So many bytes more wait for the disk, or fewer. */
  waitForDisk(bytes: number): void {
    this.#unstoredBytes += bytes;
    this.#shared.unstored.add(bytes);
  }

  /** Nothing waits any more. */
  clear(): void {
    this.keep(-this.#keptBytes);
    this.waitForDisk(-this.#unstoredBytes);
  }
}
