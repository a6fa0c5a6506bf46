/** Marks are a second apart: who is further behind is told to be so far. */
const MARKS_MAX = 60;

type Mark = { readonly bytes: number; readonly atMs: number };

/** When the bytes of a link were written: how old what lies in the kernel is. */
export class WriteTimes {
  readonly #marks: Mark[];

  constructor(nowMs: number) {
    this.#marks = [{ bytes: 0, atMs: nowMs }];
  }

  /** So many bytes were written by now, in all. Call once a second. */
  note(bytes: number, nowMs: number): void {
    const [before, last] = [this.#marks.at(-2), this.#marks.at(-1)];
    // While nothing is written time stands still.
    if (last?.bytes === bytes && before?.bytes === bytes) this.#marks.pop();
    this.#marks.push({ bytes, atMs: nowMs });
    if (this.#marks.length > MARKS_MAX) this.#marks.shift();
  }

  /** In how much time the last so many bytes were written, in milliseconds. */
  spanMs(lastBytes: number): number {
    const newest = this.#marks.at(-1);
    if (newest === undefined || lastBytes <= 0) return 0;
    const from = newest.bytes - lastBytes;
    const at = this.#marks.findLastIndex(({ bytes }) => bytes <= from);
    const [left, right] = [this.#marks[Math.max(0, at)], this.#marks[Math.max(0, at) + 1]];
    if (left === undefined || right === undefined) return 0;
    const share = right.bytes === left.bytes ? 0 : Math.max(0, from - left.bytes) / (right.bytes - left.bytes);
    const writtenLast = this.#marks.find(({ bytes }) => bytes === newest.bytes)?.atMs ?? newest.atMs;
    return Math.max(0, writtenLast - (left.atMs + share * (right.atMs - left.atMs)));
  }
}
