/** Measures the mean rate of bytes over some seconds. */
export class RateMeter {
  readonly #seconds: number;
  #total = 0;
  readonly #marks: { readonly nowMs: number; readonly total: number }[] = [];

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  add(bytes: number): void {
    this.#total += bytes;
  }

  /** Call once a second. */
  tick(nowMs: number): void {
    this.#marks.push({ nowMs, total: this.#total });
    if (this.#marks.length > this.#seconds + 1) this.#marks.shift();
  }

  /** Bytes a second; undefined until that many seconds have passed. */
  get bytesPerSecond(): number | undefined {
    return this.#marks.length > this.#seconds ? Math.round(this.bytesPerSecondSoFar) : undefined;
  }

  /** The same over the seconds that have passed so far; 0 before the second tick. */
  get bytesPerSecondSoFar(): number {
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    if (first === undefined || last === undefined || last.nowMs === first.nowMs) return 0;
    return ((last.total - first.total) * 1_000) / (last.nowMs - first.nowMs);
  }
}
