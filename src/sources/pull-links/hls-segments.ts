/**
 * Where a stream goes on that was left in its middle: the number of a segment, which the server counts. `seconds`: of a whole
 * playlist the time before it too, since its audio may be cut in other places.
 */
export type HlsPlace = { readonly number: bigint; readonly seconds?: number };

/** The first segment behind an initialization section. `name`, `from`: of the section, and where its bytes begin in the file. */
export type HlsJoint = { readonly name: string; readonly from: number; readonly place: HlsPlace };

export type HlsSection = Pick<HlsJoint, "name" | "from">;

/** A joint is looked for up to this far behind the place, in seconds: audio has its own a few frames beside that of the video. */
const JOINT_SECONDS = 1;

/** `lines`: its tags in their order, and its name. */
type HlsSegment = {
  readonly lines: readonly string[];
  /** Tags of those before it that hold for it too, unless its own replace them. */
  readonly before: readonly string[];
  readonly section: HlsSection | undefined;
  readonly atSeconds: number;
  readonly seconds: number;
};

/** The segments of a playlist, in their order. */
export class HlsSegments {
  readonly #segments: HlsSegment[] = [];
  #lines: string[] = [];
  #before: readonly string[] = [];
  #key: string | undefined;
  /** The present section, with the key that it is encrypted by. */
  #map: readonly string[] = [];
  #section: HlsSection | undefined;
  #seconds = 0;
  #atSeconds = 0;

  get count(): number {
    return this.#segments.length;
  }

  /** A tag of the next segment. */
  tag(line: string): void {
    this.#lines.push(line);
  }

  /** How long the next segment is. */
  duration(seconds: number): void {
    this.#seconds = seconds;
  }

  /** The key of what follows. */
  key(line: string): void {
    this.tag(line);
    this.#key = line;
  }

  /** The initialization section of what follows. */
  map(line: string, section: HlsSection): void {
    this.tag(line);
    this.#map = this.#key === undefined ? [line] : [this.#key, line];
    this.#section = section;
  }

  /** Ends the present segment. */
  put(name: string): void {
    const [lines, before, section] = [[...this.#lines, name], this.#before, this.#section];
    this.#segments.push({ lines, before, section, atSeconds: this.#atSeconds, seconds: this.#seconds });
    this.#atSeconds += this.#seconds;
    this.#seconds = 0;
    this.#lines = [];
    const isKeyOfMap = this.#key === undefined || this.#map.includes(this.#key);
    this.#before = isKeyOfMap ? this.#map : [...this.#map, ...(this.#key === undefined ? [] : [this.#key])];
  }

  /**
   * How many of the first segments lie before this place. `first`: the number of the first one. `isWhole`: the playlist has an end.
   * None where all of them do: then it is another stream by now.
   */
  countBefore({ number, seconds }: HlsPlace, first: bigint, isWhole: boolean): number {
    if (!isWhole || seconds === undefined)
      return Math.max(
        0,
        this.#segments.findIndex((_, index) => first + BigInt(index) >= number),
      );
    // What ends at the place never comes again, or it had no end.
    const isFrom = (each: HlsSegment) =>
      each.atSeconds + each.seconds > seconds && each.atSeconds + each.seconds / 2 >= seconds;
    const left = Math.max(0, this.#segments.findIndex(isFrom));
    return left > 0 ? this.#jointNear(left, seconds) : left;
  }

  /** The first segment behind a joint that is close to this time, from this one on; this one where there is none. */
  #jointNear(left: number, seconds: number): number {
    for (let at = left; at < this.#segments.length; at += 1) {
      const { atSeconds = Infinity, section } = this.#segments[at] ?? {};
      if (atSeconds >= seconds + JOINT_SECONDS) break;
      if (section !== this.#segments[at - 1]?.section) return at;
    }
    return left;
  }

  /** The lines of all segments but the first ones, `left` of them. */
  linesFrom(left: number): readonly string[] {
    const segments = this.#segments.slice(left);
    return [...(segments[0]?.before ?? []), ...segments.flatMap(({ lines }) => lines)];
  }

  /** Where each section begins that is in use behind the first segments, `left` of them: where it is in use first. */
  jointsFrom(left: number, first: bigint, isWhole: boolean): readonly HlsJoint[] {
    const joints = new Map<string, HlsJoint>();
    for (const [index, { section, atSeconds }] of this.#segments.entries()) {
      const text = section === undefined ? "" : `${section.from} ${section.name}`;
      if (index < left || section === undefined || joints.has(text)) continue;
      // The beginning of a live playlist moves on, and with it all times.
      const place = { number: first + BigInt(index), ...(isWhole ? { seconds: atSeconds } : {}) };
      joints.set(text, { ...section, place });
    }
    return [...joints.values()];
  }
}
