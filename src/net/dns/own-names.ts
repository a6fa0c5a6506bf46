import { isIP } from "node:net";
import type { Clock } from "../../base/clock.ts";
import { startDeadline } from "../../base/deadline.ts";
import type { AddressPolicy } from "../address-check.ts";
import { ResolveError, type Resolver } from "./resolver.ts";

/** How long a result is valid, an empty one too, in milliseconds. */
const GOOD_FOR_MS = 30_000;
/**
 * A dial waits for it no longer than this, in milliseconds: a silent name server must not hold up targets that do not
 * need it.
 */
const WAIT_MS = 1_000;

/**
 * The addresses to which our own public names lead. Behind NAT none of them is this machine's, and a target may have
 * another name or the address itself: only these addresses show that its stream would come back in. Looked up at most
 * twice a minute.
 */
class OwnNames {
  readonly #names: readonly string[];
  readonly #resolver: Resolver;
  readonly #clock: Clock;
  #asked: { readonly atMs: number; readonly addresses: Promise<readonly string[]> } | undefined;
  /** The last known addresses: a name server that fails for a while opens no loophole. */
  #known: readonly string[] = [];

  /** `hosts`: as in `AddressPolicy.ownHosts`; those that are addresses need no look-up. */
  constructor(hosts: readonly string[], resolver: Resolver, clock: Clock) {
    this.#names = hosts.filter((host) => isIP(host) === 0);
    this.#resolver = resolver;
    this.#clock = clock;
  }

  addresses(): Promise<readonly string[]> {
    if (this.#names.length === 0) return Promise.resolve([]);
    const nowMs = this.#clock.now();
    if (this.#asked === undefined || nowMs - this.#asked.atMs >= GOOD_FOR_MS) {
      this.#asked = { atMs: nowMs, addresses: this.#ask() };
    }
    return this.#inTime(this.#asked.addresses);
  }

  async #inTime(asked: Promise<readonly string[]>): Promise<readonly string[]> {
    const late = Promise.withResolvers<readonly string[]>();
    const timer = startDeadline(this.#clock, WAIT_MS, () => late.resolve(this.#known));
    try {
      return await Promise.race([asked, late.promise]);
    } finally {
      timer.cancel();
    }
  }

  async #ask(): Promise<readonly string[]> {
    const answers = await Promise.all(this.#names.map((name) => this.#askFor(name)));
    const found = answers.flatMap((answer) => answer ?? []);
    this.#known = answers.includes(undefined) ? [...new Set([...this.#known, ...found])] : found;
    return this.#known;
  }

  /**
   * Undefined where no server replied. All attempts share the look-up, so the end of one attempt does not end it; it
   * has a deadline of its own.
   */
  async #askFor(name: string): Promise<readonly string[] | undefined> {
    try {
      return await this.#resolver.resolve(name, new AbortController().signal);
    } catch (error) {
      if (error instanceof ResolveError) return undefined;
      throw error;
    }
  }
}

/** The policy, with the addresses of our own names as this resolver knows them. For code that connects with both. */
export function withOwnNames(policy: AddressPolicy, resolver: Resolver, clock: Clock): AddressPolicy {
  const names = new OwnNames(policy.ownHosts, resolver, clock);
  return { ...policy, ownAddresses: () => names.addresses() };
}
