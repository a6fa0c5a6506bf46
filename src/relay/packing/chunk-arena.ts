import { type Block, BlockStore } from "../stream/block-store.ts";

const NO_BLOCK: Block = { bytes: Buffer.alloc(0), isKept: false };

/** How much of what the largest batch lately took counts at the next one. */
const USUAL_DECAY = 7 / 8;

/**
 * Memory that packets' chunks are cut into, one after another, so that packets cut in a row lie in a row and leave in one
 * write. Blocks that are needed no more go back to the store.
 */
export class ChunkArena {
  readonly #store: BlockStore;
  /** Oldest first; the last is the one being filled. */
  readonly #blocks: Block[] = [];
  #block = NO_BLOCK;
  #used = 0;
  #gatheredBytes = 0;
  #usualBytes = 0;

  constructor(store = new BlockStore()) {
    this.#store = store;
  }

  /** The block that was allocated from last. */
  get block(): Block {
    return this.#block;
  }

  /** Where in `block` there is room for `length` bytes; the caller writes them once and nobody changes them afterwards. */
  allocate(length: number): number {
    this.#gatheredBytes += length;
    if (this.#block.bytes.length - this.#used < length) {
      this.#block = this.#store.take(length);
      this.#blocks.push(this.#block);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    return start;
  }

  /**
   * Call when everything was handed on; `oldest` is the first block that is still needed, beside kept ones. What little is left of
   * a block is given up, so that the next batch does not lie in two blocks, which every target would have to join for itself.
   */
  settle(oldest: Block | undefined): void {
    this.#usualBytes = Math.max(this.#gatheredBytes, this.#usualBytes * USUAL_DECAY);
    this.#gatheredBytes = 0;
    let spent = 0;
    while (spent < this.#blocks.length - 1 && this.#blocks[spent] !== oldest) spent += 1;
    if (spent > 0) for (const block of this.#blocks.splice(0, spent)) this.#store.giveBack(block);
    const filling = this.#blocks[this.#blocks.length - 1];
    if (filling !== undefined && filling.bytes.length - this.#used < this.#usualBytes)
      this.#used = filling.bytes.length;
  }

  /** Nothing of it is needed any more, beside kept blocks. */
  clear(): void {
    for (const block of this.#blocks.splice(0)) this.#store.giveBack(block);
    this.#block = NO_BLOCK;
    this.#used = 0;
  }
}
