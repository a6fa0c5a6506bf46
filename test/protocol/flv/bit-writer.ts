/** Writes bits, most significant first: for parameter sets that no available encoder makes. */
export class BitWriter {
  readonly #bits: number[] = [];

  bits(value: number, count: number): this {
    for (let shift = count - 1; shift >= 0; shift -= 1) this.#bits.push(Math.floor(value / 2 ** shift) % 2);
    return this;
  }

  /** ue(v) */
  unsigned(value: number): this {
    const length = Math.floor(Math.log2(value + 1));
    return this.bits(0, length).bits(value + 1, length + 1);
  }

  /** se(v) */
  signed(value: number): this {
    return this.unsigned(value > 0 ? 2 * value - 1 : -2 * value);
  }

  bytes(): Buffer {
    const padded = [...this.#bits, 1];
    while (padded.length % 8 !== 0) padded.push(0);
    const bytes = Buffer.alloc(padded.length / 8);
    padded.forEach((bit, index) => {
      bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (bit << (7 - (index & 7)));
    });
    return bytes;
  }
}
