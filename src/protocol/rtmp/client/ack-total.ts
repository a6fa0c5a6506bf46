const WRAP = 2 ** 32;

/**
 * What a peer's acknowledgements add up to. Each names a running total modulo 2³², and peers count as they like: with the handshake or
 * without it, from 0 again before the total is full (nginx-rtmp at 3.75 GiB), backwards, twice, or always the same number.
 */
export class AckTotal {
  #bytes = 0;
  #last = 0;
  #count = 0;

  /** Acknowledgements that added something. One that says the same again, or more than there was, may come by a timer, from who reads nothing. */
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
    if (step === 0) return;
    this.#last = total;
    const added = this.#count === 0 ? Math.min(sentBytes, total) : this.#added(step, total, sentBytes);
    if (added === 0) return;
    this.#count += 1;
    this.#bytes += added;
  }

  /** It went on, or began to count anew, whichever was possible by what it was sent; a total that went back says nothing. */
  #added(step: number, total: number, sentBytes: number): number {
    const most = sentBytes - this.#bytes;
    return [step, total].find((bytes) => bytes <= most) ?? 0;
  }
}
