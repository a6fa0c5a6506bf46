import type { TargetWarning } from "../../../../thread-protocol/targets/target-status.ts";
import { targetWarning } from "../../../../thread-protocol/targets/target-warnings.ts";

/** After this long without anything sent to it a target is reported as waiting, and not on air. In milliseconds. */
const IDLE_AFTER_MS = 5_000;

const NO_KEYFRAME = targetWarning("no-keyframe");
const NO_MORE_KEYFRAME = targetWarning("no-more-keyframe");
const NO_MEDIA = targetWarning("no-media");

/** What the encoder or filler supplies, as far as it concerns a target. */
export type Supply = {
  /** The encoder sends nothing, or is lost. */
  readonly isSilent: boolean;
  /** Video of the default track comes and is not sent before the next keyframe. */
  readonly lacksKeyframe: boolean;
  /** The target gets chosen tracks: other tracks do not show whether those come. */
  readonly hasChosenTracks: boolean;
};

/** The state of one link. */
export type Given = {
  /** Bytes given to it in total. */
  readonly bytes: number;
  /** Nothing waits for it. */
  readonly isEmpty: boolean;
  /** It has begun with the stream. */
  readonly hasBegun: boolean;
  /** It lost video, and gets none before the next keyframe. */
  readonly lacksKeyframe: boolean;
};

/**
 * Notices a link that is on air but is given nothing: it waits for a keyframe that does not come, or the encoder is
 * gone and there is nothing to repeat. This is not about targets that are too slow.
 */
export class IdleWatch {
  #givenAtMs: number;
  #givenBytes = 0;
  #lacksSinceMs: number | undefined;
  #idleMs: number | undefined;

  constructor(nowMs: number) {
    this.#givenAtMs = nowMs;
  }

  /** Milliseconds since it was last given something, once that is reported; undefined while it is on air. */
  get idleMs(): number | undefined {
    return this.#idleMs;
  }

  /** Call once a second; returns the warning to show. */
  look(given: Given, supply: Supply, nowMs: number): TargetWarning | undefined {
    const { isSilent, hasChosenTracks } = supply;
    if (given.bytes !== this.#givenBytes || !given.isEmpty) this.#givenAtMs = nowMs;
    this.#givenBytes = given.bytes;
    const lacksKeyframe = given.lacksKeyframe || (supply.lacksKeyframe && !hasChosenTracks);
    this.#lacksSinceMs = lacksKeyframe ? (this.#lacksSinceMs ?? nowMs) : undefined;
    const waitedMs = nowMs - this.#givenAtMs;
    // Rare frames are not a pause, as long as the encoder is not silent.
    const mayWait = given.hasBegun && !isSilent && !hasChosenTracks;
    this.#idleMs = waitedMs >= IDLE_AFTER_MS && !mayWait ? waitedMs : undefined;
    if (this.#idleMs !== undefined) return given.hasBegun || isSilent ? NO_MEDIA : NO_KEYFRAME;
    const lackedMs = this.#lacksSinceMs === undefined ? 0 : nowMs - this.#lacksSinceMs;
    return lackedMs >= IDLE_AFTER_MS ? NO_MORE_KEYFRAME : undefined;
  }
}
