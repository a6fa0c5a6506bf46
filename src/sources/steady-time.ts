import type { FlvTag } from "../protocol/flv/flv-tag.ts";

/** A source whose own times jump by more than this, in milliseconds, goes on without the jump. */
const JUMP_MS_MAX = 10_000;
/** How long the frame before a jump lasts, in milliseconds. */
const FRAME_MS = 40;

type Kind = { readonly offsetMs: number; readonly fromMs: number };

/**
 * The times of a stream that goes on where the times of its source jump: forward over a gap, back where the source begins anew,
 * and where FFmpeg's numbers in FLV begin anew, which have 31 bits: after 24.8 days. Audio and video jump one after the
 * other, and stay in step.
 */
export class SteadyTime {
  /** By the tag's type: what is added to the source's times, and the last of them. */
  readonly #kinds = new Map<number, Kind>();
  /** What is added since the last jump. */
  #offsetMs: number;
  #lastMs: number;

  /** `beginMs`: when the first tag is due. */
  constructor({ timestamp }: Pick<FlvTag, "timestamp">, beginMs: number) {
    this.#offsetMs = beginMs - timestamp;
    this.#lastMs = beginMs;
  }

  /** When a tag is due, in milliseconds of the stream. */
  of({ type, timestamp }: Pick<FlvTag, "type" | "timestamp">): number {
    const { offsetMs, fromMs } = this.#kinds.get(type) ?? { offsetMs: this.#offsetMs, fromMs: timestamp };
    if (Math.abs(timestamp - fromMs) <= JUMP_MS_MAX) return timestamp + offsetMs;
    this.#kinds.set(type, { offsetMs: this.#behindJump(timestamp), fromMs: timestamp });
    return timestamp + this.#offsetMs;
  }

  /** The tag is sent at this time. */
  sent({ type, timestamp }: Pick<FlvTag, "type" | "timestamp">, timeMs: number): void {
    this.#kinds.set(type, { offsetMs: timeMs - timestamp, fromMs: timestamp });
    this.#lastMs = Math.max(this.#lastMs, timeMs);
  }

  /** Where the other kind made the same jump before, this one follows it. */
  #behindJump(timestamp: number): number {
    const isFollowing = Math.abs(timestamp + this.#offsetMs - this.#lastMs) <= JUMP_MS_MAX;
    if (!isFollowing) this.#offsetMs = this.#lastMs + FRAME_MS - timestamp;
    return this.#offsetMs;
  }
}
