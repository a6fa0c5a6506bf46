import { classifyMessage } from "../relay/stream/classify-message.ts";
import type { MediaMessage } from "../relay/stream/media-message.ts";
import { StreamMemory } from "../relay/stream/stream-memory.ts";
import { BlockWriter, readBlock } from "./media-block.ts";

/** A stream is kept from its last keyframe on, up to this size in bytes, … */
const KEPT_BYTES_MAX = 8 * 1024 * 1024;
/** … and is sent again only if that keyframe is no older than this, in milliseconds. */
const KEYFRAME_MS_MAX = 2_000;
/**
 * An owner may have taken what came within this time without having sent it to its platforms, in milliseconds: it gathers
 * packets for 50 ms, and the rest is for the ways to it and to them. So frames from before a keyframe stay for this long.
 */
const UNDELIVERED_MS = 500;
/** While nobody takes the stream all of it is kept for so long, in milliseconds: two ways are rarely further apart. */
const GAP_MS_MAX = 3_000;
/** Packet types of frames, in the legacy form (`CODED_FRAMES`) and the enhanced one. */
const CODED_FRAMES = 1;
const CODED_FRAMES_X = 3;
const ENHANCED_AUDIO = 9;
const AAC = 10;
const ENHANCED_VIDEO = 0x80;
/** Headers kept at most: far more tracks than any encoder sends. */
const HEADERS_MAX = 32;

/**
 * `headers`: no other owner is expected. `group`: one may come at any time: what came since the last keyframe, and the last half
 * second before it. `all`: nobody takes the stream now: also what came before a keyframe, since no platform has it yet.
 */
export type Keep = "headers" | "group" | "all";

/** What another owner of the channel needs to begin with an encoder's stream: headers, and what came since the last keyframe. */
export class KeptMedia {
  readonly #memory = new StreamMemory();
  readonly #headers = new Map<string, MediaMessage>();
  #frames = new BlockWriter();
  /** The frames before those, where an owner may not have sent them yet. */
  #before = new BlockWriter();
  /** When the first of `#frames`, a keyframe, came. */
  #keyframeMs: number | undefined;
  /** Since when nobody takes the stream. */
  #gapMs: number | undefined;
  #lastTimestamp = 0;

  /** Keeps a copy. `nowMs`: monotonic. Keeping `headers` only costs a look at two bytes. */
  take(message: MediaMessage, nowMs: number, keep: Keep): void {
    this.#noteGap(nowMs, keep);
    if (keep === "headers") {
      this.#lastTimestamp = message.timestamp;
      if (this.#keyframeMs !== undefined) this.#drop();
      if (!mayBeHeader(message)) return;
    }
    const classified = classifyMessage(message, this.#memory);
    switch (classified.what) {
      case "metadata":
        return this.#keepHeader("metadata", message);
      case "metadata-cleared":
        this.#headers.delete("metadata");
        return;
      case "config":
        return this.#keepConfig(classified.parts.map(({ slot }) => slot).join(), message);
      case "frame":
        if (keep === "headers") return;
        this.#lastTimestamp = message.timestamp;
        if (classified.isKeyframe && this.#isDelivered(nowMs)) this.#begin(nowMs);
        return this.#keepFrame(message);
      default:
        return;
    }
  }

  /** The messages to send again, in order. They are valid until the next `take`. */
  messages(nowMs: number): readonly MediaMessage[] {
    const before = this.#isDelivered(nowMs) ? [] : readBlock(this.#before.peek());
    const isKept = this.#isInGap(nowMs) || this.#isFresh(nowMs);
    const frames = isKept ? [...before, ...readBlock(this.#frames.peek())] : [];
    const timestamp = frames[0]?.timestamp ?? this.#lastTimestamp;
    return [...[...this.#headers.values()].map((header) => ({ ...header, timestamp })), ...frames];
  }

  #noteGap(nowMs: number, keep: Keep): void {
    if (keep !== "all") this.#gapMs = undefined;
    if (this.#isDelivered(nowMs)) this.#dropBefore();
    if (keep !== "all" || this.#gapMs !== undefined) return;
    if (!this.#isFresh(nowMs)) this.#drop();
    this.#gapMs = nowMs;
  }

  /** Whether platforms have what came before the frames that are kept. */
  #isDelivered(nowMs: number): boolean {
    if (this.#keyframeMs === undefined) return true;
    return !this.#isInGap(nowMs) && nowMs - this.#keyframeMs > UNDELIVERED_MS;
  }

  #isInGap(nowMs: number): boolean {
    return this.#gapMs !== undefined && nowMs - this.#gapMs <= GAP_MS_MAX;
  }

  #isFresh(nowMs: number): boolean {
    return this.#keyframeMs !== undefined && nowMs - this.#keyframeMs <= KEYFRAME_MS_MAX;
  }

  #keepConfig(slot: string, message: MediaMessage): void {
    const before = this.#headers.get(slot);
    // What is kept goes with the header that was there before: the stream begins behind the new one.
    if (before !== undefined && !before.payload.equals(message.payload)) this.#drop();
    this.#keepHeader(slot, message);
  }

  #keepHeader(slot: string, message: MediaMessage): void {
    if (this.#headers.size >= HEADERS_MAX && !this.#headers.has(slot)) return;
    this.#headers.set(slot, { ...message, payload: Buffer.from(message.payload) });
  }

  #begin(nowMs: number): void {
    const ageMs = this.#keyframeMs === undefined ? Number.POSITIVE_INFINITY : nowMs - this.#keyframeMs;
    [this.#before, this.#frames] = [this.#frames, this.#before];
    // A group that cannot be sent again as a whole is not kept.
    if (ageMs > KEYFRAME_MS_MAX + UNDELIVERED_MS || this.#gapMs !== undefined) this.#dropBefore();
    this.#keyframeMs = nowMs;
  }

  #keepFrame(message: MediaMessage): void {
    if (this.#keyframeMs === undefined) return;
    if (this.#before.length + this.#frames.length + message.payload.length > KEPT_BYTES_MAX) this.#dropBefore();
    if (this.#frames.length + message.payload.length <= KEPT_BYTES_MAX) return this.#frames.add(message);
    // Not the whole stream since the keyframe: it begins with the next one.
    this.#drop();
  }

  #drop(): void {
    this.#keyframeMs = undefined;
    this.#frames.take();
    this.#dropBefore();
  }

  #dropBefore(): void {
    if (this.#before.length > 0) this.#before.reuse(this.#before.take().buffer);
  }
}

/** False for most frames, and never for a sequence header or metadata: those have other packet types. */
function mayBeHeader({ kind, payload }: MediaMessage): boolean {
  const first = payload[0] ?? 0;
  const second = payload[1];
  if (kind === "data") return true;
  if (kind === "audio") {
    const format = first >> 4;
    if (format === ENHANCED_AUDIO) return (first & 0x0f) !== CODED_FRAMES;
    return format === AAC && second !== CODED_FRAMES;
  }
  const packetType = (first & ENHANCED_VIDEO) === 0 ? second : first & 0x0f;
  return packetType !== CODED_FRAMES && packetType !== CODED_FRAMES_X;
}
