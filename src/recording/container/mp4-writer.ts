import { encodeFragmentHead, type Sample, type TrackRun } from "../../protocol/mp4/fragment.ts";
import type { HeaderTrack } from "../../protocol/mp4/movie-header.ts";
import type { ContainerWriter } from "./container.ts";
import type { MediaTag, TrackPart } from "./stream-reader.ts";
import { trackKey } from "./track.ts";

/** The length of the last frame of a track that has only this one, in milliseconds. */
const ONLY_FRAME_MS = 20;

type Waiting = {
  readonly data: Buffer;
  readonly startUnits: number;
  readonly compositionUnits: number;
  readonly isSync: boolean;
};

type WrittenTrack = HeaderTrack & {
  /** Not in a fragment yet: the length of the last is known when the next one comes. */
  waiting: Waiting[];
  lastDurationUnits: number;
};

/**
 * Writes fragments. Each has what came since the one before it, whether or not it begins with a keyframe, so that a
 * crash costs less than a second. Times count from `startMs`.
 */
export class Mp4Writer implements ContainerWriter {
  readonly container = "mp4";
  readonly start: Buffer;
  readonly #startMs: number;
  readonly #tracks: ReadonlyMap<string, WrittenTrack>;
  #sequence = 0;
  #drainedMs: number;
  #lastMs: number;

  /** `keys`: the keys of the header's tracks, in its order. */
  constructor(header: Buffer, tracks: readonly HeaderTrack[], keys: readonly string[], startMs: number) {
    this.start = header;
    this.#startMs = startMs;
    this.#drainedMs = startMs;
    this.#lastMs = startMs;
    this.#tracks = new Map(
      tracks.map((track, index) => [keys[index] ?? "", { ...track, waiting: [], lastDurationUnits: 0 }]),
    );
  }

  get waitingMs(): number {
    return this.#lastMs - this.#drainedMs;
  }

  add({ timeMs }: MediaTag, parts: readonly TrackPart[]): void {
    for (const part of parts) {
      const track = this.#tracks.get(trackKey(part));
      if (track === undefined || part.part !== "frame") continue;
      const units = unitsOf(Math.max(0, timeMs - this.#startMs), track);
      const before = track.waiting.at(-1);
      track.waiting.push({
        data: part.body,
        // Two frames of the same millisecond keep their order.
        startUnits: before === undefined ? units : Math.max(units, before.startUnits + 1),
        compositionUnits: unitsOf(part.compositionMs, track),
        isSync: part.isKeyframe,
      });
      this.#lastMs = Math.max(this.#lastMs, timeMs);
    }
  }

  drain(isLast: boolean): readonly Uint8Array[] {
    this.#drainedMs = this.#lastMs;
    const runs = [...this.#tracks.values()].flatMap((track) => {
      const run = takeRun(track, isLast);
      return run === undefined ? [] : [run];
    });
    if (runs.length === 0) return [];
    this.#sequence += 1;
    return [
      encodeFragmentHead(this.#sequence, runs),
      ...runs.flatMap(({ samples }) => samples.map(({ data }) => data)),
    ];
  }
}

function unitsOf(ms: number, { timescale }: HeaderTrack): number {
  return Math.round((ms * timescale) / 1_000);
}

/** Takes the samples whose length is known; all of them where nothing follows. */
function takeRun(track: WrittenTrack, isLast: boolean): TrackRun | undefined {
  const count = isLast ? track.waiting.length : track.waiting.length - 1;
  const first = track.waiting[0];
  if (first === undefined || count < 1) return undefined;
  const samples = track.waiting.slice(0, count).map(({ data, startUnits, compositionUnits, isSync }, index): Sample => {
    const next = track.waiting[index + 1]?.startUnits;
    const guess = track.lastDurationUnits > 0 ? track.lastDurationUnits : unitsOf(ONLY_FRAME_MS, track);
    const durationUnits = next === undefined ? guess : next - startUnits;
    track.lastDurationUnits = durationUnits;
    return { data, durationUnits, compositionUnits, isSync };
  });
  track.waiting = track.waiting.slice(count);
  return { trackId: track.trackId, startUnits: first.startUnits, samples };
}
