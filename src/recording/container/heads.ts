import type { MediaTag, TrackPart } from "./stream-reader.ts";
import { trackKey } from "./track.ts";

/** As many tracks as the relay keeps headers of. */
const CONFIGS_MAX = 32;
/** `onMetaData` as an AMF0 string: other data belong to a moment. */
const ON_METADATA = Buffer.from("02000a6f6e4d65746144617461", "hex");

type Head = { readonly part: TrackPart; readonly tag: MediaTag };

/** Metadata and sequence headers of a stream, as the last ones came. */
export class Heads {
  readonly #configs = new Map<string, Head>();
  #metadata: MediaTag | undefined;

  /** The keys of tracks whose known configuration or codec a tag changes. */
  changes(parts: readonly TrackPart[]): readonly string[] {
    return parts.filter((part) => this.#isChange(part)).map(trackKey);
  }

  take(tag: MediaTag, parts: readonly TrackPart[]): void {
    if (tag.kind === "data" && tag.payload.subarray(0, ON_METADATA.length).equals(ON_METADATA)) {
      this.#metadata = ownCopy(tag);
    }
    for (const part of parts) {
      const key = trackKey(part);
      if (part.part !== "config" || (!this.#configs.has(key) && this.#configs.size >= CONFIGS_MAX)) continue;
      this.#configs.set(key, { part: { ...part, body: Buffer.from(part.body) }, tag: ownCopy(tag) });
    }
  }

  /** A track's configuration; undefined for codecs without one. */
  config(key: string, codec: string): Buffer | undefined {
    const part = this.#configs.get(key)?.part;
    return part?.codec === codec && part.body.length > 0 ? part.body : undefined;
  }

  configs(): readonly TrackPart[] {
    return [...this.#configs.values()].map(({ part }) => part);
  }

  /** All of them as tags: metadata first. */
  tags(): readonly MediaTag[] {
    const tags = [...this.#configs.values()].map(({ tag }) => tag);
    return this.#metadata === undefined ? tags : [this.#metadata, ...tags];
  }

  #isChange(part: TrackPart): boolean {
    const known = this.#configs.get(trackKey(part))?.part;
    if (known === undefined || part.part !== "config") return false;
    return known.codec !== part.codec || !known.body.equals(part.body);
  }
}

/** A batch's memory is large, and a head is kept for long. */
function ownCopy(tag: MediaTag): MediaTag {
  const own = Buffer.from(tag.tag);
  const start = tag.payload.byteOffset - tag.tag.byteOffset;
  return { ...tag, tag: own, payload: own.subarray(start, start + tag.payload.length) };
}
