/** Before the first measurement, in microseconds. An ACK with exactly these values tells nothing. */
const INITIAL_RTT_US = 100_000;
const INITIAL_VARIANCE_US = 50_000;
/** A longer round trip is a mistake or an attack. */
const RTT_MAX_US = 30_000_000;

/** The time to the peer and back, smoothed. draft-sharabayko-srt, section 4.10. */
export class RoundTrip {
  #rttUs = INITIAL_RTT_US;
  #varianceUs = INITIAL_VARIANCE_US;
  #isMeasured = false;

  get rttUs(): number {
    return this.#rttUs;
  }

  get varianceUs(): number {
    return this.#varianceUs;
  }

  get isMeasured(): boolean {
    return this.#isMeasured;
  }

  /** Within this time a reply has almost certainly come. */
  get replyTimeUs(): number {
    return this.#rttUs + 4 * this.#varianceUs;
  }

  /** One measurement of ours. */
  measured(rttUs: number): void {
    if (rttUs < 0 || rttUs > RTT_MAX_US) return;
    if (!this.#isMeasured) {
      this.#isMeasured = true;
      this.#rttUs = rttUs;
      this.#varianceUs = rttUs / 2;
      return;
    }
    this.#varianceUs = (3 * this.#varianceUs + Math.abs(rttUs - this.#rttUs)) / 4;
    this.#rttUs = (7 * this.#rttUs + rttUs) / 8;
  }

  /** What the receiver of our data measured. */
  told(rttUs: number, varianceUs: number): void {
    if (rttUs === INITIAL_RTT_US && varianceUs === INITIAL_VARIANCE_US) return;
    this.#isMeasured = true;
    this.#rttUs = Math.min(rttUs, RTT_MAX_US);
    this.#varianceUs = Math.min(varianceUs, RTT_MAX_US);
  }
}
