/** Start code, stream id, length. */
const HEAD_BYTES = 6;
/** The same with flags and the length of the optional fields. */
const FIXED_BYTES = 9;
const TIME_BYTES = 5;
const START_BYTES = 16 * 1_024;
/** Stream ids whose packets have no optional header (ISO/IEC 13818-1, 2.4.3.7). */
const WITHOUT_HEADER: ReadonlySet<number> = new Set([0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff]);

/** A packet of an elementary stream. Its data is `bytes[from…end)`, lent until the call returns. */
export type Pes = {
  readonly bytes: Buffer;
  readonly from: number;
  readonly end: number;
  /** 90 kHz, 33 bits; absent where the packet has none. `dts` is absent where it equals `pts`. */
  readonly pts?: number;
  readonly dts?: number;
};

export type OnPes = (pes: Pes) => void;

/**
 * Assembles the PES packets of one PID. A packet with a length is complete with its last byte; one without (video may
 * have none) when the next one begins. Keeps at most `bytesMax`.
 */
export class PesAssembler {
  readonly #bytesMax: number;
  readonly #onPes: OnPes;
  #bytes = Buffer.alloc(0);
  #length = 0;
  /** Total bytes; 0 while unknown. */
  #total = 0;
  #isAssembling = false;
  /** Where the last part lies in `#bytes`, to recognise a packet that was sent twice. */
  #lastAt = 0;
  #dropped = 0;

  constructor(bytesMax: number, onPes: OnPes) {
    this.#bytesMax = bytesMax;
    this.#onPes = onPes;
  }

  /** PES packets that were not whole, or too long, or unreadable. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes the payload of a packet, at `packet[from…end)`. `isStart`: a PES packet begins in it. */
  take(packet: Buffer, from: number, end: number, isStart: boolean): void {
    if (isStart) this.#start();
    if (!this.#isAssembling) return;
    if (this.#length + end - from > this.#bytesMax) return this.abandon();
    this.#lastAt = this.#length;
    this.#append(packet, from, end);
    if (this.#total === 0 && this.#length >= HEAD_BYTES) {
      const length = this.#bytes.readUInt16BE(4);
      if (this.#bytes.readUIntBE(0, 3) !== 1) return this.abandon();
      this.#total = length === 0 ? Number.POSITIVE_INFINITY : HEAD_BYTES + length;
    }
    if (this.#total > 0 && this.#length >= this.#total) this.#finish(this.#total);
  }

  /** Whether this is the payload that was taken last. */
  isRepeat(packet: Buffer, from: number, end: number): boolean {
    const lastEnd = this.#lastAt + end - from;
    return lastEnd === this.#length && packet.compare(this.#bytes, this.#lastAt, lastEnd, from, end) === 0;
  }

  /** Packets were lost: what is being assembled is not whole. */
  abandon(): void {
    if (this.#isAssembling) this.#dropped += 1;
    this.#isAssembling = false;
    this.#length = 0;
    this.#lastAt = 0;
  }

  /** The stream ends: a packet without a length is complete. */
  end(): void {
    if (this.#isAssembling && this.#total === Number.POSITIVE_INFINITY) this.#finish(this.#length);
    this.abandon();
  }

  #start(): void {
    if (this.#isAssembling) {
      if (this.#total === Number.POSITIVE_INFINITY) this.#finish(this.#length);
      else this.#dropped += 1;
    }
    this.#isAssembling = true;
    this.#length = 0;
    this.#total = 0;
  }

  #append(packet: Buffer, from: number, end: number): void {
    const length = this.#length + end - from;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.min(Math.max(START_BYTES, this.#bytes.length * 2, length), this.#bytesMax),
      );
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    packet.copy(this.#bytes, this.#length, from, end);
    this.#length = length;
  }

  /** `#length` stays: `isRepeat` reads it. */
  #finish(total: number): void {
    this.#isAssembling = false;
    const pes = readPes(this.#bytes, total);
    if (pes === undefined) this.#dropped += 1;
    else this.#onPes(pes);
  }
}

/** Reads the header; undefined where it is not one, or where the data is scrambled or missing. */
function readPes(bytes: Buffer, end: number): Pes | undefined {
  if (end < HEAD_BYTES || WITHOUT_HEADER.has(bytes[3] ?? 0) || end < FIXED_BYTES) return undefined;
  const flags = bytes.readUInt8(6);
  if (flags >> 6 !== 2 || (flags & 0x30) !== 0) return undefined;
  const from = FIXED_BYTES + bytes.readUInt8(8);
  if (from >= end) return undefined;
  const times = bytes.readUInt8(7) >> 6;
  if (times < 2 || from < FIXED_BYTES + TIME_BYTES) return { bytes, from, end };
  const pts = readTime(bytes, FIXED_BYTES);
  if (times === 2 || from < FIXED_BYTES + 2 * TIME_BYTES) return { bytes, from, end, pts };
  return { bytes, from, end, pts, dts: readTime(bytes, FIXED_BYTES + TIME_BYTES) };
}

/** Thirty-three bits between marker bits. */
function readTime(bytes: Buffer, at: number): number {
  const high = (bytes.readUInt8(at) >> 1) & 7;
  return high * 2 ** 30 + (bytes.readUInt16BE(at + 1) >> 1) * 2 ** 15 + (bytes.readUInt16BE(at + 3) >> 1);
}
