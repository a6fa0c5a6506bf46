import type { IngestSlot } from "../../thread-protocol/channel-spec.ts";

/**
 * This many takeovers of one slot are allowed within the window. With the next one two encoders push each other out.
 */
const TAKEOVERS_MAX = 3;
const WINDOW_MS = 30_000;
/** … and newcomers are refused for this long, in milliseconds. */
const REFUSAL_MS = 30_000;

/**
 * A newcomer with the right key replaces the present publisher, so that a dead connection locks no encoder out. Two
 * encoders that share a key would then push each other out for ever: after three takeovers in half a minute the one on
 * air stays.
 */
export class TakeoverGuard {
  #takeovers: number[] = [];
  #refusesUntilMs = 0;

  /** Whether a takeover is allowed now. An allowed one is counted. */
  allows(nowMs: number): boolean {
    if (nowMs < this.#refusesUntilMs) return false;
    this.#takeovers = this.#takeovers.filter((atMs) => nowMs - atMs < WINDOW_MS);
    if (this.#takeovers.length >= TAKEOVERS_MAX) {
      this.#refusesUntilMs = nowMs + REFUSAL_MS;
      return false;
    }
    this.#takeovers.push(nowMs);
    return true;
  }
}

/** One guard for each of a channel's keys. */
export function takeoverGuards(): Readonly<Record<IngestSlot, TakeoverGuard>> {
  return { main: new TakeoverGuard(), backup: new TakeoverGuard() };
}
