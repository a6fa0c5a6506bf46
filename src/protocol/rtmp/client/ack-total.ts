const WRAP = 2 ** 32;

/**
 * The sum of a peer's acknowledgements. Each names a running total modulo 2³², and peers count in different ways: with
 * the handshake or without it, from 0 again before the total is full (nginx-rtmp at 3.75 GiB), backwards, twice, or
 * always the same number.
 */
export class AckTotal {
  #bytes = 0;
  #last = 0;
  #count = 0;

  /**
   * Acknowledgements that added something. One that repeats a total, or exceeds what was sent, may be sent by a timer,
   * by a peer that reads nothing.
   */
  get count(): number {
    return this.#count;
  }

  /** All acknowledged bytes, never more than were sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes an acknowledgement. `sentBytes`: all bytes that were sent to the peer by now. */
  take(total: number, sentBytes: number): void {
    const step = (total - this.#last + WRAP) % WRAP;
    if (step === 0) return;
    this.#last = total;
    const added = this.#count === 0 ? Math.min(sentBytes, total) : this.#added(step, total, sentBytes);
    if (added === 0) return;
    this.#count += 1;
    this.#bytes += added;
  }

  /**
   * The peer continued, or began to count again, whichever the sent bytes allow. A total that went back adds nothing.
   */
  #added(step: number, total: number, sentBytes: number): number {
    const most = sentBytes - this.#bytes;
    return [step, total].find((bytes) => bytes <= most) ?? 0;
  }
}
