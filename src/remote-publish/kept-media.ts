import { classifyMessage } from "../relay/stream/classify-message.ts";
import type { MediaMessage } from "../relay/stream/media-message.ts";
import { StreamMemory } from "../relay/stream/stream-memory.ts";
import { BlockWriter, readBlock } from "./media-block.ts";

/** A stream is kept from its last keyframe on, up to this size in bytes, … */
const KEPT_BYTES_MAX = 8 * 1024 * 1024;
/** … and is sent again only if that keyframe is no older than this, in milliseconds. */
const KEYFRAME_MS_MAX = 2_000;
/** Headers kept at most: far more tracks than any encoder sends. */
const HEADERS_MAX = 32;

/** What another owner of the channel needs to begin with an encoder's stream: headers, and what came since the last keyframe. */
export class KeptMedia {
  readonly #memory = new StreamMemory();
  readonly #headers = new Map<string, MediaMessage>();
  readonly #frames = new BlockWriter();
  #keyframeMs: number | undefined;
  #lastTimestamp = 0;

  /** Keeps a copy. `nowMs`: monotonic. */
  take(message: MediaMessage, nowMs: number): void {
    const classified = classifyMessage(message, this.#memory);
    switch (classified.what) {
      case "metadata":
        return this.#keepHeader("metadata", message);
      case "metadata-cleared":
        this.#headers.delete("metadata");
        return;
      case "config":
        return this.#keepHeader(classified.parts.map(({ slot }) => slot).join(), message);
      case "frame":
        this.#lastTimestamp = message.timestamp;
        if (classified.isKeyframe) this.#begin(nowMs);
        return this.#keepFrame(message);
      default:
        return;
    }
  }

  /** The messages to send again, in order. They are valid until the next `take`. */
  messages(nowMs: number): readonly MediaMessage[] {
    const isFresh = this.#keyframeMs !== undefined && nowMs - this.#keyframeMs <= KEYFRAME_MS_MAX;
    const frames = isFresh ? readBlock(this.#frames.peek()) : [];
    const timestamp = frames[0]?.timestamp ?? this.#lastTimestamp;
    return [...[...this.#headers.values()].map((header) => ({ ...header, timestamp })), ...frames];
  }

  #keepHeader(slot: string, message: MediaMessage): void {
    if (this.#headers.size >= HEADERS_MAX && !this.#headers.has(slot)) return;
    this.#headers.set(slot, { ...message, payload: Buffer.from(message.payload) });
  }

  #begin(nowMs: number): void {
    this.#keyframeMs = nowMs;
    this.#frames.reuse(this.#frames.take().buffer);
  }

  #keepFrame(message: MediaMessage): void {
    if (this.#keyframeMs === undefined) return;
    if (this.#frames.length + message.payload.length <= KEPT_BYTES_MAX) return this.#frames.add(message);
    // Not the whole stream since the keyframe: it begins with the next one.
    this.#keyframeMs = undefined;
    this.#frames.take();
  }
}
