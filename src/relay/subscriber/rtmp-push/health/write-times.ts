/** Marks are a second apart; a link that is further behind is reported as this far behind. */
const MARKS_MAX = 60;

type Mark = { readonly bytes: number; readonly atMs: number };

/** Remembers when the bytes of a link were written, and so how old the bytes in the kernel are. */
export class WriteTimes {
  readonly #marks: Mark[];

  constructor(nowMs: number) {
    this.#marks = [{ bytes: 0, atMs: nowMs }];
  }

  /** Call once a second with the bytes written in total. */
  note(bytes: number, nowMs: number): void {
    const [before, last] = [this.#marks.at(-2), this.#marks.at(-1)];
    // Time in which nothing is written does not count.
    if (last?.bytes === bytes && before?.bytes === bytes) this.#marks.pop();
    this.#marks.push({ bytes, atMs: nowMs });
    if (this.#marks.length > MARKS_MAX) this.#marks.shift();
  }

  /** Returns the time in which the last `lastBytes` were written, in milliseconds. */
  spanMs(lastBytes: number): number {
    const [before, newest] = [this.#marks.at(-2), this.#marks.at(-1)];
    if (newest === undefined || lastBytes <= 0) return 0;
    const from = newest.bytes - lastBytes;
    const at = this.#marks.findLastIndex(({ bytes }) => bytes <= from);
    const [left, right] = [this.#marks[Math.max(0, at)], this.#marks[Math.max(0, at) + 1]];
    if (left === undefined || right === undefined) return 0;
    const share = right.bytes === left.bytes ? 0 : Math.max(0, from - left.bytes) / (right.bytes - left.bytes);
    const writtenLastMs = before?.bytes === newest.bytes ? before.atMs : newest.atMs;
    return Math.max(0, writtenLastMs - (left.atMs + share * (right.atMs - left.atMs)));
  }
}
