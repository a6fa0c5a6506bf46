/** Loss is measured over so many seconds. */
const SECONDS = 10;

type Totals = { readonly received: number; readonly lost: number; readonly dropped: number; readonly bytes: number };

/** The losses of the last seconds, from counts that only grow. */
export class RecentLoss {
  readonly #history: Totals[] = [];
  #bytesPerSecond = 0;

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** Call once a second with the counts since the start. */
  tick(totals: Totals): void {
    this.#bytesPerSecond = totals.bytes - (this.#history.at(-1)?.bytes ?? 0);
    this.#history.push(totals);
    if (this.#history.length > SECONDS + 1) this.#history.shift();
  }

  /** The share of packets that were missing at first, in per cent with one decimal. */
  get lossPercent(): number {
    const { received, lost } = this.#lately();
    return received + lost === 0 ? 0 : Math.round((1_000 * lost) / (received + lost)) / 10;
  }

  /** Packets that were given up. */
  get dropped(): number {
    return this.#lately().dropped;
  }

  #lately(): Pick<Totals, "received" | "lost" | "dropped"> {
    const [first, last] = [this.#history[0], this.#history.at(-1)];
    if (first === undefined || last === undefined) return { received: 0, lost: 0, dropped: 0 };
    return {
      received: last.received - first.received,
      lost: last.lost - first.lost,
      dropped: last.dropped - first.dropped,
    };
  }
}
