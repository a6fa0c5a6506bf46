import { hasLegacyForm } from "../../protocol/flv/tracks.ts";
import type { BlockStore } from "../stream/block-store.ts";
import type { DecoderConfig } from "../stream/config/decoder-config.ts";
import type { FillerStock } from "../stream/filler/filler-stock.ts";
import type { StreamChoice, Subscriber } from "../subscriber/subscriber.ts";
import { Rendition, type RenditionShape } from "./rendition.ts";

const AS_IT_COMES: RenditionShape = {
  hasHevcEnhanced: false,
  isLegacy: false,
  hasTimedData: true,
  hasSilence: false,
};
/** First byte of a video message, less its frame type, of HEVC under codec id 12: a form that is not Adobe's. */
const LEGACY_HEVC = 12;
const FORM_AND_CODEC = 0x8f;
const KINDS = ["audio", "video"] as const;
const NOTHING = Buffer.alloc(0);

/** The renditions of one fan-out, by what they do to the stream. */
export class Renditions {
  readonly #blocks: BlockStore;
  readonly #main: Rendition;
  readonly #shaped = new Map<string, Rendition>();
  #all: readonly Rendition[];

  /** `stock`: the frames of filler for the default tracks. */
  constructor(blocks: BlockStore, stock: FillerStock) {
    this.#blocks = blocks;
    this.#main = new Rendition(AS_IT_COMES, blocks, stock);
    this.#all = [this.#main];
  }

  /** All of them; the first is the one that changes nothing. */
  get all(): readonly Rendition[] {
    return this.#all;
  }

  /** Makes the renditions of these choices, so that they have the current GOP later; drops unused ones. */
  prepare(choices: readonly StreamChoice[]): void {
    const shapes = choices.map(({ tracks, hasTimedData }) => shapeOf({ ...AS_IT_COMES, hasTimedData }, tracks));
    const needed = new Set(shapes.map(keyOf));
    for (const [key, rendition] of this.#shaped) if (!needed.has(key) && !rendition.isInUse) this.#shaped.delete(key);
    for (const shape of shapes) this.#rendition(shape);
    this.#relist();
  }

  /** Gives a subscriber the rendition of its choice, as the stream is now. */
  assign(subscriber: Subscriber, config: DecoderConfig, nowMs: number): Rendition {
    this.leave(subscriber);
    const { tracks, takesHevcEnhanced, takesEnhanced, hasTimedData, addsSilence } = subscriber.choice;
    const isLegacyHevc = ((config.config("video")?.[0] ?? 0) & FORM_AND_CODEC) === LEGACY_HEVC;
    const canBeLegacy = KINDS.some((kind) => hasLegacyForm(kind, config.config(kind) ?? NOTHING));
    const forms = {
      hasHevcEnhanced: isLegacyHevc && takesHevcEnhanced,
      isLegacy: canBeLegacy && !takesEnhanced,
      hasTimedData,
      hasSilence: addsSilence && config.lacksAudio(nowMs),
    };
    const rendition = this.#rendition(shapeOf(forms, tracks));
    rendition.join(subscriber);
    this.#relist();
    return rendition;
  }

  leave(subscriber: Subscriber): void {
    for (const rendition of this.#all) rendition.leave(subscriber);
  }

  /** The broadcast is over: the next one may have audio. */
  dropSilent(): void {
    for (const [key, { shape }] of this.#shaped) if (shape.hasSilence) this.#shaped.delete(key);
    this.#relist();
  }

  #rendition(shape: RenditionShape): Rendition {
    const key = keyOf(shape);
    if (key === keyOf(AS_IT_COMES)) return this.#main;
    const known = this.#shaped.get(key);
    // A silence that has ended does not begin again.
    const isEnded = known !== undefined && shape.hasSilence && !known.isAddingSilence && !known.isInUse;
    if (known !== undefined && !isEnded) return known;
    const rendition = new Rendition(shape, this.#blocks);
    this.#shaped.set(key, rendition);
    if (shape.tracks === undefined) rendition.takeOver(this.#main);
    return rendition;
  }

  #relist(): void {
    this.#all = [this.#main, ...this.#shaped.values()];
  }
}

/** A chosen track is in the legacy form anyway. */
function shapeOf(
  { hasHevcEnhanced, isLegacy, hasTimedData, hasSilence }: Omit<RenditionShape, "tracks">,
  tracks: RenditionShape["tracks"],
): RenditionShape {
  const forms = { hasHevcEnhanced, isLegacy, hasTimedData, hasSilence };
  return tracks === undefined ? forms : { tracks, ...forms, isLegacy: false };
}

function keyOf({ tracks, hasHevcEnhanced, isLegacy, hasTimedData, hasSilence }: RenditionShape): string {
  return `${tracks?.video}/${tracks?.audio}/${hasHevcEnhanced}/${isLegacy}/${hasTimedData}/${hasSilence}`;
}
