import type { Block } from "./block-store.ts";

const MIB = 1024 * 1024;
/** What waits for all receivers together, where nothing else is set, in bytes. */
export const WAITING_BYTES_MAX = 512 * MIB;
/** The most that may wait for one receiver, where nothing else is set, in bytes. */
const EACH_BYTES_MAX = 16 * MIB;
/** … and the part of what is left of the whole, where that is less. */
const EACH_SHARE = 1 / 8;

/**
 * Memory in which media waits for receivers that are behind, of all channels of one media thread. What one of them may
 * hold falls with what all of them hold: a few may be far behind, and many together take little more than the whole.
 * Whoever holds most loses first, and nobody takes what another one needs for a keyframe. (Choudhury and Hahne's
 * dynamic threshold, as in switches that share their memory between ports.)
 */
export class WaitingMemory {
  readonly #bytesMax: number;
  readonly #eachBytesMax: number;
  #bytes = 0;

  /** In bytes: for all receivers together, and for one of them. */
  constructor(bytesMax = WAITING_BYTES_MAX, eachBytesMax = EACH_BYTES_MAX) {
    this.#bytesMax = bytesMax;
    this.#eachBytesMax = eachBytesMax;
  }

  /** Bytes that wait; a block that is held for several receivers counts once. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The most that may wait for one receiver now, in bytes. */
  get eachBytesMax(): number {
    return Math.min(this.#eachBytesMax, Math.max(0, this.#bytesMax - this.#bytes) * EACH_SHARE);
  }

  /** So many bytes wait. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** So many bytes do not wait any more. */
  remove(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Holds a block once more. */
  hold(block: Block): void {
    if (block.holders === 0) this.#bytes += block.bytes.length;
    block.holders += 1;
  }

  /** Holds a block once less. */
  letGo(block: Block): void {
    block.holders -= 1;
    if (block.holders === 0) this.#bytes -= block.bytes.length;
  }
}
