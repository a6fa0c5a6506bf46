/** Between two connections that a target asked for, in milliseconds: one that sends us from place to place is followed slowly. */
const INTERVAL_MS = 10_000;

/** A target's wish to be connected to again (Enhanced RTMP's ReconnectRequest), until it is followed at a keyframe. */
export class ReconnectRequest {
  #wish: { readonly url: string | undefined } | undefined;
  #isUnderWay = false;
  #lastMs: number | undefined;

  /** The attempt that was begun last goes where the target sent us. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** `url`: undefined for the address it has. */
  ask(url: string | undefined): void {
    this.#wish = { url };
  }

  /** Whether there is a wish that was not followed yet. */
  get isAsked(): boolean {
    return this.#wish !== undefined;
  }

  /** Whether to go now. */
  isDue(nowMs: number): boolean {
    if (this.#wish === undefined) return false;
    if (this.#lastMs !== undefined && nowMs - this.#lastMs < INTERVAL_MS) return false;
    this.#lastMs = nowMs;
    return true;
  }

  /** The address for the next attempt, where it is another than the target's own; for that one attempt only. */
  take(): string | undefined {
    const url = this.#wish?.url;
    this.#wish = undefined;
    this.#isUnderWay = url !== undefined;
    return url;
  }

  /** The address that was left for it is the target's no more, or the broadcast is over: the next attempt is at the target's own. */
  forget(): void {
    this.#wish = undefined;
    this.#isUnderWay = false;
  }
}
