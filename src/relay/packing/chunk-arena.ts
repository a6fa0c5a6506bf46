import { type Block, BlockStore } from "../stream/block-store.ts";

const NO_BLOCK: Block = { bytes: Buffer.alloc(0), holders: 0, isKept: false };

/** How much the last batch counts towards the usual size of one. */
const USUAL_SHARE = 1 / 8;
/** A stream whose usual batch has fewer bytes gets small blocks: 1.3 Mbit/s with a flush every 50 ms. */
const SMALL_BATCH_BYTES = 8 * 1024;
const NO_BLOCKS: readonly Block[] = [];

/**
 * Memory for packets' chunks, filled one after another, so that consecutive packets lie next to each other and are sent
 * in one write. Blocks that are no longer needed go back to the store.
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

  /** The block of the last allocation. */
  get block(): Block {
    return this.#block;
  }

  /**
   * Returns the offset in `block` of `length` free bytes. The caller writes them once; after that they do not change.
   */
  allocate(length: number): number {
    this.#gatheredBytes += length;
    if (this.#block.bytes.length - this.#used < length) {
      this.#block = this.#store.take(length, this.#usualBytes < SMALL_BATCH_BYTES);
      this.#blocks.push(this.#block);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    return start;
  }

  /** What is allocated next does not share a block with what was before. */
  startBlock(): void {
    this.#used = this.#block.bytes.length;
  }

  /**
   * Call after a flush. `oldest`: the first block that is still needed with all after it; `others`: needed too, as are
   * those that are held. Kept ones are forgotten. A rest of a block too small for the next usual batch is left unused: a
   * batch in two blocks would cost every target one more write.
   */
  settle(oldest: Block | undefined, others = NO_BLOCKS): void {
    this.#usualBytes += (this.#gatheredBytes - this.#usualBytes) * USUAL_SHARE;
    this.#gatheredBytes = 0;
    let spent = 0;
    while (spent < this.#blocks.length - 1 && this.#blocks[spent] !== oldest) spent += 1;
    if (spent > 0) this.#giveBack(spent, others);
    const filling = this.#blocks[this.#blocks.length - 1];
    if (filling !== undefined && filling.bytes.length - this.#used < this.#usualBytes)
      this.#used = filling.bytes.length;
  }

  /** Gives the first blocks back, except these and those that are held. */
  #giveBack(count: number, except: readonly Block[]): void {
    let left = 0;
    for (let index = 0; index < count; index += 1) {
      const block = this.#blocks[index];
      if (block === undefined) continue;
      const isNeeded = (block.holders > 0 && !block.isKept) || except.includes(block);
      if (isNeeded) this.#blocks[left++] = block;
      else this.#store.giveBack(block);
    }
    this.#blocks.splice(left, count - left);
  }

  /** Gives all blocks back; those that are held or kept are left to the garbage collector. */
  clear(): void {
    for (const block of this.#blocks.splice(0)) this.#store.giveBack(block);
    this.#block = NO_BLOCK;
    this.#used = 0;
  }
}
