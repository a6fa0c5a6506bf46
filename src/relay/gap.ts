import type { Filler, FillerFrame } from "./filler.ts";
import type { Lane } from "./lane.ts";

/** A frame of filler; `lane`: the one it is for, absent where it is for all that have none of their own. */
export type GapFrame = FillerFrame & { readonly lane?: Lane };

/** One gap of a channel: filler of the default tracks, and filler of its own for each lane that shows other ones. */
export class Gap {
  readonly #filler: Filler;
  readonly #own: ReadonlyMap<Lane, Filler>;

  constructor(filler: Filler, own: ReadonlyMap<Lane, Filler>) {
    this.#filler = filler;
    this.#own = own;
  }

  /** Whether a lane has filler of its own. */
  hasOwn(lane: Lane): boolean {
    return this.#own.has(lane);
  }

  /** The frames due up to this moment of channel time that were not given before, in order of time. */
  until(timeMs: number): GapFrame[] {
    const frames: GapFrame[] = this.#filler.until(timeMs);
    for (const [lane, filler] of this.#own) frames.push(...filler.until(timeMs).map((frame) => ({ ...frame, lane })));
    return frames.sort((left, right) => left.timeMs - right.timeMs);
  }
}
