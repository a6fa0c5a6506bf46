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

/** A packet of a transport stream holds so much of a PES packet, but for the last. */
const PART_BYTES_MAX = 184;

/** When its data is to be decoded and shown; see `Pes`. */
type Times = { readonly pts?: number; readonly dts?: number };

/** `joins`: a frame may go on in the next PES packets, which have its times again, or none. */
export type PesOptions = { readonly bytesMax: number; readonly joins: boolean };

/**
 * Assembles the PES packets of one PID. A packet with a length is complete with its last byte; one without (video may
 * have none) when the next one begins. Keeps at most `bytesMax`.
 *
 * With `joins`, packets of one frame become one: an encoder may send a frame that is too long for the field of 16 bits in
 * several, or a packet for each slice. So a packet that is longer than any before waits for the next one's header, which
 * tells. Where lengths turned out to be none of frames, or wrong, every packet waits.
 */
export class PesAssembler {
  readonly #bytesMax: number;
  readonly #joins: boolean;
  readonly #onPes: OnPes;
  #bytes = Buffer.alloc(0);
  #length = 0;
  /** Total bytes; 0 while unknown. */
  #total = 0;
  #isAssembling = false;
  /** All of `#total` came. It waits for what comes next. */
  #isWaiting = false;
  /** The last packet was complete, and nothing was lost since. */
  #isJustOver = false;
  /** The longest packet that was a whole frame. A packet up to this length does not wait. */
  #wholeBytes = 0;
  #trustsLengths = true;
  /** Of the last packet that began. */
  #times: Times | undefined;
  /** Something was lost: what goes on with the last frame is of no use. */
  #isBroken = false;
  /** Where the last part lies in `#bytes`, to recognise a packet that was sent twice. */
  #lastAt = 0;
  #dropped = 0;

  constructor({ bytesMax, joins }: PesOptions, onPes: OnPes) {
    this.#bytesMax = bytesMax;
    this.#joins = joins;
    this.#onPes = onPes;
  }

