/** How long a target has been on air, over all its links, in milliseconds. */
export class PlayTime {
  #beforeMs = 0;
  #sinceMs: number | undefined;

  start(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  stop(nowMs: number): void {
    this.#beforeMs = this.total(nowMs);
    this.#sinceMs = undefined;
  }

  total(nowMs: number): number {
    return this.#beforeMs + (this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs);
  }
}
