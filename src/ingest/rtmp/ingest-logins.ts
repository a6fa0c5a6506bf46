import type { Clock } from "../../base/clock.ts";
import { FailedGuesses, limitsFrom } from "../../base/failed-guesses.ts";
import { networkOf } from "../../base/networks.ts";
import {
  isProven,
  type LoginAttempt,
  type LoginDecision,
  type LoginRequest,
  loginTexts,
} from "../../protocol/rtmp/server/server-login.ts";
import type { IngestUser, ProvenLogin } from "../../thread-protocol/admission.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { type ChallengeDeps, LoginChallenges } from "./login-challenges.ts";

/**
 * A refusal follows the request after this long, whatever the reason, so that its time does not show how long a look-up
 * took. In milliseconds.
 */
const REFUSAL_AFTER_MS = 1_000;

/** Failed logins per minute: of one address, and of all addresses together. */
const FAILURES_PER_MINUTE = 10;
const FAILURES_OF_ALL_PER_MINUTE = 600;
/** How many pairs of a user and the network it logged in from are remembered; the one unseen for longest is forgotten first. */
const KNOWN_MAX = 10_000;

/** A wrong proof, or one that was not checked because too many were wrong. */
export type LoginFailure = {
  readonly reason: "auth-failed" | "too-many-guesses";
  readonly address: string;
  /** The channel of the login, where known. */
  readonly channelId?: ChannelId;
};

/** The user of a login name, and whether this is the first use of the challenge. */
export type FoundUser = { readonly user?: IngestUser; readonly isFirstUse: boolean };

export type LoginDeps = ChallengeDeps & {
  readonly clock: Pick<Clock, "now" | "startTimer">;
  /**
   * The user of this login name. Uses up the challenge, if there is one. `unavailable`: no reply in time. Never rejects.
   */
  readonly findUser: (userId: string, challenge: string | undefined) => Promise<FoundUser | "unavailable">;
  /** Called at the verdict, even if the encoder has gone. Returns how long to hold back the refusal, in milliseconds. */
  readonly onFailure: (failure: LoginFailure) => number;
};

export type LoginVerdict = {
  readonly decision: LoginDecision;
  /** Where the login was accepted. */
  readonly login?: ProvenLogin;
  /** The login failed, and `onFailure` was called. */
  readonly isReported?: true;
};

type Proof = Extract<LoginAttempt, { kind: "proof" }>;

/** The server's side of encoders' logins (Adobe and Limelight). Each step has a connection of its own, in any thread of any server. */
export class IngestLogins {
  readonly #deps: LoginDeps;
  readonly #challenges: LoginChallenges;
  /**
   * `#knownGuesses` is for users at a network from which they logged in before: failures of others do not lock them out.
   */
  readonly #guesses = new FailedGuesses(limitsFrom(FAILURES_PER_MINUTE, FAILURES_OF_ALL_PER_MINUTE));
  readonly #knownGuesses = new FailedGuesses(limitsFrom(FAILURES_PER_MINUTE));
  readonly #known = new Set<string>();

  constructor(deps: LoginDeps) {
    this.#deps = deps;
    this.#challenges = new LoginChallenges(deps);
  }

  /** The reply to one step. A refusal takes at least a second. */
  async decide({ attempt, app }: LoginRequest, address: string): Promise<LoginVerdict> {
    const { scheme } = attempt;
    switch (attempt.kind) {
      case "nothing":
        return { decision: { kind: "ask", description: loginTexts.demand(scheme) } };
      case "name": {
        // No look-up yet: an unknown user is asked for a proof like any other.
        const { token, salt } = this.#challenges.give(attempt.id, address);
        return { decision: { kind: "ask", description: loginTexts.challenge(scheme, attempt.id, salt, token) } };
      }
      case "proof":
        return this.#judge(attempt, app, address);
    }
  }

  async #judge(proof: Proof, app: string, address: string): Promise<LoginVerdict> {
    const { isGood, salt } = this.#challenges.check(proof.token, proof.id, address);
    const delay = this.#wait(REFUSAL_AFTER_MS);
    // Before the look-up, so that guesses cost little.
    if (this.#hasToWait(proof.id, address)) return this.#refuseUnchecked({ address }, delay);
    const found = await this.#deps.findUser(proof.id, isGood ? proof.token : undefined);
    if (found === "unavailable") return { decision: { kind: "unavailable" } };
    const { user, isFirstUse } = found;
    const failure = user === undefined ? { address } : { address, channelId: user.channelId };
    // Other guesses may have failed meanwhile. From here to the verdict there is no wait, so no guess slips through.
    if (this.#hasToWait(proof.id, address)) return this.#refuseUnchecked(failure, delay);
    const isRight = isProven(proof, user?.password ?? "", { app, salt });
    if (isGood && isFirstUse && isRight && user !== undefined) {
      this.#remember(proof.id, address);
      return { decision: { kind: "accept" }, login: { id: proof.id, password: user.password } };
    }
    const nowMs = this.#deps.clock.now();
    if (this.#isKnown(proof.id, address)) this.#knownGuesses.failed(placeOf(proof.id, address), nowMs);
    else this.#guesses.failed(address, nowMs);
    const heldBackMs = this.#deps.onFailure({ reason: "auth-failed", ...failure });
    await delay;
    if (heldBackMs > 0) await this.#wait(heldBackMs);
    return { decision: { kind: "refuse", description: loginTexts.failure(proof.scheme) }, isReported: true };
  }

  /** Closes without a message: an encoder with the right password tries again, and is admitted when the minute is over. */
  async #refuseUnchecked(failure: Omit<LoginFailure, "reason">, delay: Promise<void>): Promise<LoginVerdict> {
    this.#deps.onFailure({ reason: "too-many-guesses", ...failure });
    await delay;
    return { decision: { kind: "unavailable" }, isReported: true };
  }

  #hasToWait(userId: string, address: string): boolean {
    const nowMs = this.#deps.clock.now();
    if (!this.#isKnown(userId, address)) return this.#guesses.waitMs(address, nowMs) > 0;
    return this.#knownGuesses.waitMs(placeOf(userId, address), nowMs) > 0;
  }

  #isKnown(userId: string, address: string): boolean {
    return this.#known.has(placeOf(userId, address));
  }

  #remember(userId: string, address: string): void {
    const place = placeOf(userId, address);
    this.#known.delete(place);
    this.#known.add(place);
    const [oldest] = this.#known;
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#deps.clock.startTimer(delayMs, resolve));
  }
}

/** A user at a network, as one key. */
function placeOf(userId: string, address: string): string {
  return JSON.stringify([userId, networkOf(address)]);
}
