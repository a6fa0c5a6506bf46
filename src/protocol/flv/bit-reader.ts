/** An Exp-Golomb code with more leading zeros would not fit 32 bits: H.264 has none. */
const EXP_GOLOMB_ZEROS_MAX = 31;

/**
 * Reads bits, most significant first. After the end it reads zeros and sets `isExhausted`: callers check that once,
 * when they are done.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  #isExhausted = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** True once something was read that is not there, or that no encoder writes. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  get bitsLeft(): number {
    return this.#bytes.length * 8 - this.#position;
  }

  bit(): number {
    if (this.bitsLeft <= 0) {
      this.#isExhausted = true;
      return 0;
    }
    const byte = this.#bytes[this.#position >> 3] ?? 0;
    const bit = (byte >> (7 - (this.#position & 7))) & 1;
    this.#position += 1;
    return bit;
  }

  flag(): boolean {
    return this.bit() === 1;
  }

  /** Unsigned, of at most 32 bits. */
  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index += 1) value = value * 2 + this.bit();
    return value;
  }

  /** Unsigned Exp-Golomb, ue(v) of H.264 9.1. */
  unsigned(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros += 1;
      if (zeros > EXP_GOLOMB_ZEROS_MAX || this.#isExhausted) {
        this.#isExhausted = true;
        return 0;
      }
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** Signed Exp-Golomb, se(v) of H.264 9.1.1. */
  signed(): number {
    const code = this.unsigned();
    return code % 2 === 1 ? (code + 1) / 2 : 0 - code / 2;
  }
}
