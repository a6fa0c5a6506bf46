import type { TargetWarning } from "../../../../thread-protocol/targets/target-status.ts";
import { targetWarning } from "../../../../thread-protocol/targets/target-warnings.ts";

/** A target that was given nothing for so long is told to be waiting, and is not on air. */
const IDLE_AFTER_MS = 5_000;

const NO_KEYFRAME = targetWarning("no-keyframe");
const NO_MORE_KEYFRAME = targetWarning("no-more-keyframe");
const NO_MEDIA = targetWarning("no-media");

/** What comes from the encoder, or from filler, as far as it is for a target. */
export type Supply = {
  /** The encoder sends nothing, or is lost. */
  readonly isSilent: boolean;
  /** Pictures of the default track come and go to nobody, before the next keyframe. */
  readonly lacksKeyframe: boolean;
  /** The target gets tracks of its choice: others going on say nothing of them. */
  readonly hasChosenTracks: boolean;
};

/** One link, as it is now. */
export type Given = {
  /** Bytes that it was given so far. */
  readonly bytes: number;
  /** Nothing waits for it. */
  readonly isEmpty: boolean;
  /** It has begun with the stream. */
  readonly hasBegun: boolean;
  /** It lost pictures, and gets none before the next keyframe. */
  readonly lacksKeyframe: boolean;
};

/**
 * Tells a link that is on air and gets nothing: it waits for a keyframe that does not come, or for an encoder that is gone and of
 * which there is nothing to repeat. Who is too slow to take what there is, is none of this.
 */
export class IdleWatch {
  #givenAtMs: number;
  #givenBytes = 0;
  #lacksSinceMs: number | undefined;
  #idleMs: number | undefined;

  constructor(nowMs: number) {
    this.#givenAtMs = nowMs;
  }

  /** For how long it was given nothing, where that is told; undefined while it is on air. */
  get idleMs(): number | undefined {
    return this.#idleMs;
  }

  /** Call once a second; answers what is to be told. */
  look(given: Given, supply: Supply, nowMs: number): TargetWarning | undefined {
    const { isSilent, hasChosenTracks } = supply;
    if (given.bytes !== this.#givenBytes || !given.isEmpty) this.#givenAtMs = nowMs;
    this.#givenBytes = given.bytes;
    const lacksKeyframe = given.lacksKeyframe || (supply.lacksKeyframe && !hasChosenTracks);
    this.#lacksSinceMs = lacksKeyframe ? (this.#lacksSinceMs ?? nowMs) : undefined;
    const waitedMs = nowMs - this.#givenAtMs;
    // Pictures that come seldom are no pause, as long as the encoder is not missed.
    const mayWait = given.hasBegun && !isSilent && !hasChosenTracks;
    this.#idleMs = waitedMs >= IDLE_AFTER_MS && !mayWait ? waitedMs : undefined;
    if (this.#idleMs !== undefined) return given.hasBegun || isSilent ? NO_MEDIA : NO_KEYFRAME;
    const lackedMs = this.#lacksSinceMs === undefined ? 0 : nowMs - this.#lacksSinceMs;
    return lackedMs >= IDLE_AFTER_MS ? NO_MORE_KEYFRAME : undefined;
  }
}
