/** Holds what a usual stream brings in a quarter of a second. */
const SLAB_BYTES = 1024 * 1024;

/**
 * Memory for payloads that are lent: good until bytes are received again by any reader that shares this slab. The media thread has
 * one for all its encoders, since what one read brought is sent on before the next: so a payload costs neither an allocation
 * nor a collection.
 */
export class PayloadSlab {
  readonly #block: Buffer<ArrayBuffer>;
  #used = 0;

  constructor(bytes = SLAB_BYTES) {
    this.#block = Buffer.allocUnsafeSlow(bytes);
  }

  /** Undefined where there is no room left. */
  lend(length: number): Buffer<ArrayBuffer> | undefined {
    if (length > this.#block.length - this.#used) return undefined;
    const start = this.#used;
    this.#used += length;
    return this.#block.subarray(start, this.#used);
  }

  /** Nothing that was lent is used any more. */
  startOver(): void {
    this.#used = 0;
  }
}
