/**
 * Memory that packets' chunks are written into. It is written again once nothing holds it. `holders`: how often it is held
 * for targets that have not taken their packets yet. `isKept`: it may be read at any later time, so it is never written
 * again.
 */
export type Block = { readonly bytes: Buffer; holders: number; isKept: boolean };

/** In bytes: a third of a second of a usual stream. */
const BLOCK_BYTES = 256 * 1024;
/** For streams of a low rate, whose group of pictures is smaller than the other size. */
const SMALL_BLOCK_BYTES = 64 * 1024;
/**
 * The most free bytes of each size: what the channels of one thread give back within a flush or two. Encoders that began
 * together send their keyframes together, and then all channels give back a group of pictures at once: 150 channels of
 * 6 Mbit/s 160 MB.
 */
const SPARE_BYTES_MAX = 256 * 1024 * 1024;
/** Blocks that were free for so many ticks in a row are more than the streams need: half of them are given up. */
const IDLE_TICKS = 5;
/** The most blocks of each size that are given up in one tick: each takes the system some 0.1 ms. */
const GIVEN_UP_MAX = 16;

/**
 * The blocks of one media thread. Blocks that nothing holds come back and are used again: allocating at the rate of the
 * streams makes the garbage collector run several times a second, which costs more than the whole relay.
 */
export class BlockStore {
  readonly #usual = new Spares(BLOCK_BYTES);
  readonly #small = new Spares(SMALL_BLOCK_BYTES);
  #ticks = 0;

  /** Returns a block with room for at least `bytes`. `isSmall`: for a stream of a low rate. */
  take(bytes: number, isSmall = false): Block {
    if (bytes > BLOCK_BYTES) return newBlock(bytes);
    return isSmall && bytes <= SMALL_BLOCK_BYTES ? this.#small.take() : this.#usual.take();
  }

  /** Takes a block back. One that is held or kept, or of another size, is left to the garbage collector. */
  giveBack(block: Block): void {
    if (block.isKept || block.holders > 0) return;
    if (block.bytes.length === BLOCK_BYTES) this.#usual.add(block);
    else if (block.bytes.length === SMALL_BLOCK_BYTES) this.#small.add(block);
  }

  /** Call once a second: half of what nobody needed for a while goes back to the system. */
  tick(): void {
    this.#ticks += 1;
    for (const spares of [this.#usual, this.#small]) {
      if (this.#ticks % IDLE_TICKS === 0) spares.judge();
      spares.shrink();
    }
  }
}

/** Free blocks of one size. */
class Spares {
  readonly #size: number;
  readonly #blocks: Block[] = [];
  /** The fewest that were free since the last `judge`. */
  #least = 0;
  /** So many are more than the streams need. */
  #surplus = 0;

  constructor(size: number) {
    this.#size = size;
  }

  take(): Block {
    const block = this.#blocks.pop();
    this.#least = Math.min(this.#least, this.#blocks.length);
    return block ?? newBlock(this.#size);
  }

  add(block: Block): void {
    if ((this.#blocks.length + 1) * this.#size <= SPARE_BYTES_MAX) this.#blocks.push(block);
  }

  judge(): void {
    this.#surplus = Math.ceil(this.#least / 2);
    this.#least = this.#blocks.length;
  }

  /** Gives up a part of the surplus. */
  shrink(): void {
    const count = Math.min(this.#surplus, GIVEN_UP_MAX, this.#blocks.length);
    this.#surplus -= count;
    for (const { bytes } of this.#blocks.splice(0, count)) release(bytes.buffer);
    this.#least = Math.min(this.#least, this.#blocks.length);
  }
}

/** Frees the memory at once. Memory outside of V8's heap without a holder may stay for minutes otherwise: a calm thread collects nothing. */
function release(memory: ArrayBufferLike): void {
  if (memory instanceof ArrayBuffer) memory.transfer(0);
}

function newBlock(bytes: number): Block {
  return { bytes: Buffer.allocUnsafeSlow(bytes), holders: 0, isKept: false };
}
