/** The mean is taken over so many seconds at most. */
const SECONDS = 5;

/** How much a stream has a second, lately. */
export class StreamRate {
  #total = 0;
  readonly #marks: { readonly nowMs: number; readonly total: number }[] = [];

  add(bytes: number): void {
    this.#total += bytes;
  }

  /** Call once a second. */
  tick(nowMs: number): void {
    this.#marks.push({ nowMs, total: this.#total });
    if (this.#marks.length > SECONDS + 1) this.#marks.shift();
  }

  /** Bytes a second; 0 before the second tick. */
  get perSecond(): number {
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    if (first === undefined || last === undefined || last.nowMs === first.nowMs) return 0;
    return ((last.total - first.total) * 1_000) / (last.nowMs - first.nowMs);
  }
}
