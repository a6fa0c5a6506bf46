import { readdirSync, readFileSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";

/**
 * Connections to targets leave at least and at most this many descriptors to everything else: encoders, the API, name
 * look-ups.
 */
const KEPT_MIN = 12;
const KEPT_MAX = 128;
/** … and this share of them in between. */
const KEPT_SHARE = 1 / 8;
/** A count stays valid for this long, in milliseconds; descriptors opened since then are added. */
const COUNT_LASTS_MS = 500;
/** With a limit this high no counting is needed. */
const PLENTY = 65_536;

export type DescriptorSource = {
  /** How many descriptors this process may have open; undefined where that is not known. */
  readonly limit: number | undefined;
  /** How many it has open; undefined where that is not known. */
  readonly count: () => number | undefined;
};

/**
 * Decides whether there is a descriptor for one more connection to a target. The last ones are kept: a server whose
 * targets have taken them all could not serve the API, so no user could remove a target.
 */
export class Descriptors {
  readonly #clock: Clock;
  readonly #source: DescriptorSource;
  #countedAtMs: number | undefined;
  #taken = 0;

  constructor(clock: Clock, source: DescriptorSource = processDescriptors()) {
    this.#clock = clock;
    this.#source = source;
  }

  /** Counts as one more where it returns true. */
  take(): boolean {
    const { limit, count } = this.#source;
    if (limit === undefined || limit >= PLENTY) return true;
    const nowMs = this.#clock.now();
    if (this.#countedAtMs === undefined || nowMs - this.#countedAtMs >= COUNT_LASTS_MS) {
      const counted = count();
      // There is no descriptor left even for counting.
      if (counted === undefined) return false;
      this.#taken = counted;
      this.#countedAtMs = nowMs;
    }
    if (this.#taken + kept(limit) >= limit) return false;
    this.#taken += 1;
    return true;
  }
}

function kept(limit: number): number {
  return Math.min(KEPT_MAX, Math.max(KEPT_MIN, Math.floor(limit * KEPT_SHARE)));
}

/** How many descriptors a process may have open, by default this one; undefined where the system does not say. */
export function descriptorLimit(pid: number | "self" = "self"): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)\s/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8")) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** How many it has open; undefined where the system does not say. */
export function openDescriptors(pid: number | "self" = "self"): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

function processDescriptors(): DescriptorSource {
  return { limit: descriptorLimit(), count: () => openDescriptors() };
}
