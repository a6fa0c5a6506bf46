import type { DecoderConfig } from "../stream/config/decoder-config.ts";
import { Filler, type FillerFrame } from "../stream/filler/filler.ts";
import { FillerStock } from "../stream/filler/filler-stock.ts";
import type { Rendition } from "./rendition.ts";

const NO_STOCK = new FillerStock();

/** A frame of filler. `rendition`: the one that it is for; absent: all renditions without filler of their own. */
export type FillerRunFrame = FillerFrame & { readonly rendition?: Rendition | undefined };

/** The filler for one gap: one for the default tracks, and one for each rendition that shows other tracks. */
export class FillerRun {
  readonly #filler: Filler;
  readonly #own: ReadonlyMap<Rendition, Filler>;

  constructor(filler: Filler, own: ReadonlyMap<Rendition, Filler>) {
    this.#filler = filler;
    this.#own = own;
  }

  /** Where its last silence ends: channel time, in milliseconds. */
  get audioEndMs(): number {
    return Math.max(this.#filler.audioEndMs, ...[...this.#own.values()].map(({ audioEndMs }) => audioEndMs));
  }

  /** Returns those of these renditions that have no filler of their own. */
  sharedBy(renditions: readonly Rendition[]): Rendition[] {
    return renditions.filter((rendition) => !this.#own.has(rendition));
  }

  /** Returns the frames that are due up to `timeMs` of channel time, in order of time. Each is returned once. */
  until(timeMs: number): FillerRunFrame[] {
    return this.#frames((filler) => filler.until(timeMs));
  }

  /** Returns the silence that ends at `timeMs` of channel time or before: less than a frame of it stays empty. */
  silenceUpTo(timeMs: number): FillerRunFrame[] {
    return this.#frames((filler) => filler.silenceUpTo(timeMs));
  }

  #frames(of: (filler: Filler) => FillerFrame[]): FillerRunFrame[] {
    const frames: FillerRunFrame[] = of(this.#filler);
    for (const [rendition, filler] of this.#own) frames.push(...of(filler).map((frame) => ({ ...frame, rendition })));
    return frames.sort((left, right) => left.timeMs - right.timeMs);
  }
}

export type FillerRunParts = {
  readonly renditions: readonly Rendition[];
  /** The frames of the default tracks. */
  readonly stock: FillerStock;
  readonly head: DecoderConfig;
  /** False while the encoder's own audio, or its own video, continues. */
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  /** When filler of this stock begins: channel time, in milliseconds. */
  readonly startMs: (stock: FillerStock) => number;
};

/** Makes filler for all renditions, from the stream as it is now. */
export function newFillerRun({ renditions, stock, head, hasAudio, hasVideo, startMs }: FillerRunParts): FillerRun {
  const own = new Map<Rendition, Filler>();
  for (const rendition of renditions) {
    if (rendition.stock === undefined) continue;
    const config = hasAudio ? head.trackConfig("audio", rendition.shape.tracks?.audio ?? 0) : undefined;
    const shaped = config === undefined ? undefined : rendition.shaped("audio", config);
    own.set(rendition, new Filler(hasVideo ? rendition.stock : NO_STOCK, shaped, startMs(rendition.stock)));
  }
  const silent = hasAudio ? head.config("audio") : undefined;
  return new FillerRun(new Filler(hasVideo ? stock : NO_STOCK, silent, startMs(stock)), own);
}
