import { Filler, type FillerFrame } from "./filler.ts";
import type { FillerStock } from "./filler-stock.ts";
import type { Lane } from "./lane.ts";
import type { StreamHead } from "./stream-head.ts";

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

  /** Those of these lanes that have no filler of their own. */
  sharedBy(lanes: readonly Lane[]): Lane[] {
    return lanes.filter((lane) => !this.#own.has(lane));
  }

  /** The frames due up to this moment of channel time that were not given before, in order of time. */
  until(timeMs: number): GapFrame[] {
    const frames: GapFrame[] = this.#filler.until(timeMs);
    for (const [lane, filler] of this.#own) frames.push(...filler.until(timeMs).map((frame) => ({ ...frame, lane })));
    return frames.sort((left, right) => left.timeMs - right.timeMs);
  }
}

export type GapParts = {
  readonly lanes: readonly Lane[];
  /** Of the default tracks. */
  readonly stock: FillerStock;
  readonly head: StreamHead;
  /** False where the encoder's own sound goes on. */
  readonly hasSound: boolean;
  /** When filler of this stock begins, in channel time. */
  readonly startMs: (stock: FillerStock) => number;
};

/** Filler for all lanes, as the stream is now. */
export function newGap({ lanes, stock, head, hasSound, startMs }: GapParts): Gap {
  const own = new Map<Lane, Filler>();
  for (const lane of lanes) {
    if (lane.stock === undefined) continue;
    const config = hasSound ? head.trackConfig("audio", lane.shape.tracks?.audio ?? 0) : undefined;
    const shaped = config === undefined ? undefined : lane.shaped("audio", config);
    own.set(lane, new Filler(lane.stock, shaped, startMs(lane.stock)));
  }
  return new Gap(new Filler(stock, hasSound ? head.config("audio") : undefined, startMs(stock)), own);
}
