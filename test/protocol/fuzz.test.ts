import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { feedWithinBounds, keptBytes, orHang, warmUp, withoutBufferPool } from "../support/encoders/fuzz-bounds.ts";
import { Mutator } from "../support/encoders/fuzz-mutator.ts";
import { FUZZ_TARGETS, type FuzzTarget } from "../support/targets/fuzz-targets.ts";

const CORPUS = new URL("../corpus/", import.meta.url);
/** Inputs between two checks of the time. */
const BATCH = 5_000;
/** One of so many is repeated up to this length: there, code whose cost grows faster than its input shows. */
const LONG_EVERY = 2_000;
const LONG_INPUT_BYTES = 64 * 1_024;
const WARM_UP = 2_000;
/** All inputs together leave only compiled code behind: measured, less than one of these. */
const KEPT_BYTES_MAX = 12 * 1_024 * 1_024;

/** Inputs for each part; sessions start with a handshake, and cost more. Each run has a seed of its own. */
const SHARES: Readonly<Record<FuzzTarget, number>> = {
  video: 75_000,
  audio: 50_000,
  amf: 50_000,
  chunks: 65_000,
  server: 7_500,
  client: 2_500,
};
/** How often the whole: 4 make a million. */
const TIMES = Number(process.env["FANFARE_FUZZ_TIMES"] ?? 1);

function corpus(): { readonly target: FuzzTarget; readonly input: Buffer }[] {
  const lines = readdirSync(CORPUS).flatMap((name) => readFileSync(new URL(name, CORPUS), "utf8").trim().split("\n"));
  return lines.map((line) => {
    const [name, hex = ""] = line.split(" ");
    const target = FUZZ_TARGETS.find((each) => each === name);
    if (target === undefined) throw new Error(`the corpus names no part of ours: ${line}`);
    return { target, input: Buffer.from(hex, "hex") };
  });
}

test("inputs that once broke a reader break none any more", () => {
  const cases = corpus();
  for (const { target, input } of cases) {
    expect(() => withoutBufferPool(() => orHang(() => feedWithinBounds(target, input)))).not.toThrow();
  }
  expect(cases.length).toBeGreaterThan(0);
});

function repeated(input: Buffer): Buffer {
  return Buffer.alloc(LONG_INPUT_BYTES, input.length === 0 ? 0 : input);
}

test("no input of a quarter of a million, made from real ones and from noise, makes a reader throw, hang, work or keep too much", {
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
      for (let left = TIMES * SHARES[target]; left > 0; left -= BATCH)
        orTell(() => feedMany(target, Math.min(left, BATCH)));
      expect(keptBytes() - before).toBeLessThan(KEPT_BYTES_MAX);
    }
  });
  expect(count).toBe(TIMES * 250_000);
});
