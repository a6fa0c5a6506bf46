import { ProtocolError } from "../rtmp/protocol-error.ts";

export type Amf0Limits = {
  /** Objects and arrays inside one another; a value that is neither has depth 0. */
  readonly depthMax: number;
  /** Values of one message in all, whatever they are nested in. */
  readonly valuesMax: number;
  /** Bytes of one string or one property name. */
  readonly stringBytesMax: number;
};

/** Reads bytes one behind the other and keeps the accounts; everything that is not there or too much is "bad-amf". */
export class AmfCursor {
  readonly #bytes: Buffer;
  readonly #limits: Amf0Limits;
  #position: number;
  #valuesRead = 0;

  constructor(bytes: Buffer, limits: Amf0Limits) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#position = 0;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** Call for each value, before its first byte is read: bounds both the result's size and the recursion. */
  startValue(depth: number): void {
    this.#valuesRead += 1;
    if (this.#valuesRead > this.#limits.valuesMax) throw badAmf(`more than ${this.#limits.valuesMax} values`);
    if (depth > this.#limits.depthMax) throw badAmf(`nested deeper than ${this.#limits.depthMax}`);
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#advance(1));
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

  /** UTF-8, read leniently: encoders in the field send GBK and cut characters in half. */
  text(length: number): string {
    if (length > this.#limits.stringBytesMax) throw badAmf(`a string longer than ${this.#limits.stringBytesMax} bytes`);
    const start = this.#advance(length);
    return this.#bytes.toString("utf8", start, start + length);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  /** True, and past it, where the three bytes that end an object come next. */
  skipObjectEnd(): boolean {
    const at = this.#position;
    if (this.#bytes[at] !== 0 || this.#bytes[at + 1] !== 0 || this.#bytes[at + 2] !== 9) return false;
    this.#position += 3;
    return true;
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