  /** PES packets that were not whole, or too long, or unreadable. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes the payload of a packet, at `packet[from…end)`. `isStart`: a PES packet begins in it. */
  take(packet: Buffer, from: number, end: number, isStart: boolean): void {
    const dataFrom = isStart ? this.#begin(packet, from, end) : from;
    if (!this.#isAssembling) {
      // It is longer than it said: a length of more than 16 bits was cut to them.
      if (this.#isJustOver) this.#trustsLengths = false;
      return;
    }
    if (this.#length + end - dataFrom > this.#bytesMax) return this.abandon();
    if (this.#isWaiting && !isStart) this.#goOn();
    this.#lastAt = this.#length;
    this.#append(packet, dataFrom, end);
    if (this.#total === 0 && this.#length >= HEAD_BYTES) {
      const length = this.#bytes.readUInt16BE(4);
      if (this.#bytes.readUIntBE(0, 3) !== 1) return this.abandon();
      this.#total = length === 0 ? Number.POSITIVE_INFINITY : HEAD_BYTES + length;
    }
    if (this.#total === 0 || this.#length < this.#total) return;
    if (this.#joins && !(this.#trustsLengths && this.#total <= this.#wholeBytes)) this.#isWaiting = true;
    else this.#finish(this.#total);
  }

  /** Whether this is the payload that was taken last. */
  isRepeat(packet: Buffer, from: number, end: number): boolean {
    const lastEnd = this.#lastAt + end - from;
    return lastEnd === this.#length && packet.compare(this.#bytes, this.#lastAt, lastEnd, from, end) === 0;
  }

  /** Packets were lost: what is being assembled is not whole, unless it only waits and lengths can be relied on. */
  abandon(): void {
    if (this.#isWaiting && this.#trustsLengths) this.#finish(this.#total);
    if (this.#isAssembling) this.#dropped += 1;
    this.#isBroken = true;
    this.#stop();
    this.#length = 0;
    this.#lastAt = 0;
  }

  /** The stream ends: a packet that only waits, or has no length, is complete. */
  end(): void {
    const dataEnd = this.#dataEnd;
    if (dataEnd !== undefined) this.#finish(dataEnd);
    this.abandon();
  }

  /** Where the present packet's data ends, if all of it came; undefined if not. */
  get #dataEnd(): number | undefined {
    if (this.#isWaiting) return this.#total;
    return this.#isAssembling && this.#total === Number.POSITIVE_INFINITY ? this.#length : undefined;
  }

  /** The same where the next packet begins. */
  get #dataEndBeforeNext(): number | undefined {
    // Losses are of whole packets: where less is missing, the sender has counted wrongly.
    const isMiscounted = this.#isAssembling && this.#total > 0 && this.#total - this.#length < PART_BYTES_MAX;
    return this.#dataEnd ?? (isMiscounted ? this.#length : undefined);
  }

  /** A PES packet begins. Returns from where its bytes are to be appended. */
  #begin(packet: Buffer, from: number, end: number): number {
    const header = this.#joins ? readHeader(packet, from, end) : undefined;
    const goesOn = header !== undefined && isSameTime(header, this.#times);
    const dataEnd = this.#dataEndBeforeNext;
    if (goesOn && dataEnd !== undefined) {
      this.#length = dataEnd;
      this.#goOn();
      return header.from;
    }
    if (dataEnd !== undefined) {
      if (this.#isWaiting) this.#wholeBytes = Math.max(this.#wholeBytes, this.#total);
      this.#finish(dataEnd);
    } else if (this.#isAssembling) this.abandon();
    if (goesOn) this.#trustsLengths = false;
    this.#stop();
    if (goesOn && this.#isBroken) return from;
    this.#isBroken = false;
    this.#isAssembling = true;
    this.#times = header;
    this.#length = 0;
    this.#total = 0;
    return from;
  }

  /** The present packet is complete when one with other times begins. */
  #goOn(): void {
    this.#trustsLengths = false;
    this.#isWaiting = false;
    this.#total = Number.POSITIVE_INFINITY;
  }

  #stop(): void {
    this.#isAssembling = false;
    this.#isWaiting = false;
    this.#isJustOver = false;
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
    this.#stop();
    this.#isJustOver = true;
    const pes = readPes(this.#bytes, total);
    if (pes === undefined) this.#dropped += 1;
    else this.#onPes(pes);
  }
}

/** A packet without times goes on with the last one. */
function isSameTime({ pts, dts }: Times, last: Times | undefined): boolean {
  return pts === undefined || (pts === last?.pts && dts === last.dts);
}

/** Reads a packet; undefined where its header is not one, or where the data is scrambled or missing. */
function readPes(bytes: Buffer, end: number): Pes | undefined {
  const header = readHeader(bytes, 0, end);
  return header === undefined || header.from >= end ? undefined : { bytes, end, ...header };
}

/** Reads a header at `bytes[at…end)`; `from`: where the data begins. */
function readHeader(bytes: Buffer, at: number, end: number): (Times & { readonly from: number }) | undefined {
  if (end - at < FIXED_BYTES || bytes.readUIntBE(at, 3) !== 1 || WITHOUT_HEADER.has(bytes[at + 3] ?? 0))
    return undefined;
  const flags = bytes.readUInt8(at + 6);
  if (flags >> 6 !== 2 || (flags & 0x30) !== 0) return undefined;
  const from = at + FIXED_BYTES + bytes.readUInt8(at + 8);
  if (from > end) return undefined;
  const times = bytes.readUInt8(at + 7) >> 6;
  const timesFrom = at + FIXED_BYTES;
  if (times < 2 || from < timesFrom + TIME_BYTES) return { from };
  const pts = readTime(bytes, timesFrom);
  if (times === 2 || from < timesFrom + 2 * TIME_BYTES) return { from, pts };
  return { from, pts, dts: readTime(bytes, timesFrom + TIME_BYTES) };
}

/** Thirty-three bits between marker bits. */
function readTime(bytes: Buffer, at: number): number {
  const high = (bytes.readUInt8(at) >> 1) & 7;
  return high * 2 ** 30 + (bytes.readUInt16BE(at + 1) >> 1) * 2 ** 15 + (bytes.readUInt16BE(at + 3) >> 1);
}
