/** Memory that packets' chunks are written into. `isKept`: it may still be read later, so it is never written again. */
export type Block = { readonly bytes: Buffer; isKept: boolean };

/** In bytes: a third of a second of a usual stream. */
const BLOCK_BYTES = 256 * 1024;
/** The most free blocks: what the channels of one thread give back within a flush or two. */
const SPARES_MAX = 256;

/**
 * The blocks of one media thread. Blocks that are not kept come back and are used again: allocating at the rate of the
 * streams makes the garbage collector run several times a second, which costs more than the whole relay.
 */
export class BlockStore {
  readonly #spares: Block[] = [];

  /** Returns a block with room for at least `bytes`. */
  take(bytes: number): Block {
    const spare = bytes <= BLOCK_BYTES ? this.#spares.pop() : undefined;
    return spare ?? { bytes: Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes)), isKept: false };
  }

  /** Takes a block back. One that is kept, or of another size, is left to the garbage collector. */
  giveBack(block: Block): void {
    if (block.isKept || block.bytes.length !== BLOCK_BYTES || this.#spares.length >= SPARES_MAX) return;
    this.#spares.push(block);
  }
}
