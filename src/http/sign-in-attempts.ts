import type { Clock } from "../base/clock.ts";
import { gatewayError } from "../contract/errors.ts";
import { RequestRefusedError } from "./errors.ts";
import { FailedLogins } from "./limits.ts";

/** Failed attempts within a minute: of one address, and of all together before those that failed at all have to wait. */
export const FAILURES_PER_MINUTE = 10;
export const FAILURES_OF_ALL_PER_MINUTE = 60;
/** Attempts under way of all, and of all addresses that failed lately; one address has one. Each is about 0.15 s of hashing, two run at a time. */
export const AT_ONCE = 50;
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
  /** The clients whose attempts are. */
  readonly #underWay = new Set<string>();

  constructor(clock: Clock) {
    this.#ofOne = new FailedLogins(FAILURES_PER_MINUTE, clock);
    this.#ofAll = new FailedLogins(FAILURES_OF_ALL_PER_MINUTE, clock);
  }

  /**
   * What the attempt comes to; undefined or false is a failure, which is counted, unlike an attempt that rejects. Throws
   * RequestRefusedError (429) where it is one too many.
   */
  async run<Value>(client: string, attempt: () => Promise<Value>): Promise<Value> {
    this.#check(client);
    this.#underWay.add(client);
    try {
      const value = await attempt();
      if (value === undefined || value === false) this.#failed(client);
      return value;
    } finally {
      this.#underWay.delete(client);
    }
  }

  #check(client: string): void {
    const failures = this.#ofOne.failures(client);
    const ofAllSeconds = failures === 0 ? undefined : this.#ofAll.waitSeconds(ALL);
    const waitSeconds = this.#ofOne.waitSeconds(client) ?? ofAllSeconds;
    if (waitSeconds !== undefined) refuse(waitSeconds);
    const atOnce = failures === 0 ? AT_ONCE : AT_ONCE_OF_FAILED;
    if (this.#underWay.has(client) || this.#underWay.size >= atOnce) refuse(FULL_WAIT_SECONDS);
  }

  #failed(client: string): void {
    this.#ofOne.failed(client);
    this.#ofAll.failed(ALL);
  }
}

function refuse(waitSeconds: number): never {
  throw new RequestRefusedError(gatewayError("RATE_LIMITED", "Too many attempts to sign in."), waitSeconds);
}
