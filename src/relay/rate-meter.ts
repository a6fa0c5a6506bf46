/** A mean is taken over so many ticks, which are a second apart: longer than keyframes make a rate go up and down. */
const TICKS = 10;

/** The mean rate of bytes over the last ten seconds. */
export class RateMeter {
  #total = 0;
  readonly #marks: { readonly nowMs: number; readonly total: number }[] = [];

  add(bytes: number): void {
    this.#total += bytes;
  }

  /** Call once a second. */
  tick(nowMs: number): void {
    this.#marks.push({ nowMs, total: this.#total });
    if (this.#marks.length > TICKS + 1) this.#marks.shift();
  }

  /** Bytes a second; undefined before ten seconds. */
  get bytesPerSecond(): number | undefined {
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    if (this.#marks.length <= TICKS || !first || !last) return undefined;
    return Math.round(((last.total - first.total) * 1_000) / (last.nowMs - first.nowMs));
  }
}
