/** Longer pauses of a node are a freeze: others may have taken its channels over. In milliseconds. */
export const FREEZE_MS = 2_000;
/** The bus has this long to bring the claims that were missed, in milliseconds. */
const BUS_CONFIRMS_MS = 1_000;
/** The bus alone confirms only where the database was asked so often since the pause, and did not answer. */
const DATABASE_TRIES = 2;
/** Without database and bus for this long a node is isolated, in milliseconds. */
export const ISOLATED_MS = 5_000;
/** An isolated node that has to stop goes on for this long, in milliseconds. */
export const ISOLATED_STOP_MS = 30_000;

/** What an isolated node does: goes on with what it has, or ends it after half a minute. */
export type IsolatedMode = "keep" | "stop";

/** `hold`: nothing is sent to targets. `stop`: every broadcast is to end. */
export type Flow = "flow" | "hold" | "stop";

/**
 * Decides whether a node may send. After a freeze it sends nothing until the database has confirmed its epochs. Where the
 * database fails twice, or is silent for five seconds, a second on the bus that brings no higher epoch is enough. A
 * connection to the bus that seems to be up proves little: it may have died during the pause, and messages may be lost.
 * Times are monotonic milliseconds.
 */
export class WakeGuard {
  readonly #mode: IsolatedMode;
  #wokeMs: number | undefined;
  #databaseMs: number;
  #busMs: number;
  #isBusUp = false;
  /** Comparisons with the database since the last pause that failed. */
  #failures = 0;

  constructor(mode: IsolatedMode, nowMs: number) {
    this.#mode = mode;
    this.#databaseMs = nowMs;
    this.#busMs = nowMs;
  }

  /** The node could not run for longer than FREEZE_MS, up to now. What was heard before no longer counts. */
  woke(nowMs: number): void {
    this.#wokeMs = nowMs;
    this.#failures = 0;
    this.#databaseMs = Math.max(this.#databaseMs, nowMs);
    if (this.#isBusUp) this.#busMs = nowMs;
  }

  /** The database compared all epochs, and was asked at `askedMs`. */
  compared(askedMs: number, nowMs: number): void {
    this.#databaseMs = nowMs;
    if (this.#wokeMs !== undefined && askedMs >= this.#wokeMs) this.#wokeMs = undefined;
  }

  /** The database was asked at `askedMs` to compare the epochs, and did not. */
  failed(askedMs: number): void {
    if (this.#wokeMs !== undefined && askedMs >= this.#wokeMs) this.#failures += 1;
  }

  /** Other nodes can be heard on the bus from now on, or no more. */
  bus(isUp: boolean, nowMs: number): void {
    // What is said once more must not begin the time without it again.
    if (isUp !== this.#isBusUp) this.#busMs = nowMs;
    this.#isBusUp = isUp;
  }

  flow(nowMs: number): Flow {
    if (this.#isBusUp) {
      const sinceMs = Math.max(this.#busMs, this.#wokeMs ?? 0);
      const enoughMs = this.#failures >= DATABASE_TRIES ? BUS_CONFIRMS_MS : ISOLATED_MS;
      if (nowMs - sinceMs >= enoughMs) this.#wokeMs = undefined;
    }
    const isolatedMs = this.isolatedMs(nowMs);
    if (this.#mode === "stop" && isolatedMs >= ISOLATED_STOP_MS) return "stop";
    if (this.#wokeMs === undefined) return "flow";
    // Nothing can confirm: the channels' own encoders decide.
    if (isolatedMs >= ISOLATED_MS && this.#mode === "keep") {
      this.#wokeMs = undefined;
      return "flow";
    }
    return "hold";
  }

  /** For how long neither the database nor the bus was there, in milliseconds. */
  isolatedMs(nowMs: number): number {
    return this.#isBusUp ? 0 : nowMs - Math.max(this.#databaseMs, this.#busMs);
  }

  /** For how long the database was not there, in milliseconds. */
  databaseSilentMs(nowMs: number): number {
    return nowMs - this.#databaseMs;
  }
}
