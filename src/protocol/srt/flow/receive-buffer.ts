/** The window: packets behind a gap that are kept. A power of two. */
export const WINDOW_PACKETS = 8_192;

type Slot = { readonly payload: Buffer; readonly sentUs: number };

/**
 * Packets that came ahead of a missing one. While nothing is missing it is empty and holds no memory: packets in order
 * are delivered as they come.
 */
export class ReceiveBuffer {
  #slots: (Slot | undefined)[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  has(sequence: number): boolean {
    return this.#count > 0 && this.#slots[sequence % WINDOW_PACKETS] !== undefined;
  }

  /** `sentUs`: when it was sent, on our clock. An empty payload stands for one that is useless. */
  put(sequence: number, payload: Buffer, sentUs: number): void {
    this.#slots[sequence % WINDOW_PACKETS] = { payload, sentUs };
    this.#count += 1;
  }

  take(sequence: number): Buffer | undefined {
    if (this.#count === 0) return undefined;
    const at = sequence % WINDOW_PACKETS;
    const payload = this.#slots[at]?.payload;
    if (payload === undefined) return undefined;
    this.#slots[at] = undefined;
    this.#count -= 1;
    if (this.#count === 0) this.#slots = [];
    return payload;
  }

  sentUs(sequence: number): number | undefined {
    return this.#slots[sequence % WINDOW_PACKETS]?.sentUs;
  }
}
