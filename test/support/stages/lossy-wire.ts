/** What a network does to datagrams. Shares are between 0 and 1; times are in microseconds. */
export type WireFaults = {
  readonly loss?: number;
  readonly duplicates?: number;
  /** A datagram that is reordered arrives this much later. */
  readonly reordered?: number;
  readonly reorderUs?: number;
  readonly delayUs?: number;
  readonly jitterUs?: number;
  /** Everything is lost for `burstUs` once in `burstEveryUs`. */
  readonly burstEveryUs?: number;
  readonly burstUs?: number;
};

type Flight = { readonly atUs: number; readonly order: number; readonly packet: Buffer };

/** One direction of a network on virtual time. `random` is seeded, so that a failure can be repeated. */
export class LossyWire {
  readonly #faults: WireFaults;
  readonly #random: () => number;
  readonly #flights: Flight[] = [];
  #order = 0;
  #loseCount = 0;
  /** Chooses packets that are lost, whatever the shares say. */
  loses: (packet: Buffer) => boolean = () => false;
  sent = 0;
  lost = 0;

  constructor(faults: WireFaults, random: () => number) {
    this.#faults = faults;
    this.#random = random;
  }

  send(packet: Buffer, nowUs: number): void {
    const { loss = 0, duplicates = 0, burstEveryUs, burstUs = 0 } = this.#faults;
    this.sent += 1;
    const isInBurst = burstEveryUs !== undefined && nowUs % burstEveryUs >= burstEveryUs - burstUs;
    if (this.#loseCount > 0 || this.loses(packet) || isInBurst || this.#random() < loss) {
      if (this.#loseCount > 0) this.#loseCount -= 1;
      this.lost += 1;
      return;
    }
    // A real network has copied the bytes by now: the sender marks its own later.
    this.#put(Buffer.from(packet), nowUs);
    if (this.#random() < duplicates) this.#put(Buffer.from(packet), nowUs);
  }

  /** Loses the next datagrams, whatever the shares say. */
  loseNext(count: number): void {
    this.#loseCount = count;
  }

  /** What has arrived by now, in the order of arrival. */
  arrived(nowUs: number): readonly Flight[] {
    if (this.#flights.length === 0) return this.#flights;
    const due = this.#flights.filter((flight) => flight.atUs <= nowUs);
    if (due.length === 0) return due;
    const rest = this.#flights.filter((flight) => flight.atUs > nowUs);
    this.#flights.splice(0, this.#flights.length, ...rest);
    return due.sort((a, b) => a.atUs - b.atUs || a.order - b.order);
  }

  #put(packet: Buffer, nowUs: number): void {
    const { delayUs = 0, jitterUs = 0, reordered = 0, reorderUs = 0 } = this.#faults;
    const lateUs = this.#random() < reordered ? reorderUs : 0;
    this.#order += 1;
    this.#flights.push({ atUs: nowUs + delayUs + lateUs + this.#random() * jitterUs, order: this.#order, packet });
  }
}
