import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { createContext, runInNewContext, Script } from "node:vm";
import { FUZZ_TARGETS, type FuzzTarget, publisher } from "../targets/fuzz-targets.ts";

/** What one input may cost: a fixed part, and a part for each of its bytes. */
type Bound = { readonly base: number; readonly perByte: number };

const KIB = 1_024;
/** First buffer of each unfinished message, of which there may be eight. */
const PARTIAL_BYTES = 8 * KIB;
/** C0 to C2 and S0 to S2 are 6,146 bytes; a signed reply is assembled once more. */
const HANDSHAKE_BYTES = 10 * KIB;

/** Buffer memory that is requested, to the byte; whether it is kept or not. */
const BUFFER_BYTES: Readonly<Record<FuzzTarget, Bound>> = {
  video: { base: KIB, perByte: 4 },
  audio: { base: KIB, perByte: 4 },
  amf: { base: KIB, perByte: 4 },
  chunks: { base: PARTIAL_BYTES, perByte: 4 },
  server: { base: HANDSHAKE_BYTES + PARTIAL_BYTES, perByte: 16 },
  client: { base: HANDSHAKE_BYTES + PARTIAL_BYTES, perByte: 16 },
};
/** Objects of all kinds, also short-lived ones. */
const HEAP_BYTES: Bound = { base: 64 * KIB, perByte: 512 };
/** Measured: far below one millisecond; collections and a busy machine add some hundred. */
const MILLISECONDS: Bound = { base: 500, perByte: 0.005 };
/**
 * The compiler and the collector take their share too, but not each time: an input that costs too much does so again
 * and again.
 */
const TRIES = 3;
/** No call takes this long on any machine: it has hung. */
const HANG_MS = 30_000;

type Cost = { readonly bufferBytes: number; readonly heapBytes: number; readonly milliseconds: number };

function costOf(run: () => void): Cost {
  const startMs = performance.now();
  const before = getHeapStatistics();
  run();
  const after = getHeapStatistics();
  return {
    bufferBytes: after.external_memory - before.external_memory,
    heapBytes: after.used_heap_size - before.used_heap_size,
    milliseconds: performance.now() - startMs,
  };
}

function excess(target: FuzzTarget, bytes: number, cost: Cost): string | undefined {
  const checks = [
    ["bytes of buffers", cost.bufferBytes, BUFFER_BYTES[target]],
    ["bytes of objects", cost.heapBytes, HEAP_BYTES],
    ["milliseconds", cost.milliseconds, MILLISECONDS],
  ] as const;
  for (const [what, found, { base, perByte }] of checks) {
    const max = base + perByte * bytes;
    if (found > max) return `${Math.round(found)} ${what} for ${bytes} bytes of input, more than ${Math.round(max)}`;
  }
  return undefined;
}

/**
 * Gives an input to a part of the product, and throws where that costs too much, each time anew. Errors of the part
 * itself pass through.
 */
export function feedWithinBounds(target: FuzzTarget, input: Buffer): void {
  let found: string | undefined;
  for (let left = TRIES; left > 0; left -= 1) {
    found = excess(
      target,
      input.length,
      costOf(() => publisher(target, input)),
    );
    if (found === undefined) return;
  }
  throw new Error(found);
}

/** Small buffers are cut from large ones, which are charged to the next caller: not while this runs. */
export function withoutBufferPool(run: () => void): void {
  const { poolSize } = Buffer;
  Buffer.poolSize = 0;
  try {
    run();
  } finally {
    Buffer.poolSize = poolSize;
  }
}

/** Runs something synchronous, and breaks it off where it hangs. */
export function orHang(run: () => void): void {
  new Script("run()").runInContext(createContext({ run }), { timeout: HANG_MS });
}

/**
 * The memory that is left after collections, in bytes. After one of them, up to 30 MiB of buffers that nothing holds
 * are still counted; the next one starts with freeing them.
 */
export function keptBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  collect();
  collect();
  const { used_heap_size: objects, external_memory: buffers } = getHeapStatistics();
  return objects + buffers;
}

/** Compiles what is measured: the first inputs cost more than all later ones. */
export function warmUp(inputOf: (target: FuzzTarget) => Buffer, times: number): void {
  for (const target of FUZZ_TARGETS) for (let left = times; left > 0; left -= 1) publisher(target, inputOf(target));
}
