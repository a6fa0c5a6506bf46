import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { feedWithinBounds, keptBytes, orHang, warmUp, withoutBufferPool } from "../support/fuzz-bounds.ts";
import { FUZZ_TARGETS, type FuzzTarget } from "../support/fuzz-targets.ts";
import { seededRandom } from "../support/seeded-random.ts";

const CAPTURES = new URL("../fixtures/captures/", import.meta.url);
const CORPUS = new URL("../corpus/", import.meta.url);
const HANDSHAKE_BYTES = 3_073;
const INPUT_BYTES_MAX = 320;
/** Inputs between two looks at whether it still goes on. */
const BATCH = 5_000;
/** One of so many is repeated up to this length: what grows faster than its input shows there. */
const LONG_EVERY = 2_000;
const LONG_INPUT_BYTES = 64 * 1_024;
const WARM_UP = 2_000;
/** All inputs together leave nothing behind but what the compiler made: measured, less than one of these. */
const KEPT_BYTES_MAX = 8 * 1_024 * 1_024;

/** Inputs for each part, a million in all; sessions greet first, and cost more. */
const SHARES: Readonly<Record<FuzzTarget, number>> = {
  video: 300_000,
  audio: 200_000,
  amf: 200_000,
  chunks: 260_000,
  server: 30_000,
  client: 10_000,
};

/** Whole messages of every kind that the reference lays out, for the mutator to begin with. */
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

function corpus(): { readonly target: FuzzTarget; readonly input: Buffer }[] {
  const lines = readdirSync(CORPUS).flatMap((name) => readFileSync(new URL(name, CORPUS), "utf8").trim().split("\n"));
  return lines.map((line) => {
    const [name, hex = ""] = line.split(" ");
    const target = FUZZ_TARGETS.find((each) => each === name);
    if (target === undefined) throw new Error(`the corpus names no part of ours: ${line}`);
    return { target, input: Buffer.from(hex, "hex") };
  });
}

/** Makes inputs out of what encoders sent, of whole messages, and of nothing. */
class Mutator {
  readonly #random: () => number;
  readonly #streams: readonly Buffer[];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const names = readdirSync(CAPTURES).filter((name) => name.endsWith(".bin"));
    this.#streams = names.map((name) => readFileSync(new URL(name, CAPTURES)).subarray(HANDSHAKE_BYTES));
  }

  next(target: FuzzTarget): Buffer {
    const kind = this.#below(8);
    if (kind === 0) return this.#noise();
    const isStream = target === "chunks" || target === "server" || target === "client";
    const from = isStream ? this.#streams : SAMPLES;
    const source = from[this.#below(from.length)] ?? this.#noise();
    // A stream makes sense from its beginning; now and then one is begun in the middle.
    const start = isStream && kind === 1 ? this.#below(source.length) : 0;
    const input = Buffer.from(source.subarray(start, start + INPUT_BYTES_MAX));
    for (let times = 1 + this.#below(4); times > 0; times -= 1) this.#change(input);
    if (kind === 2) return input.subarray(0, this.#below(input.length + 1));
    return kind === 3 ? Buffer.concat([input, this.#noise()]) : input;
  }

  /** A bit, a byte, a length made huge or nothing, or a piece copied elsewhere. */
  #change(input: Buffer): void {
    if (input.length === 0) return;
    const at = this.#below(input.length);
    switch (this.#below(5)) {
      case 0:
        input[at] = (input[at] ?? 0) ^ (1 << this.#below(8));
        return;
      case 1:
        input[at] = this.#below(256);
        return;
      case 2:
        input.fill(0xff, at, Math.min(input.length, at + 1 + this.#below(4)));
        return;
      case 3:
        input.fill(0, at, Math.min(input.length, at + 1 + this.#below(4)));
        return;
      default:
        input.copyWithin(at, this.#below(input.length), input.length);
    }
  }

  #noise(): Buffer {
    const bytes = Buffer.alloc(this.#below(64));
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = this.#below(256);
    return bytes;
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }
}

test("what once broke a reader breaks none any more", () => {
  const cases = corpus();
  for (const { target, input } of cases) {
    expect(() => withoutBufferPool(() => orHang(() => feedWithinBounds(target, input)))).not.toThrow();
  }
  expect(cases.length).toBeGreaterThan(0);
});

function repeated(input: Buffer): Buffer {
  return Buffer.alloc(LONG_INPUT_BYTES, input.length === 0 ? 0 : input);
}

test("a million inputs, made of real ones and of noise: nothing throws, hangs, works or keeps too much", {
  timeout: 240_000,
  retry: 0,
}, () => {
  const seed = Number(process.env["FANFARE_FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`fuzz: FANFARE_FUZZ_SEED=${seed}`);
  const mutator = new Mutator(seed);
  let count = 0;
  let present: { readonly target: FuzzTarget; readonly input: Buffer } | undefined;
  const nextInput = (target: FuzzTarget): Buffer => {
    const input = mutator.next(target);
    present = { target, input: count % LONG_EVERY === 1 ? repeated(input) : input };
    return present.input;
  };
  const orTell = (run: () => void) => {
    try {
      orHang(run);
    } catch (error) {
      const line = `${present?.target} ${present?.input.toString("hex")}`;
      throw new Error(`seed ${seed}; add to test/corpus: ${line}`, { cause: error });
    }
  };
  const feedMany = (target: FuzzTarget, many: number) => {
    for (let left = many; left > 0; left -= 1) {
      count += 1;
      feedWithinBounds(target, nextInput(target));
    }
  };
  withoutBufferPool(() => {
    orTell(() => warmUp(nextInput, WARM_UP));
    const before = keptBytes();
    for (const target of FUZZ_TARGETS) {
      for (let left = SHARES[target]; left > 0; left -= BATCH) orTell(() => feedMany(target, Math.min(left, BATCH)));
      expect(keptBytes() - before).toBeLessThan(KEPT_BYTES_MAX);
    }
  });
  expect(count).toBe(1_000_000);
});
