import { keptBytes } from "../../support/encoders/fuzz-bounds.ts";
import type { Mutator } from "../../support/encoders/fuzz-mutator.ts";

// What the runs against the SRT listener and against the SRT caller share.

export const STEP_MS = 10;
/** Hostile packets in each step. */
const PACKETS_PER_STEP = 20;
const KEPT_PACKETS = 64;
/** The packets of one step may take so much processor time at most. */
const STEP_CPU_MS_MAX = 100;
/** So many looks at the memory show whether it grows. */
const LOOKS_MIN = 10;

/** What both runs report. */
export type SrtFuzzCosts = {
  readonly packets: number;
  /** The most processor time that the packets of one step took. */
  readonly stepCpuMs: number;
  /** The most memory that was kept, beyond that before the first packet. */
  readonly keptBytes: number;
};

/** Runs it, and names the seed and the packet's number where it throws. */
export async function withSeed<Result>(
  seed: number,
  run: { readonly packets: number; go(): Result | Promise<Result> },
): Promise<Result> {
  try {
    return await run.go();
  } catch (error) {
    throw new Error(`seed ${seed}, packet ${run.packets}: ${String(error)}`, { cause: error });
  }
}

/** The last packets that were seen: what hostile ones are made of. */
export class KeptPackets<Item> {
  readonly #items: Item[] = [];

  keep(item: Item): void {
    this.#items.push(item);
    if (this.#items.length > KEPT_PACKETS) this.#items.shift();
  }

  pick(mutator: Mutator): Item | undefined {
    return this.#items[mutator.below(this.#items.length)];
  }
}

/** The packet as it was, cut, or with a few changes. */
export function damaged(mutator: Mutator, original: Buffer): Buffer {
  const packet = Buffer.from(original);
  const kind = mutator.below(4);
  if (kind === 0) return packet;
  if (kind === 1) return packet.subarray(0, mutator.below(packet.length + 1));
  for (let changes = 1 + mutator.below(4); changes > 0; changes -= 1) mutator.change(packet);
  return packet;
}

/** Measures what the product pays for hostile packets. */
export class Costs {
  readonly #memoryMax: number;
  readonly #before = keptBytes();
  readonly #looks: number[] = [];
  #stepCpuMs = 0;

  /** `memoryMax`: bytes that may be kept. */
  constructor(memoryMax: number) {
    this.#memoryMax = memoryMax;
  }

  /** Sends the packets of one step. */
  step(attack: () => void): void {
    const cpu = process.threadCpuUsage();
    for (let left = PACKETS_PER_STEP; left > 0; left -= 1) attack();
    const { user, system } = process.threadCpuUsage(cpu);
    this.#stepCpuMs = Math.max(this.#stepCpuMs, (user + system) / 1_000);
  }

  /** Collects garbage, and notes what is left. */
  look(): void {
    this.#looks.push(keptBytes() - this.#before);
  }

  /**
   * Throws where a step took too long, or too much was kept. Memory goes up and down with what the connections keep: it
   * has grown where all of the second half is above the first.
   */
  result(packets: number): SrtFuzzCosts {
    this.look();
    const most = Math.max(...this.#looks);
    if (most > this.#memoryMax) throw new Error(`${most} bytes were kept`);
    const half = Math.floor(this.#looks.length / 2);
    const hasGrown = Math.min(...this.#looks.slice(half)) > Math.max(...this.#looks.slice(0, half));
    if (this.#looks.length >= LOOKS_MIN && hasGrown) throw new Error(`memory grows: ${this.#looks}`);
    if (this.#stepCpuMs > STEP_CPU_MS_MAX) throw new Error(`${PACKETS_PER_STEP} packets took ${this.#stepCpuMs} ms`);
    return { packets, stepCpuMs: this.#stepCpuMs, keptBytes: most };
  }
}
