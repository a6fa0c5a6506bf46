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

/** A refusal comes this long after the question, whatever the reason: how long a look-up took is not to be heard. In milliseconds. */
const REFUSAL_AFTER_MS = 1_000;

/** Failed logins within a minute: of one address, and of all together. */
const FAILURES_PER_MINUTE = 10;
const FAILURES_OF_ALL_PER_MINUTE = 600;
/** Users and the networks they logged in from that are remembered; the one longest unseen is forgotten first. */
const KNOWN_MAX = 10_000;

/** A proof that was wrong, or that was not looked at because too many were. */
export type LoginFailure = {
  readonly reason: "auth-failed" | "too-many-guesses";
  readonly address: string;
  /** Whose login it was, where that is known. */
  readonly channelId?: ChannelId;
};

/** Who logs in with a name, and whether the challenge that came with it was not used before. */
export type FoundUser = { readonly user?: IngestUser; readonly isFirstUse: boolean };

export type LoginDeps = ChallengeDeps & {
  readonly clock: Pick<Clock, "now" | "startTimer">;
  /**
   * Who logs in with this name. Uses the challenge up, which is good, if there is one. `unavailable`: nobody answered in time.
   * Never rejects.
   */
  readonly findUser: (userId: string, challenge: string | undefined) => Promise<FoundUser | "unavailable">;
  /** Told at the verdict, whether or not anybody still waits for it; answers for how long the refusal is to be held back. */
  readonly onFailure: (failure: LoginFailure) => number;
};

export type LoginVerdict = {
  readonly decision: LoginDecision;
  /** Where it was accepted. */
  readonly login?: ProvenLogin;
  /** It failed, and `onFailure` was told so. */
  readonly isTold?: true;
};

type Proof = Extract<LoginAttempt, { kind: "proof" }>;

/** The server's side of encoders' logins, over one connection for each step, whichever thread each of them comes to. */
export class IngestLogins {
  readonly #deps: LoginDeps;
  readonly #challenges: LoginChallenges;
  /** Of everybody, and of those that come from where the same user logged in before: others' failures do not shut them out. */
  readonly #guesses = new FailedGuesses(limitsFrom(FAILURES_PER_MINUTE, FAILURES_OF_ALL_PER_MINUTE));
  readonly #knownGuesses = new FailedGuesses(limitsFrom(FAILURES_PER_MINUTE));
  readonly #known = new Set<string>();

  constructor(deps: LoginDeps) {
    this.#deps = deps;
    this.#challenges = new LoginChallenges(deps);
  }

  async decide({ attempt, app }: LoginRequest, address: string): Promise<LoginVerdict> {
    const { scheme } = attempt;
    switch (attempt.kind) {
      case "nothing":
        return { decision: { kind: "ask", description: loginTexts.demand(scheme) } };
      case "name": {
        // Nobody is looked up yet, so that a user who is not there is asked for a proof like any other.
        const token = this.#challenges.give(attempt.id, address);
        const salt = this.#challenges.saltOf(attempt.id);
        return { decision: { kind: "ask", description: loginTexts.challenge(scheme, attempt.id, salt, token) } };
      }
      case "proof":
        return this.#judge(attempt, app, address);
    }
  }

  async #judge(proof: Proof, app: string, address: string): Promise<LoginVerdict> {
    const isGood = this.#challenges.isGood(proof.token, proof.id, address);
    const delay = this.#wait(REFUSAL_AFTER_MS);
    // Before anybody is asked, so that guesses cost little.
    if (this.#hasToWait(proof.id, address)) return this.#unseen({ address }, delay);
    const found = await this.#deps.findUser(proof.id, isGood ? proof.token : undefined);
    if (found === "unavailable") return { decision: { kind: "unavailable" } };
    const { user, isFirstUse } = found;
    const failure = user === undefined ? { address } : { address, channelId: user.channelId };
    // Others may have failed meanwhile: from here to the verdict nothing is waited for, so no guess slips through.
    if (this.#hasToWait(proof.id, address)) return this.#unseen(failure, delay);
    const given = { app, salt: this.#challenges.saltOf(proof.id) };
    const isRight = isProven(proof, user?.password ?? "", given);
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
    return { decision: { kind: "refuse", description: loginTexts.failure(proof.scheme) }, isTold: true };
  }

  /** Closed without a word: an encoder with the right password tries again, and is let in when the minute is over. */
  async #unseen(failure: Omit<LoginFailure, "reason">, delay: Promise<void>): Promise<LoginVerdict> {
    this.#deps.onFailure({ reason: "too-many-guesses", ...failure });
    await delay;
    return { decision: { kind: "unavailable" }, isTold: true };
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

/** A user at a network: a text that is no address. */
function placeOf(userId: string, address: string): string {
  return JSON.stringify([userId, networkOf(address)]);
}
