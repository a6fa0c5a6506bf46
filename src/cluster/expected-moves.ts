import type { Clock, Timer } from "../base/clock.ts";

/** Within this time each stream has a keyframe: platforms ask for one every two seconds. In milliseconds. */
const KEYFRAME_MS = 2_500;
/**
 * Encoders may still be without a way this long after the last move, in milliseconds: a node hears of the new owner
 * after 5 s at the latest, and then its encoders ask for a way four times.
 */
const ENCODERS_MS = 10_000;

export type ExpectedMovesDeps = {
  readonly clock: Pick<Clock, "now" | "startTimer">;
  /** A node that drains expects moves until it ends. */
  readonly isDraining: () => boolean;
  /** Tells the media threads whether they keep what the next owner needs of each stream. */
  readonly tell: (areExpected: boolean) => void;
};

/** When this node may give channels away. */
export class ExpectedMoves {
  readonly #deps: ExpectedMovesDeps;
  #sinceMs: number | undefined;
  #lapse: Timer | undefined;

  constructor(deps: ExpectedMovesDeps) {
    this.#deps = deps;
  }

  /** Channels may move from now on. */
  begin(): void {
    this.#since();
  }

  /** The same. Resolves when each stream has had a keyframe since then. */
  prepare(): Promise<void> {
    const { clock } = this.#deps;
    const waitMs = Math.max(0, this.#since() + KEYFRAME_MS - clock.now());
    return new Promise((resolve) => void clock.startTimer(waitMs, resolve));
  }

  /** No further channel moves in this drain. Streams are kept until their encoders have a way to the new owners. */
  done(): void {
    const { clock, isDraining, tell } = this.#deps;
    this.#lapse?.cancel();
    this.#lapse = clock.startTimer(ENCODERS_MS, () => {
      if (isDraining()) return;
      this.#sinceMs = undefined;
      tell(false);
    });
  }

  #since(): number {
    const { clock, tell } = this.#deps;
    this.#lapse?.cancel();
    if (this.#sinceMs === undefined) {
      this.#sinceMs = clock.now();
      tell(true);
    }
    return this.#sinceMs;
  }
}
