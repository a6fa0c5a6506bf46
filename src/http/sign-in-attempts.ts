import type { Clock } from "../base/clock.ts";
import { gatewayError } from "../contract/errors.ts";
import { RequestRefusedError } from "./errors.ts";
import { FailedLogins } from "./limits.ts";

/** Failed attempts within a minute: of one address, and of all together before those that failed at all have to wait. */
export const FAILURES_PER_MINUTE = 10;
export const FAILURES_OF_ALL_PER_MINUTE = 60;
/** Attempts under way: of one address, of all, and of all addresses that failed lately. Each is about 0.15 s of hashing, two run at a time. */
const AT_ONCE_OF_ONE = 2;
export const AT_ONCE = 20;
export const AT_ONCE_OF_FAILED = 10;

/** Places are free again soon. */
const FULL_WAIT_SECONDS = 1;
const ALL = "all";

/**
 * How often passwords and set-up tokens may be tried. Only failures count, so nobody is locked out by signing in; and an
 * address without a failure is let in whatever the others do, while there is a place: those that failed never get them all.
 */
export class SignInAttempts {
  readonly #ofOne: FailedLogins;
  readonly #ofAll: FailedLogins;
  readonly #underWay = new Map<string, number>();
  #countUnderWay = 0;

  constructor(clock: Clock) {
    this.#ofOne = new FailedLogins(FAILURES_PER_MINUTE, clock);
    this.#ofAll = new FailedLogins(FAILURES_OF_ALL_PER_MINUTE, clock);
  }

  /**
   * What the attempt comes to; undefined or false is a failure, which is counted, unlike an attempt that rejects. Throws
   * RequestRefusedError (429) where it is one too many.
   */
  async run<Value>(client: string, attempt: () => Promise<Value>): Promise<Value> {
    const underWay = this.#check(client);
    this.#underWay.set(client, underWay + 1);
    this.#countUnderWay += 1;
    try {
      const value = await attempt();
      if (value === undefined || value === false) this.#failed(client);
      return value;
    } finally {
      this.#leave(client);
    }
  }

  /** How many attempts of this client are under way. */
  #check(client: string): number {
    const failures = this.#ofOne.failures(client);
    const ofAllSeconds = failures === 0 ? undefined : this.#ofAll.waitSeconds(ALL);
    const waitSeconds = this.#ofOne.waitSeconds(client) ?? ofAllSeconds;
    if (waitSeconds !== undefined) refuse(waitSeconds);
    const underWay = this.#underWay.get(client) ?? 0;
    const atOnce = failures === 0 ? AT_ONCE : AT_ONCE_OF_FAILED;
    // Those under way may all fail: many at once are many.
    const isFull = underWay >= AT_ONCE_OF_ONE || failures + underWay >= FAILURES_PER_MINUTE;
    if (isFull || this.#countUnderWay >= atOnce) refuse(FULL_WAIT_SECONDS);
    return underWay;
  }

  #failed(client: string): void {
    this.#ofOne.failed(client);
    this.#ofAll.failed(ALL);
  }

  #leave(client: string): void {
    this.#countUnderWay -= 1;
    const underWay = (this.#underWay.get(client) ?? 0) - 1;
    if (underWay > 0) this.#underWay.set(client, underWay);
    else this.#underWay.delete(client);
  }
}

function refuse(waitSeconds: number): never {
  throw new RequestRefusedError(gatewayError("RATE_LIMITED", "Too many attempts to sign in."), waitSeconds);
}
