const WRAP = 2 ** 33;
const TICKS_PER_MS = 90;
const MS_WRAP = 2 ** 32;

/** Unwraps the 33-bit times of a program's streams: all of them against the last one, so that they stay together. */
export class StreamClock {
  #last: number | undefined;

  /** 90 kHz, without a bound; near the last time, which may be of any stream. */
  unwrap(time: number): number {
    const last = this.#last;
    if (last === undefined) {
      this.#last = time;
      return time;
    }
    const difference = (((time - last) % WRAP) + WRAP) % WRAP;
    const unwrapped = last + (difference > WRAP / 2 ? difference - WRAP : difference);
    this.#last = unwrapped;
    return unwrapped;
  }
}

/** A time of 90 kHz as RTMP's timestamp: milliseconds, unsigned 32-bit. */
export function timestampOf(time: number): number {
  const ms = Math.round(time / TICKS_PER_MS) % MS_WRAP;
  return ms < 0 ? ms + MS_WRAP : ms;
}
