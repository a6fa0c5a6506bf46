/** Several flushes of a usual stream: one allocation serves about a second. */
const BLOCK_BYTES = 512 * 1024;
/** What a usual stream brings between two flushes, a keyframe among it. */
const GATHERING_BYTES = 96 * 1024;

/**
 * Memory that packets' chunks are cut into, one after another, so that packets cut in a row lie in a row and leave in one
 * write. Blocks are never reused: the garbage collector frees one when no queue and no cache points into it any more.
 */
export class ChunkArena {
  #block = Buffer.alloc(0);
  #used = 0;

  /**
   * Call when everything was handed on: what little is left of a block is given up, so that the next gathering does not lie
   * in two blocks, which every target would have to join for itself.
   */
  settle(): void {
    if (this.#block.length - this.#used < GATHERING_BYTES) this.#used = this.#block.length;
  }

  /** Room for `length` bytes; the caller writes them once and nobody changes them afterwards. */
  allocate(length: number): { readonly block: Buffer; readonly start: number } {
    if (this.#block.length - this.#used < length) {
      this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, length));
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    return { block: this.#block, start };
  }
}
