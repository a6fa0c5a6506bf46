export type LossFaults = {
  /** The share of datagrams that are lost, each by itself. */
  readonly loss: number;
  /** Now and then every datagram is lost for `lastMs`: after 0.5 to 1.5 times `everyMs`, in milliseconds. */
  readonly bursts?: { readonly everyMs: number; readonly lastMs: number };
};

/** Decides which datagrams a network loses. It reads no clock: times are given, in milliseconds. */
export class NetworkLoss {
  readonly #faults: LossFaults;
  readonly #random: () => number;
  #burstAtMs: number | undefined;

  /** `random`: from 0 up to 1. */
  constructor(faults: LossFaults, random: () => number) {
    this.#faults = faults;
    this.#random = random;
  }

  isLost(nowMs: number): boolean {
    return this.#isInBurst(nowMs) || this.#random() < this.#faults.loss;
  }

  #isInBurst(nowMs: number): boolean {
    const { bursts } = this.#faults;
    if (bursts === undefined) return false;
    const { everyMs, lastMs } = bursts;
    const waitMs = () => (0.5 + this.#random()) * everyMs;
    this.#burstAtMs ??= nowMs + waitMs();
    while (nowMs >= this.#burstAtMs + lastMs) this.#burstAtMs += lastMs + waitMs();
    return nowMs >= this.#burstAtMs;
  }
}
