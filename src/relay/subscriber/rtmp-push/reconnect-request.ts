/**
 * The least time between two connections that a target asked for, in milliseconds: a target may redirect us in a
 * circle.
 */
const INTERVAL_MS = 10_000;

/** A target's request to connect again (Enhanced RTMP's ReconnectRequest), until it is followed at a keyframe. */
export class ReconnectRequest {
  #request: { readonly url: string | undefined } | undefined;
  #isUnderWay = false;
  #lastMs: number | undefined;

  /** Whether the last attempt goes to the address that the target named. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** Takes a request. `url` undefined: at the same address. */
  ask(url: string | undefined): void {
    this.#request = { url };
  }

  /** Whether there is a request that was not followed yet. */
  get isAsked(): boolean {
    return this.#request !== undefined;
  }

  /** Whether to follow the request now; if so, this counts as one time. */
  isDue(nowMs: number): boolean {
    if (this.#request === undefined) return false;
    if (this.#lastMs !== undefined && nowMs - this.#lastMs < INTERVAL_MS) return false;
    this.#lastMs = nowMs;
    return true;
  }

  /** Returns the address for the next attempt, and for that one only; undefined: the target's own. */
  take(): string | undefined {
    const url = this.#request?.url;
    this.#request = undefined;
    this.#isUnderWay = url !== undefined;
    return url;
  }

  /** Forgets the request: the target's address or key changed, or the broadcast is over. */
  forget(): void {
    this.#request = undefined;
    this.#isUnderWay = false;
  }
}
