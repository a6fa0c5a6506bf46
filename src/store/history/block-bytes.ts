import { deflateRawSync, inflateRawSync } from "node:zlib";
import { type HistoryBlock, RATE_UNIT, type TargetSeries } from "../../control/history/history.ts";

/** The version of the format. */
const FORM = 1;
/** A block with more values is not one of ours. */
const BYTES_MAX = 4 * 1024 * 1024;

type Values = Omit<HistoryBlock, "channelId" | "step">;

/** Writes numbers as differences, small ones in one byte: values that hardly change take little space. */
class Writer {
  readonly #bytes: number[] = [];

  /** Writes a whole number, which may be negative. */
  number(value: number): void {
    let rest = value < 0 ? -value * 2 - 1 : value * 2;
    while (rest >= 0x80) {
      this.#bytes.push((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes.push(rest);
  }

  /** Writes numbers that are multiples of `unit`. */
  series(values: readonly number[], unit = 1): void {
    let before = 0;
    for (const value of values) {
      const units = Math.round(value / unit);
      this.number(units - before);
      before = units;
    }
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(): number {
    let [value, unit] = [0, 1];
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new Error("a history block ends early");
      this.#at += 1;
      value += (byte & 0x7f) * unit;
      unit *= 0x80;
      if (byte < 0x80) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  series(count: number, unit = 1): number[] {
    let before = 0;
    return Array.from({ length: count }, () => {
      before += this.number();
      return before * unit;
    });
  }
}

/** Returns a block as stored. */
export function blockBytes({ times, ingestRates, targets }: Values): Buffer {
  const writer = new Writer();
  for (const number of [FORM, times.length, targets.length]) writer.number(number);
  writer.series(times);
  writer.series(ingestRates, RATE_UNIT);
  for (const { targetId, rates, queueMs, drops, retries } of targets) {
    writer.number(targetId);
    writer.series(rates, RATE_UNIT);
    for (const series of [queueMs, drops, retries]) writer.series(series);
  }
  return deflateRawSync(writer.bytes);
}

/** Returns the block in these bytes. Throws where they do not hold one. */
export function readBlockBytes(bytes: Uint8Array): Values {
  const reader = new Reader(inflateRawSync(bytes, { maxOutputLength: BYTES_MAX }));
  if (reader.number() !== FORM) throw new Error("a history block in another format");
  const count = reader.number();
  const targetCount = reader.number();
  const times = reader.series(count);
  const ingestRates = reader.series(count, RATE_UNIT);
  const targets: TargetSeries[] = [];
  for (let index = 0; index < targetCount; index += 1) {
    const targetId = reader.number();
    const [rates, queueMs] = [reader.series(count, RATE_UNIT), reader.series(count)];
    targets.push({ targetId, rates, queueMs, drops: reader.series(count), retries: reader.series(count) });
  }
  return { times, ingestRates, targets };
}
