/** The clocks' difference is corrected after so many measurements. */
const DRIFT_SAMPLES = 1_000;

/**
 * The peer's timestamps on our clock: draft-sharabayko-srt, section 4.5. They have 32 bits, and the peer's clock runs a
 * little faster or slower than ours.
 */
export class PeerTime {
  /** Our time at which the peer's extended timestamp was 0. */
  #baseUs: number;
  #lastUs: number;
  #driftSumUs = 0;
  #driftCount = 0;
  #firstRttUs: number | undefined;

  /** `timestampUs`: of the handshake's packet, which arrived at `arrivalUs`. */
  constructor(timestampUs: number, arrivalUs: number) {
    this.#baseUs = arrivalUs - timestampUs;
    this.#lastUs = timestampUs;
  }

  /** When a packet was sent, on our clock, if it had been under way as long as the handshake's. */
  sentUs(timestampUs: number): number {
    return this.#baseUs + this.#extend(timestampUs);
  }

  /** A packet without media came: time goes on where none have come for longer than its 32 bits can tell, 36 minutes. */
  heard(timestampUs: number): void {
    this.#extend(timestampUs);
  }

  /** A packet that the peer sent at once when it got ours. */
  compare(timestampUs: number, arrivalUs: number, rttUs: number): void {
    this.#firstRttUs ??= rttUs;
    this.#driftSumUs += arrivalUs - this.sentUs(timestampUs) - (rttUs - this.#firstRttUs) / 2;
    this.#driftCount += 1;
    if (this.#driftCount < DRIFT_SAMPLES) return;
    this.#baseUs += this.#driftSumUs / DRIFT_SAMPLES;
    this.#driftSumUs = 0;
    this.#driftCount = 0;
  }

  #extend(timestampUs: number): number {
    const extendedUs = this.#lastUs + ((timestampUs - this.#lastUs) | 0);
    if (extendedUs > this.#lastUs) this.#lastUs = extendedUs;
    return extendedUs;
  }
}
