import { addSequence, sequenceDistance } from "../wire/sequence.ts";

/** `dueUs`: when the range is to be reported again, in microseconds. */
export type DueRange = { from: number; to: number; dueUs: number };

/**
 * Sequence numbers as ranges, in order and without overlaps. All are within 2^30 of each other, since a window bounds
 * them.
 */
export class SequenceRanges {
  readonly #ranges: DueRange[] = [];
  #count = 0;

  /** How many numbers are in all ranges. */
  get count(): number {
    return this.#count;
  }

  get ranges(): readonly Readonly<DueRange>[] {
    return this.#ranges;
  }

  has(sequence: number): boolean {
    const range = this.#ranges[this.#indexAt(sequence)];
    return range !== undefined && sequenceDistance(range.from, sequence) >= 0;
  }

  /** Adds numbers that are after all present ones. */
  append(from: number, to: number, dueUs = 0): void {
    this.#ranges.push({ from, to, dueUs });
    this.#count += sequenceDistance(from, to) + 1;
  }

  /** Adds numbers, of which some may be present. */
  add(from: number, to: number): void {
    let [start, end] = [from, to];
    const at = this.#indexAt(from);
    let merged = 0;
    for (let range = this.#ranges[at]; range !== undefined; range = this.#ranges[at + merged]) {
      if (sequenceDistance(end, range.from) > 0) break;
      if (sequenceDistance(range.from, start) > 0) start = range.from;
      if (sequenceDistance(end, range.to) > 0) end = range.to;
      this.#count -= sequenceDistance(range.from, range.to) + 1;
      merged += 1;
    }
    this.#ranges.splice(at, merged, { from: start, to: end, dueUs: 0 });
    this.#count += sequenceDistance(start, end) + 1;
  }

  /** Removes one number. Returns false where it is not there. */
  remove(sequence: number): boolean {
    const at = this.#indexAt(sequence);
    const range = this.#ranges[at];
    if (range === undefined || sequenceDistance(range.from, sequence) < 0) return false;
    this.#count -= 1;
    const { from, to } = range;
    if (from === to) this.#ranges.splice(at, 1);
    else if (sequence === from) range.from = addSequence(from, 1);
    else if (sequence === to) range.to = addSequence(to, -1);
    else {
      range.to = addSequence(sequence, -1);
      this.#ranges.splice(at + 1, 0, { from: addSequence(sequence, 1), to, dueUs: range.dueUs });
    }
    return true;
  }

  /** Removes all numbers before this one. */
  removeBefore(sequence: number): void {
    let gone = 0;
    for (const range of this.#ranges) {
      if (sequenceDistance(range.from, sequence) <= 0) break;
      if (sequenceDistance(range.to, sequence) <= 0) {
        this.#count -= sequenceDistance(range.from, sequence);
        range.from = sequence;
        break;
      }
      this.#count -= sequenceDistance(range.from, range.to) + 1;
      gone += 1;
    }
    if (gone > 0) this.#ranges.splice(0, gone);
  }

  /** Removes the numbers from `from` to `to`. */
  removeRange(from: number, to: number): void {
    const kept: DueRange[] = [];
    for (const range of this.#ranges) {
      const startsBefore = sequenceDistance(range.from, from) > 0;
      const endsAfter = sequenceDistance(to, range.to) > 0;
      const isApart = sequenceDistance(range.to, from) > 0 || sequenceDistance(to, range.from) > 0;
      if (isApart) kept.push(range);
      else {
        if (startsBefore) kept.push({ ...range, to: addSequence(from, -1) });
        if (endsAfter) kept.push({ ...range, from: addSequence(to, 1) });
      }
    }
    this.#ranges.splice(0, this.#ranges.length, ...kept);
    this.#count = kept.reduce((sum, range) => sum + sequenceDistance(range.from, range.to) + 1, 0);
  }

  /** Takes the first number out. */
  shift(): number | undefined {
    const sequence = this.#ranges[0]?.from;
    if (sequence !== undefined) this.remove(sequence);
    return sequence;
  }

  clear(): void {
    this.#ranges.length = 0;
    this.#count = 0;
  }

  /** The ranges whose time has come, at most `max`. Their next time is `againUs`. */
  takeDue(nowUs: number, againUs: number, max: number): readonly Readonly<DueRange>[] {
    const due: DueRange[] = [];
    for (const range of this.#ranges) {
      if (due.length === max) break;
      if (range.dueUs > nowUs) continue;
      range.dueUs = againUs;
      due.push(range);
    }
    return due;
  }

  /** The index of the first range that does not end before this number. */
  #indexAt(sequence: number): number {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const range = this.#ranges[middle];
      if (range !== undefined && sequenceDistance(range.to, sequence) > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
