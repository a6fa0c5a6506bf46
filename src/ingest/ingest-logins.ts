import type { Clock } from "../base/clock.ts";
import type { IngestUser, ProvenLogin } from "../exchange/admission.ts";
import type { ChannelId } from "../exchange/channel-spec.ts";
import {
  isProven,
  type LoginAttempt,
  type LoginDecision,
  type LoginRequest,
  loginTexts,
} from "../protocol/rtmp/server-login.ts";
import { type ChallengeDeps, LoginChallenges } from "./login-challenges.ts";

/** A refusal comes this long after the question, whatever the reason: how long a look-up took is not to be heard. In milliseconds. */
const REFUSAL_AFTER_MS = 1_000;

/** Who logs in with a name, and whether the challenge that came with it was not used before. */
export type FoundUser = { readonly user?: IngestUser; readonly isFirstUse: boolean };

export type LoginDeps = ChallengeDeps & {
  readonly clock: Pick<Clock, "startTimer">;
  /**
   * Who logs in with this name. Uses the challenge up, which is good, if there is one. `unavailable`: nobody answered in time.
   * Never rejects.
   */
  readonly findUser: (userId: string, challenge: string | undefined) => Promise<FoundUser | "unavailable">;
};

export type LoginVerdict = {
  readonly decision: LoginDecision;
  /** Where it was accepted. */
  readonly login?: ProvenLogin;
  /** Whose login failed, where that is known. */
  readonly channelId?: ChannelId;
};

type Proof = Extract<LoginAttempt, { kind: "proof" }>;

/** The server's side of encoders' logins, over one connection for each step, whichever thread each of them comes to. */
export class IngestLogins {
  readonly #deps: LoginDeps;
  readonly #challenges: LoginChallenges;

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
    const { clock } = this.#deps;
    const delay = new Promise<void>((resolve) => clock.startTimer(REFUSAL_AFTER_MS, resolve));
    const isGood = this.#challenges.isGood(proof.token, proof.id, address);
    const found = await this.#deps.findUser(proof.id, isGood ? proof.token : undefined);
    if (found === "unavailable") return { decision: { kind: "unavailable" } };
    const { user, isFirstUse } = found;
    const given = { app, salt: this.#challenges.saltOf(proof.id) };
    const isRight = isProven(proof, user?.password ?? "", given);
    if (isGood && isFirstUse && isRight && user !== undefined) {
      return { decision: { kind: "accept" }, login: { id: proof.id, password: user.password } };
    }
    await delay;
    const decision = { kind: "refuse", description: loginTexts.failure(proof.scheme) } as const;
    return user === undefined ? { decision } : { decision, channelId: user.channelId };
  }
}
