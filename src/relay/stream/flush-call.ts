/**
 * So much of one channel is not kept for the next flush: what an encoder was held up with comes at once, may be more than an send queue
 * holds, and a target that takes all of it is to get all of it.
 */
const BYTES_MAX = 1024 * 1024;

/** Calls for a flush: when the first packets wait for one, and once they are so many that they should not wait. */
export class FlushCall {
  readonly #onDirty: (isMuch: boolean) => void;
  /** Payload bytes since the last flush; undefined where nothing waits. */
  #waitingBytes: number | undefined;

  constructor(onDirty: (isMuch: boolean) => void) {
    this.#onDirty = onDirty;
  }

  /** So many more bytes of payload wait. */
  note(bytes: number): void {
    const isFirst = this.#waitingBytes === undefined;
    this.#waitingBytes = (this.#waitingBytes ?? 0) + bytes;
    const isMuch = this.#waitingBytes > BYTES_MAX;
    if (isFirst || isMuch) this.#onDirty(isMuch);
  }

  flushed(): void {
    this.#waitingBytes = undefined;
  }
}
