import { readdirSync, readFileSync } from "node:fs";
import { seededRandom } from "../stages/seeded-random.ts";
import type { FuzzTarget } from "../targets/fuzz-targets.ts";

const CAPTURES = new URL("../../fixtures/captures/", import.meta.url);
const HANDSHAKE_BYTES = 3_073;
const INPUT_BYTES_MAX = 320;

/** Whole messages of every kind that the reference lays out, for the mutator to start with. */
const SAMPLES = [
  "17000000000142c01e",
  "1701000028000000026588",
  "9068766331010203",
  "9168766331ffffff000000022601",
  "9361763031000000021200",
  "946876633102000963",
  "970200ffff1161766331000000000000026588",
  "960161766331010000280000000265880000",
  "96116176633100000009000000000000026588010000090000280000000265890000",
  "962161766331000000090000000000000265886876633101000009000028000000022601",
  "1c000000000101",
  "af001190",
  "af012149",
  "904f707573",
  "95116d7034610000000221490100000221500000",
  "02000d40736574446174614672616d6502000a6f6e4d65746144617461080000000200057769647468004084000000000000000009",
  "020007636f6e6e656374003ff0000000000000030003617070020005726c617900000009",
].map((text) => Buffer.from(text, "hex"));

/** Makes inputs from what encoders sent, from whole messages, and from nothing. */
export class Mutator {
  readonly #random: () => number;
  readonly #streams: readonly Buffer[];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const names = readdirSync(CAPTURES).filter((name) => name.endsWith(".bin"));
    this.#streams = names.map((name) => readFileSync(new URL(name, CAPTURES)).subarray(HANDSHAKE_BYTES));
  }

  next(target: FuzzTarget): Buffer {
    const kind = this.below(8);
    if (kind === 0) return this.#noise();
    const isStream = target === "chunks" || target === "server" || target === "client";
    const from = isStream ? this.#streams : SAMPLES;
    const publisher = from[this.below(from.length)] ?? this.#noise();
    // A stream makes sense from its beginning; now and then one starts in the middle.
    const start = isStream && kind === 1 ? this.below(publisher.length) : 0;
    const input = Buffer.from(publisher.subarray(start, start + INPUT_BYTES_MAX));
    for (let times = 1 + this.below(4); times > 0; times -= 1) this.change(input);
    if (kind === 2) return input.subarray(0, this.below(input.length + 1));
    return kind === 3 ? Buffer.concat([input, this.#noise()]) : input;
  }

  /** A bit, a byte, a length made huge or nothing, or a piece copied elsewhere. */
  change(input: Buffer): void {
    if (input.length === 0) return;
    const at = this.below(input.length);
    switch (this.below(5)) {
      case 0:
        input[at] = (input[at] ?? 0) ^ (1 << this.below(8));
        return;
      case 1:
        input[at] = this.below(256);
        return;
      case 2:
        input.fill(0xff, at, Math.min(input.length, at + 1 + this.below(4)));
        return;
      case 3:
        input.fill(0, at, Math.min(input.length, at + 1 + this.below(4)));
        return;
      default:
        input.copyWithin(at, this.below(input.length), input.length);
    }
  }

  #noise(): Buffer {
    const bytes = Buffer.alloc(this.below(64));
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = this.below(256);
    return bytes;
  }

  /** A whole number from 0 up to this one. */
  below(count: number): number {
    return Math.floor(this.#random() * count);
  }
}
