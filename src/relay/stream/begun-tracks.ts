/** Which video tracks have shown a keyframe: pictures before a source's first one, or the first one behind filler, refer to ones that nobody saw. */
export class BegunTracks {
  readonly #begun = new Set<number>();
  #lacksKeyframe = false;

  /** The default track's pictures come, and none of them can be shown. */
  get lacksKeyframe(): boolean {
    return this.#lacksKeyframe;
  }

  /** Whether a picture of this track goes on. No track begins before the default one. */
  passes(trackId: number, startsTrack: boolean): boolean {
    if (startsTrack && (trackId === 0 || this.#begun.has(0))) this.#begun.add(trackId);
    const isBegun = this.#begun.has(trackId);
    if (trackId === 0) this.#lacksKeyframe = !isBegun;
    return isBegun;
  }

  /** What comes cannot follow what went out. */
  clear(): void {
    this.#begun.clear();
    this.#lacksKeyframe = false;
  }
}
