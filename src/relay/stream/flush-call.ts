/**
 * With more bytes than this a channel does not wait for the next flush. After a network delay an encoder's data comes
 * in one burst, which may be more than a send queue holds; a target that can take all of it must get all of it.
 */
const BYTES_MAX = 1024 * 1024;

/** Asks for a flush when the first packets wait, and again once there are too many to wait. */
export class FlushCall {
  readonly #onDirty: (isMuch: boolean) => void;
  /** Payload bytes since the last flush; undefined if nothing waits. */
  #waitingBytes: number | undefined;

  constructor(onDirty: (isMuch: boolean) => void) {
    this.#onDirty = onDirty;
  }

  /** `bytes` more of payload wait. */
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
