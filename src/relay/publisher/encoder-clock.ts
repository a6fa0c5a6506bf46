/** A step of the encoder's clock that differs by more than this from the elapsed time is a jump, in milliseconds. */
const JUMP_MS = 2_000;

/** One track's timestamps, read as steps: 32 bits that start anywhere, wrap, and sometimes jump. */
export class EncoderClock {
  #hasBegun = false;
  #timestamp = 0;
  #arrivalMs = 0;

  /**
   * Milliseconds by the encoder's clock since the frame before. Undefined for the first one, and where the clock
   * jumped.
   */
  step(timestamp: number, nowMs: number): number | undefined {
    const stepMs = (timestamp - this.#timestamp) | 0;
    const passedMs = nowMs - this.#arrivalMs;
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    this.#timestamp = timestamp;
    this.#arrivalMs = nowMs;
    return isFirst || Math.abs(stepMs - passedMs) > JUMP_MS ? undefined : stepMs;
  }
}
