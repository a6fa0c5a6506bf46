/**
 * Which video tracks have shown a keyframe. Frames before an encoder's first keyframe, or before the first one after
 * filler, refer to frames that no subscriber has.
 */
export class BegunTracks {
  readonly #begun = new Set<number>();
  #lacksKeyframe = false;

  /** Frames of the default track come, and none of them can be decoded. */
  get lacksKeyframe(): boolean {
    return this.#lacksKeyframe;
  }

  /** Whether to send a frame of this track. No track begins before the default one. */
  passes(trackId: number, startsTrack: boolean): boolean {
    if (startsTrack && (trackId === 0 || this.#begun.has(0))) this.#begun.add(trackId);
    const isBegun = this.#begun.has(trackId);
    if (trackId === 0) this.#lacksKeyframe = !isBegun;
    return isBegun;
  }

  /** The next frames cannot follow those that were sent. */
  clear(): void {
    this.#begun.clear();
    this.#lacksKeyframe = false;
  }
}
