/** Memory that packets' chunks are cut into. `isKept`: somebody may still read it later, so it is never written again. */
export type Block = { readonly bytes: Buffer; isKept: boolean };

/** A third of a second of a usual stream. */
const BLOCK_BYTES = 256 * 1024;
/** Blocks that wait to be used again, at most: what the channels of one thread give back within a flush or two. */
const SPARES_MAX = 256;

/**
 * The blocks of one media thread. What nobody keeps comes back and is used again: allocating at the rate of the streams would have
 * the collector run several times a second, which costs more than all the relay does.
 */
export class BlockStore {
  readonly #spares: Block[] = [];

  /** A block with room for so many bytes at least. */
  take(bytes: number): Block {
    const spare = bytes <= BLOCK_BYTES ? this.#spares.pop() : undefined;
    return spare ?? { bytes: Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes)), isKept: false };
  }

  /** Whoever had it needs it no more. One that is kept, or of another size, is left to the collector. */
  giveBack(block: Block): void {
    if (block.isKept || block.bytes.length !== BLOCK_BYTES || this.#spares.length >= SPARES_MAX) return;
    this.#spares.push(block);
  }
}
