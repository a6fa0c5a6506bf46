import { ProtocolError } from "../protocol-error.ts";

export type Amf0Limits = {
  /** Objects and arrays inside one another; a plain value has depth 0. */
  readonly depthMax: number;
  /** All values of one message, at any depth. */
  readonly valuesMax: number;
  /** Bytes of one string or one property name. */
  readonly stringBytesMax: number;
};

/** Values of one message that are skipped: each is cheap, but a message may hold a million. */
const SKIPPED_MAX = 131_072;

/** Reads bytes in order and counts against the limits. Anything missing or beyond a limit is "bad-amf". */
export class AmfCursor {
  readonly #bytes: Buffer;
  readonly #limits: Amf0Limits;
  #position: number;
  #valuesRead = 0;
  #valuesSkipped = 0;
  #isBeyondLimits = false;

  constructor(bytes: Buffer, limits: Amf0Limits) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#position = 0;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** The message exceeds a limit; what was read before is valid. */
  get isBeyondLimits(): boolean {
    return this.#isBeyondLimits;
  }

  /** Call before the first byte of each value: bounds the result's size and the recursion. */
  startValue(depth: number): void {
    this.#valuesRead += 1;
    if (this.#valuesRead > this.#limits.valuesMax) throw this.#tooMuch(`more than ${this.#limits.valuesMax} values`);
    if (depth > this.#limits.depthMax) throw this.#tooMuch(`nested deeper than ${this.#limits.depthMax}`);
  }

  /** The same for a skipped value. */
  startSkipped(depth: number): void {
    this.#valuesSkipped += 1;
    if (this.#valuesSkipped > SKIPPED_MAX) throw this.#tooMuch(`more than ${SKIPPED_MAX} unused values`);
    if (depth > this.#limits.depthMax) throw this.#tooMuch(`nested deeper than ${this.#limits.depthMax}`);
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  /** The next byte, without reading it; undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#position];
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#advance(2));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#advance(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  double(): number {
    return this.#bytes.readDoubleBE(this.#advance(8));
  }

  /** UTF-8, read leniently: real encoders send GBK and cut characters in half. */
  text(length: number): string {
    const { stringBytesMax } = this.#limits;
    if (length > stringBytesMax) throw this.#tooMuch(`a string longer than ${stringBytesMax} bytes`);
    const start = this.#advance(length);
    return this.#bytes.toString("utf8", start, start + length);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  /**
   * Skips the three bytes that end an object, if they come next. Some encoders leave out all or the last of them at the
   * end of a message.
   */
  skipObjectEnd(): boolean {
    const [bytes, at, left] = [this.#bytes, this.#position, this.remaining];
    if (left > 0 && bytes[at] !== 0) return false;
    if (left > 1 && bytes[at + 1] !== 0) return false;
    if (left > 2 && bytes[at + 2] !== 9) return false;
    this.#position += Math.min(3, left);
    return true;
  }

  #tooMuch(detail: string): ProtocolError {
    this.#isBeyondLimits = true;
    return badAmf(detail);
  }

  #advance(length: number): number {
    const start = this.#position;
    if (length > this.#bytes.length - start) throw badAmf("cut short");
    this.#position = start + length;
    return start;
  }
}

export function badAmf(detail: string): ProtocolError {
  return new ProtocolError("bad-amf", detail);
}
