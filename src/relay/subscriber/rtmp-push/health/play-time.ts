/** How long a target has been on air, over all its links, in milliseconds. */
export class PlayTime {
  #beforeMs = 0;
  #sinceMs: number | undefined;
  /** The reported time: if some of it turns out not to have been on air, it is not subtracted again. */
  #reportedMs = 0;

  start(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  stop(nowMs: number): void {
    this.#beforeMs = this.total(nowMs);
    this.#sinceMs = undefined;
  }

  get isRunning(): boolean {
    return this.#sinceMs !== undefined;
  }

  total(nowMs: number): number {
    const presentMs = this.#sinceMs === undefined ? 0 : Math.max(0, nowMs - this.#sinceMs);
    this.#reportedMs = Math.max(this.#reportedMs, this.#beforeMs + presentMs);
    return this.#reportedMs;
  }
}
