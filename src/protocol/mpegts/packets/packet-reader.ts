/** Bytes of a packet of a transport stream. */
export const TS_PACKET_BYTES = 188;
const TS_SYNC_BYTE = 0x47;
/** Distances of packets: plain, with a time before each (M2TS), with check bytes after each (ISDB). */
const STRIDES = [TS_PACKET_BYTES, 192, 204] as const;
/** So many sync bytes at one distance begin a stream. Fewer would be found by chance. */
const SYNCS = 3;
/** Enough for any stride. */
const SEARCH_BYTES = 204 * (SYNCS - 1) + 1;
const NOTHING: Buffer = Buffer.alloc(0);

/** Takes a packet: 188 bytes at `bytes[at]`, lent until it returns. */
export type OnPacket = (bytes: Buffer, at: number) => void;

/**
 * Cuts bytes into packets, wherever the network cut them. Finds the first sync byte, and finds it again after garbage.
 * Takes packets of 188 bytes, and those that lie 192 or 204 bytes apart. Keeps less than one packet once it is in step,
 * and less than three while it searches. ISO/IEC 13818-1, 2.4.3.2.
 */
export class PacketReader {
  readonly #onPacket: OnPacket;
  readonly #onSyncLoss: () => void;
  #stride: number = TS_PACKET_BYTES;
  #isInStep = false;
  #hasFound = false;
  #rest = NOTHING;
  #syncLosses = 0;

  /** `onSyncLoss`: bytes are missing: the packet before may be made of two halves. */
  constructor(onPacket: OnPacket, onSyncLoss: () => void) {
    this.#onPacket = onPacket;
    this.#onSyncLoss = onSyncLoss;
  }

  /** Whether the bytes have turned out to be a transport stream. */
  get hasFound(): boolean {
    return this.#hasFound;
  }

  /** How often a packet did not begin with the sync byte. */
  get syncLosses(): number {
    return this.#syncLosses;
  }

  /** Bytes are missing before those that come next: what is kept of a packet does not go on with them. */
  gap(): void {
    if (this.#rest.length === 0) return;
    this.#rest = NOTHING;
    this.#isInStep = false;
  }

  push(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (at < all.length) {
      if (!this.#isInStep) {
        at = this.#search(all, at);
        if (!this.#isInStep) break;
      }
      if (all[at] !== TS_SYNC_BYTE) {
        this.#isInStep = false;
        this.#syncLosses += 1;
        this.#onSyncLoss();
        continue;
      }
      if (at + this.#stride > all.length) break;
      this.#onPacket(all, at);
      at += this.#stride;
    }
    this.#rest = at >= all.length ? NOTHING : Buffer.from(all.subarray(at));
  }

  /** Returns where packets begin, or from where to search when more has come. */
  #search(all: Buffer, from: number): number {
    for (let at = all.indexOf(TS_SYNC_BYTE, from); at !== -1; at = all.indexOf(TS_SYNC_BYTE, at + 1)) {
      if (at + SEARCH_BYTES > all.length && at + TS_PACKET_BYTES * (SYNCS - 1) >= all.length) return at;
      const stride = STRIDES.find((each) => all[at + each] === TS_SYNC_BYTE && all[at + 2 * each] === TS_SYNC_BYTE);
      if (stride === undefined) {
        if (at + SEARCH_BYTES > all.length) return at;
        continue;
      }
      this.#stride = stride;
      this.#isInStep = true;
      this.#hasFound = true;
      return at;
    }
    return all.length;
  }
}
