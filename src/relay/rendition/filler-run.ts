import type { DecoderConfig } from "../stream/config/decoder-config.ts";
import { Filler, type FillerFrame } from "../stream/filler/filler.ts";
import type { FillerStock } from "../stream/filler/filler-stock.ts";
import type { Rendition } from "./rendition.ts";

/** A frame of filler; `rendition`: the one it is for, absent where it is for all that have none of their own. */
export type FillerRunFrame = FillerFrame & { readonly rendition?: Rendition };

/** One gap of a channel: filler of the default tracks, and filler of its own for each rendition that shows other ones. */
export class FillerRun {
  readonly #filler: Filler;
  readonly #own: ReadonlyMap<Rendition, Filler>;

  constructor(filler: Filler, own: ReadonlyMap<Rendition, Filler>) {
    this.#filler = filler;
    this.#own = own;
  }

  /** Those of these renditions that have no filler of their own. */
  sharedBy(renditions: readonly Rendition[]): Rendition[] {
    return renditions.filter((rendition) => !this.#own.has(rendition));
  }

  /** The frames due up to this moment of channel time that were not given before, in order of time. */
  until(timeMs: number): FillerRunFrame[] {
    const frames: FillerRunFrame[] = this.#filler.until(timeMs);
    for (const [rendition, filler] of this.#own)
      frames.push(...filler.until(timeMs).map((frame) => ({ ...frame, rendition })));
    return frames.sort((left, right) => left.timeMs - right.timeMs);
  }
}

export type FillerRunParts = {
  readonly renditions: readonly Rendition[];
  /** Of the default tracks. */
  readonly stock: FillerStock;
  readonly head: DecoderConfig;
  /** False where the encoder's own sound goes on. */
  readonly hasSound: boolean;
  /** When filler of this stock begins, in channel time. */
  readonly startMs: (stock: FillerStock) => number;
};

/** Filler for all renditions, as the stream is now. */
export function newFillerRun({ renditions, stock, head, hasSound, startMs }: FillerRunParts): FillerRun {
  const own = new Map<Rendition, Filler>();
  for (const rendition of renditions) {
    if (rendition.stock === undefined) continue;
    const config = hasSound ? head.trackConfig("audio", rendition.shape.tracks?.audio ?? 0) : undefined;
    const shaped = config === undefined ? undefined : rendition.shaped("audio", config);
    own.set(rendition, new Filler(rendition.stock, shaped, startMs(rendition.stock)));
  }
  return new FillerRun(new Filler(stock, hasSound ? head.config("audio") : undefined, startMs(stock)), own);
}
