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

export type LoginDeps = ChallengeDeps & {
  /** Who logs in with this name; undefined: nobody. `unavailable`: nobody answered in time. Never rejects. */
  readonly findUser: (userId: string) => Promise<IngestUser | "unavailable" | undefined>;
};

export type LoginVerdict = {
  readonly decision: LoginDecision;
  /** Where it was accepted. */
  readonly login?: ProvenLogin;
  /** Whose login failed, where that is known. */
  readonly channelId?: ChannelId;
};

type Proof = Extract<LoginAttempt, { kind: "proof" }>;

/** The server's side of encoders' logins, over one connection for each step. All of a thread's connections share it. */
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
    const { clock, findUser } = this.#deps;
    const delay = new Promise<void>((resolve) => clock.startTimer(REFUSAL_AFTER_MS, resolve));
    const isFresh = this.#challenges.use(proof.token, proof.id, address);
    const user = await findUser(proof.id);
    if (user === "unavailable") return { decision: { kind: "unavailable" } };
    const given = { app, salt: this.#challenges.saltOf(proof.id) };
    const isRight = isProven(proof, user?.password ?? "", given);
    if (isFresh && isRight && user !== undefined) {
      return { decision: { kind: "accept" }, login: { id: proof.id, password: user.password } };
    }
    await delay;
    const decision = { kind: "refuse", description: loginTexts.failure(proof.scheme) } as const;
    return user === undefined ? { decision } : { decision, channelId: user.channelId };
  }
}
