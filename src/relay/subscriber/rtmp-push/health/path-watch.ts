import type { Clock, Timer } from "../../../../base/clock.ts";
import { startDeadline } from "../../../../base/deadline.ts";
import type { Link, PathAnswer } from "../link.ts";

/** After this silence the path is probed, in milliseconds. */
const ASKED_AFTER_MS = 8_500;
/** After a successful probe the old connection gets this long to continue by itself: that is better than a new one. */
const GRACE_MS = 1_500;
/** Pause between two probes: a path that comes back must be noticed within seconds … */
const PAUSE_MS = 500;
/** … but after this silence it is probed less often. */
const PATIENT_AFTER_MS = 120_000;
const PAUSE_PATIENT_MS = 5_000;
/**
 * The target's name leads elsewhere by now, and the old address does not reply: this long is waited for it. In
 * milliseconds.
 */
const ELSEWHERE_AFTER_MS = 30_000;

export type PathVerdict =
  /** The path works and the link still makes no progress: reset it, since a reset reaches the peer now. */
  | "answers"
  /** Its address seems gone for good, and another address of the target accepts connections. */
  | "elsewhere";

/**
 * Watches a link without progress. While its path is silent there is no use in closing it: a reset would be lost, and
 * the peer would keep its half-open publisher and refuse the next one. So the path is probed, with a separate
 * connection that sends nothing, one at a time. When the probe succeeds, the link moves again by itself or is given up.
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

  /** The link makes progress again, or is gone. */
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
