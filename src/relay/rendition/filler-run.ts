import type { TrackChoice } from "../../thread-protocol/channel-spec.ts";
import type { DecoderConfig } from "../stream/config/decoder-config.ts";
import { Filler, type FillerFrame } from "../stream/filler/filler.ts";
import { FillerStock } from "../stream/filler/filler-stock.ts";
import type { SlateRun } from "../stream/slate/slate-run.ts";
import type { Rendition } from "./rendition.ts";

const NO_STOCK = new FillerStock();

/** A frame of filler. `rendition`: the one that it is for; absent: all renditions without filler of this kind. */
export type FillerRunFrame = FillerFrame & { readonly rendition?: Rendition | undefined };

/** Filler of one rendition that shows other tracks than the default ones. */
type OwnFiller = { readonly filler: Filler; readonly hasAudio: boolean; readonly hasVideo: boolean };

/**
 * The filler for one gap: one for the default tracks, which may be a slate, and one for each rendition that shows other
 * tracks.
 */
export class FillerRun {
  readonly #main: Filler | SlateRun;
  readonly #own: ReadonlyMap<Rendition, OwnFiller>;
  /** Whether the default tracks show a slate. */
  readonly isSlate: boolean;

  constructor(main: Filler | SlateRun, own: ReadonlyMap<Rendition, OwnFiller>) {
    this.#main = main;
    this.#own = own;
    this.isSlate = !(main instanceof Filler);
  }

  /** Whether receivers with this choice of tracks get silence of it. */
  hasSilenceFor(tracks: TrackChoice | undefined): boolean {
    for (const [{ shape }, { filler }] of this.#own)
      if (shape.tracks?.audio === tracks?.audio && shape.tracks?.video === tracks?.video) return filler.hasSilence;
    return this.#main instanceof Filler && this.#main.hasSilence;
  }

  /** Where its last silence ends: channel time, in milliseconds. */
  get audioEndMs(): number {
    return Math.max(0, ...this.#fillers().map(({ audioEndMs }) => audioEndMs));
  }

  /** Returns those of these renditions that have no filler of this kind of their own. */
  sharedBy(renditions: readonly Rendition[], kind: "audio" | "video"): Rendition[] {
    return renditions.filter((rendition) => {
      const own = this.#own.get(rendition);
      return own === undefined || !(kind === "audio" ? own.hasAudio : own.hasVideo);
    });
  }

  /** Returns the frames that are due up to `timeMs` of channel time, in order of time. Each is returned once. */
  until(timeMs: number): FillerRunFrame[] {
    return this.#frames(this.#main.until(timeMs), (filler) => filler.until(timeMs));
  }

  /** Returns the silence that ends at `timeMs` of channel time or before: less than a frame of it stays empty. */
  silenceUpTo(timeMs: number): FillerRunFrame[] {
    const main = this.#main instanceof Filler ? this.#main.silenceUpTo(timeMs) : [];
    return this.#frames(main, (filler) => filler.silenceUpTo(timeMs));
  }

  #fillers(): readonly Filler[] {
    const own = [...this.#own.values()].map(({ filler }) => filler);
    return this.#main instanceof Filler ? [this.#main, ...own] : own;
  }

  #frames(main: readonly FillerFrame[], of: (filler: Filler) => readonly FillerFrame[]): FillerRunFrame[] {
    const frames: FillerRunFrame[] = [...main];
    for (const [rendition, { filler }] of this.#own)
      frames.push(...of(filler).map((frame) => ({ ...frame, rendition })));
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
  /** Shown in place of the default tracks; absent: their last frame, and silence. */
  readonly slateRun?: SlateRun;
};

/** Makes filler for all renditions, from the stream as it is now. */
export function newFillerRun(parts: FillerRunParts): FillerRun {
  const { renditions, stock, head, hasAudio, hasVideo, startMs, slateRun } = parts;
  const own = new Map<Rendition, OwnFiller>();
  for (const rendition of renditions) {
    if (rendition.stock === undefined) continue;
    const { audio = 0, video = 0 } = rendition.shape.tracks ?? {};
    const config = hasAudio ? head.trackConfig("audio", audio) : undefined;
    const shaped = config === undefined ? undefined : rendition.shaped("audio", config);
    // A slate is shown wherever the default video is.
    const showsSlate = slateRun !== undefined && video === 0;
    const frames = hasVideo && !showsSlate ? rendition.stock : NO_STOCK;
    const filler = new Filler(frames, shaped, startMs(rendition.stock));
    own.set(rendition, { filler, hasAudio: true, hasVideo: !showsSlate });
  }
  if (slateRun !== undefined) return new FillerRun(slateRun, own);
  const silent = hasAudio ? head.config("audio") : undefined;
  return new FillerRun(new Filler(hasVideo ? stock : NO_STOCK, silent, startMs(stock)), own);
}
