const WRAP = 2 ** 32;

/**
 * What a peer's acknowledgements add up to. Each names a running total modulo 2³², and peers count as they like: with the handshake or
 * without it, twice, from 0 again before the total is full (nginx-rtmp at 3.75 GiB), or always the same number.
 */
export class AckTotal {
  #bytes = 0;
  #last = 0;
  #count = 0;

  /** Acknowledgements that came, whatever they said: who sends one has read something. */
  get count(): number {
    return this.#count;
  }

  /** Bytes acknowledged in all, never more than was sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** An acknowledgement came. `sentBytes`: what the peer was sent by now, in all. */
  take(total: number, sentBytes: number): void {
    const step = (total - this.#last + WRAP) % WRAP;
    this.#last = total;
    this.#count += 1;
    const isPossible = this.#bytes + step <= sentBytes;
    // More than there was: it began to count anew.
    this.#bytes = Math.min(sentBytes, this.#bytes + (isPossible ? step : total));
  }
}
