/** In bytes: a quarter of a second of a usual stream. */
const SLAB_BYTES = 1024 * 1024;

/**
 * Memory for lent payloads: valid until any reader that shares this slab receives bytes again. A media thread has one
 * slab for all its encoders, since the relay sends the payloads of one read before the next read. So a payload costs
 * neither an allocation nor a collection.
 */
export class PayloadSlab {
  readonly #block: Buffer<ArrayBuffer>;
  #used = 0;

  constructor(bytes = SLAB_BYTES) {
    this.#block = Buffer.allocUnsafeSlow(bytes);
  }

  /** Returns undefined where there is no room left. */
  lend(length: number): Buffer<ArrayBuffer> | undefined {
    if (length > this.#block.length - this.#used) return undefined;
    const start = this.#used;
    this.#used += length;
    return this.#block.subarray(start, this.#used);
  }

  /** Nothing that was lent is in use any more. */
  startOver(): void {
    this.#used = 0;
  }
}
