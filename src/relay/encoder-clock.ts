/** A step of the encoder's clock that differs by more than this from the time that passed is a jump, in milliseconds. */
const JUMP_MS = 2_000;

/** One track's timestamps, read as steps: 32 bits that wrap, start anywhere and now and then jump. */
export class EncoderClock {
  #last: { readonly timestamp: number; readonly arrivalMs: number } | undefined;

  /** Milliseconds by the encoder's clock since the frame before; undefined for the first one, and where the clock jumped. */
  step(timestamp: number, nowMs: number): number | undefined {
    const last = this.#last;
    this.#last = { timestamp, arrivalMs: nowMs };
    if (last === undefined) return undefined;
    const stepMs = (timestamp - last.timestamp) | 0;
    return Math.abs(stepMs - (nowMs - last.arrivalMs)) > JUMP_MS ? undefined : stepMs;
  }
}
