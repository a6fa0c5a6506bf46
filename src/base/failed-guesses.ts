import { NETWORK_WIDTHS, type NetworkWidth, networksOf } from "./networks.ts";

const MINUTE_MS = 60_000;
/** Networks of each width that are remembered; one more replaces the one that failed least recently. */
const REMEMBERED_MAX = 10_000;

/**
 * Failures within a minute: of one machine, of the networks around it, and, where that is limited, of all clients
 * together.
 */
export type GuessLimits = Readonly<Record<NetworkWidth, number>> & { readonly all?: number };

type Minute = { readonly count: number; readonly fromMs: number };

/** The limits that follow from one machine's limit: a network may have several people who mistype. */
export function limitsFrom(own: number, all?: number): GuessLimits {
  return { own, near: own * 4, wide: own * 16, ...(all === undefined ? {} : { all }) };
}

/** The limits that count for an address, by the names of its networks; the empty name is everybody's. */
export function limitsOf(address: string, limits: GuessLimits): ReadonlyMap<string, number> {
  const networks = networksOf(address);
  const named = new Map<string, number>(limits.all === undefined ? [] : [["", limits.all]]);
  for (const width of NETWORK_WIDTHS) {
    const network = networks[width];
    if (network !== undefined) named.set(`${width} ${network}`, limits[width]);
  }
  return named;
}

/**
 * Counts failures by address and by the networks around it, so that the owner of a network does not have a new address
 * for each guess. Every count starts again a minute after its first failure.
 */
export class FailedGuesses {
  readonly #limits: GuessLimits;
  readonly #failures = {
    own: new Map<string, Minute>(),
    near: new Map<string, Minute>(),
    wide: new Map<string, Minute>(),
  } as const;
  #all: Minute | undefined;

  constructor(limits: GuessLimits) {
    this.#limits = limits;
  }

  /** How long this address has to wait before it may guess again, in milliseconds; 0: not at all. */
  waitMs(address: string, nowMs: number): number {
    const { all } = this.#limits;
    let waitMs = all === undefined ? 0 : remaining(current(this.#all, nowMs), all, nowMs);
    const networks = networksOf(address);
    for (const width of NETWORK_WIDTHS) {
      const network = networks[width];
      if (network === undefined) continue;
      const minute = current(this.#failures[width].get(network), nowMs);
      waitMs = Math.max(waitMs, remaining(minute, this.#limits[width], nowMs));
    }
    return waitMs;
  }

  failed(address: string, nowMs: number): void {
    this.#all = oneMore(current(this.#all, nowMs));
    const networks = networksOf(address);
    for (const width of NETWORK_WIDTHS) {
      const network = networks[width];
      if (network === undefined) continue;
      const failures = this.#failures[width];
      const minute = oneMore(current(failures.get(network), nowMs));
      failures.delete(network);
      failures.set(network, minute);
      const [oldest] = failures.keys();
      if (failures.size > REMEMBERED_MAX && oldest !== undefined) failures.delete(oldest);
    }
  }
}

function current(minute: Minute | undefined, nowMs: number): Minute {
  return minute === undefined || nowMs - minute.fromMs >= MINUTE_MS ? { count: 0, fromMs: nowMs } : minute;
}

function oneMore({ count, fromMs }: Minute): Minute {
  return { count: count + 1, fromMs };
}

function remaining({ count, fromMs }: Minute, limit: number, nowMs: number): number {
  return count < limit ? 0 : Math.max(1, fromMs + MINUTE_MS - nowMs);
}
