import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import type { PlacementMeter } from "../control/ports/channel-placement.ts";
import type { KnownOwner, OwnerAnswer, OwnerQuestion } from "../control/ports/owner-question.ts";
import { type Answers, type Verdict, verdictOf } from "./admission-steps.ts";

const MS_PER_SECOND = 1_000;

export type OwnerAskerDeps = {
  readonly clock: Pick<Clock, "startTimer" | "now" | "awakeNow">;
  readonly link: OwnerQuestion;
  readonly bus: OwnerQuestion;
  /** How long an owner has to answer while this node runs, in milliseconds. */
  readonly silentMs: number;
  readonly meter: PlacementMeter;
};

/** `epoch`: the owner's, as it says itself. */
export type Asked = { readonly verdict: Exclude<Verdict, "wait">; readonly epoch: number };

/** Asks the owner of a channel on both ways at once, and judges as soon as the answers allow it. */
export class OwnerAsker {
  readonly #deps: OwnerAskerDeps;

  constructor(deps: OwnerAskerDeps) {
    this.#deps = deps;
  }

  /** Resolves at the latest when the owner's time is over. Never rejects. */
  ask(owner: KnownOwner): Promise<Asked> {
    const { clock, link, bus, silentMs, meter } = this.#deps;
    const askedMs = clock.now();
    return new Promise((resolve) => {
      const ending = new AbortController();
      let answers: Answers = {};
      const judge = (isTimeUp: boolean) => {
        if (ending.signal.aborted) return;
        const verdict = verdictOf(answers, owner, isTimeUp);
        if (verdict === "wait") return;
        timer.cancel();
        ending.abort();
        if (isTimeUp && verdict === "claim") meter.ownerSilent();
        const epoch = answers.link?.kind === "owner" ? answers.link.epoch : owner.epoch;
        resolve({ verdict, epoch });
      };
      const timer = startDeadline(clock, silentMs, () => judge(true));
      const take = (way: keyof Answers) => (answer: OwnerAnswer) => {
        answers = { ...answers, [way]: answer };
        const hasAnswered = answer.kind === "owner" || answer.kind === "not-owner";
        if (hasAnswered) meter.answered(way, (clock.now() - askedMs) / MS_PER_SECOND);
        judge(false);
      };
      void link.ask(owner, ending.signal).then(take("link"));
      void bus.ask(owner, ending.signal).then(take("bus"));
    });
  }
}
