import { gatewayError } from "../../api-contract/errors.ts";
import type { Clock } from "../../base/clock.ts";
import { FailedGuesses, type GuessLimits, limitsFrom, limitsOf } from "../../base/failed-guesses.ts";
import { networkOf } from "../../base/networks.ts";
import type { SharedGuards } from "../../control/ports/shared-guards.ts";
import { RequestRefusedError } from "../answers/errors.ts";

/** Failed attempts within a minute: of one machine or known browser, and of all unknown browsers together. */
export const FAILURES_PER_MINUTE = 10;
export const FAILURES_OF_UNKNOWN_PER_MINUTE = 60;
/**
 * Attempts under way at a time; a machine or a known browser has one. Each takes about 0.15 s of hashing on an idle
 * machine, two run at a time: the owner may wait behind this many attempts of unknown browsers.
 */
export const UNKNOWN_AT_ONCE = 4;
const KNOWN_AT_ONCE = 10;

/** Places become free again soon. */
const FULL_WAIT_SECONDS = 1;

/** The client of an attempt. */
export type SignInClient = {
  readonly address: string;
  /** A browser that was signed in before, as its cookie proves. */
  readonly deviceId?: string;
};

/**
 * Limits attempts at passwords. Only failures count, so signing in locks out no browser. Browsers that signed in before
 * have a limit of their own: whatever unknown browsers do, from however many addresses, the owner can sign in.
 */
export class SignInAttempts {
  readonly #clock: Clock;
  readonly #onFailure: (address: string) => void;
  readonly #sharedGuards: SharedGuards | undefined;
  readonly #unknown: AttemptLimit;
  readonly #known = new AttemptLimit(limitsFrom(FAILURES_PER_MINUTE), KNOWN_AT_ONCE);

  /**
   * `onFailure`: called for each failed attempt. `isGuessable`: whether many clients together could guess it; if not,
   * they must not lock out others either. `sharedGuards`: count the failures of all nodes of a cluster.
   */
  constructor(
    clock: Clock,
    onFailure: (address: string) => void,
    isGuessable: boolean,
    sharedGuards: SharedGuards | undefined,
  ) {
    this.#clock = clock;
    this.#onFailure = onFailure;
    this.#sharedGuards = sharedGuards;
    const ofAll = isGuessable ? FAILURES_OF_UNKNOWN_PER_MINUTE : undefined;
    this.#unknown = new AttemptLimit(limitsFrom(FAILURES_PER_MINUTE, ofAll), UNKNOWN_AT_ONCE);
  }

  /** Called before anything of the attempt is read. Throws RequestRefusedError (429) where it is one too many. */
  check({ address, deviceId }: SignInClient): void {
    const limit = deviceId === undefined ? this.#unknown : this.#known;
    limit.check(deviceId ?? address, this.#clock.now());
  }

  /**
   * Returns the result of the attempt. Undefined or false is a failure and is counted; an attempt that rejects is not.
   * Throws RequestRefusedError (429) where it is one too many.
   */
  async run<Value>({ address, deviceId }: SignInClient, attempt: () => Promise<Value>): Promise<Value> {
    const limit = deviceId === undefined ? this.#unknown : this.#known;
    // An id is not an address, so it counts as itself.
    const who = deviceId ?? address;
    const limits = limitsOf(who, limit.limits);
    limit.enter(who, this.#clock.now());
    try {
      if (this.#sharedGuards !== undefined) {
        const waitMs = await this.#sharedGuards.waitMs(limits);
        if (waitMs > 0) refuse(Math.ceil(waitMs / 1_000));
      }
      const value = await attempt();
      if (value === undefined || value === false) {
        limit.failures.failed(who, this.#clock.now());
        this.#onFailure(address);
        await this.#sharedGuards?.failed([...limits.keys()]);
      }
      return value;
    } finally {
      limit.leave(who);
    }
  }
}

/** Attempts of unknown browsers, or of known ones: each kind has its own counts and places. */
class AttemptLimit {
  readonly limits: GuessLimits;
  readonly failures: FailedGuesses;
  readonly #atOnce: number;
  readonly #underWay = new Set<string>();

  constructor(limits: GuessLimits, atOnce: number) {
    this.limits = limits;
    this.failures = new FailedGuesses(limits);
    this.#atOnce = atOnce;
  }

  enter(who: string, nowMs: number): void {
    this.check(who, nowMs);
    this.#underWay.add(networkOf(who));
  }

  check(who: string, nowMs: number): void {
    const waitMs = this.failures.waitMs(who, nowMs);
    if (waitMs > 0) refuse(Math.ceil(waitMs / 1_000));
    if (this.#underWay.has(networkOf(who)) || this.#underWay.size >= this.#atOnce) refuse(FULL_WAIT_SECONDS);
  }

  leave(who: string): void {
    this.#underWay.delete(networkOf(who));
  }
}

function refuse(waitSeconds: number): never {
  throw new RequestRefusedError(gatewayError("RATE_LIMITED", "Too many attempts to sign in."), waitSeconds);
}
