import type { Clock, Timer } from "../../../../base/clock.ts";
import { startDeadline } from "../../../../base/deadline.ts";
import type { Link, PathAnswer } from "../link.ts";

/** A path may be silent for so long before it is asked. */
const ASKED_AFTER_MS = 8_500;
/** An old connection that gets on by itself is better than a new one: so long it may take after the path answered. */
const GRACE_MS = 1_500;
/** Between two questions: a path that comes back is to be noticed within seconds … */
const PAUSE_MS = 500;
/** … also when it was silent for longer than this, but less often then. */
const PATIENT_AFTER_MS = 120_000;
const PAUSE_PATIENT_MS = 5_000;
/** The target's name leads elsewhere by now, and the old address does not answer: so long that is waited for. */
const ELSEWHERE_AFTER_MS = 30_000;

export type PathVerdict =
  /** The path is there and the link still does not move: it is to be reset, which reaches the peer now. */
  | "answers"
  /** Its address is silent for good, as it seems, and another one answers. */
  | "elsewhere";

/**
 * Watches over a link that does not get on. While its path is silent there is no use in closing it: a reset would be lost, and the peer
 * would keep its half-open publisher and refuse the next one. So the path is asked, by a connection of its own that says nothing,
 * one at a time; when it answers, the link moves again by itself or is given up.
 */
export class PathWatch {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #silentSinceMs: number;
  readonly #onVerdict: (verdict: PathVerdict) => void;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(link: Link, silentSinceMs: number, clock: Clock, onVerdict: (verdict: PathVerdict) => void) {
    this.#link = link;
    this.#silentSinceMs = silentSinceMs;
    this.#clock = clock;
    this.#onVerdict = onVerdict;
    this.#after(Math.max(0, ASKED_AFTER_MS - this.#silentMs), () => this.#ask());
  }

  /** The link moves again, or is gone. */
  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  get #silentMs(): number {
    return this.#clock.awakeNow() - this.#silentSinceMs;
  }

  #ask(): void {
    this.#link.probe((answer) => {
      if (!this.#isOver) this.#take(answer);
    });
  }

  #take(answer: PathAnswer): void {
    if (answer === "same") return this.#after(GRACE_MS, () => this.#decide("answers"));
    if (answer === "other" && this.#silentMs >= ELSEWHERE_AFTER_MS) return this.#decide("elsewhere");
    this.#after(this.#silentMs < PATIENT_AFTER_MS ? PAUSE_MS : PAUSE_PATIENT_MS, () => this.#ask());
  }

  #decide(verdict: PathVerdict): void {
    this.stop();
    this.#onVerdict(verdict);
  }

  #after(delayMs: number, run: () => void): void {
    this.#timer = startDeadline(this.#clock, delayMs, run);
  }
}
