import type { SessionKeys } from "./session-keys.ts";

/** When keys are renewed, in packets. */
export type RotationPace = {
  /** Packets that are encrypted with one key. */
  readonly refreshAfter: number;
  /** The next key is sent so many packets before it is used; the last one is kept so many packets longer. */
  readonly announceBefore: number;
};

/** libsrt's pace. */
const USUAL_PACE: RotationPace = { refreshAfter: 2 ** 24, announceBefore: 2 ** 12 };
/** After so many attempts in quick succession the next ones are a second apart, in microseconds. */
const QUICK_ATTEMPTS = 10;
const SLOW_REPEAT_US = 1_000_000;
/** A peer that takes our packets for so long beyond the usual time has the key, and only does not say so. */
const UNCONFIRMED_FACTOR = 2;

type RotationDeps = {
  readonly keys: SessionKeys;
  readonly randomBytes: (length: number) => Buffer;
  readonly pace?: RotationPace;
};

/**
 * Renews the key of the packets that we send. The peer gets the next key before its first use, again and again until it
 * confirms; the present key is used until then. A peer without the key could read nothing more, and had no way to ask.
 */
export class KeyRotation {
  readonly #keys: SessionKeys;
  readonly #randomBytes: (length: number) => Buffer;
  readonly #pace: RotationPace;
  /** The key in use. */
  #index: 1 | 2 = 1;
  #count = 0;
  #pending: { readonly message: Buffer; attempts: number; dueUs: number } | undefined;
  #isAnnounced = false;

  constructor({ keys, randomBytes, pace = USUAL_PACE }: RotationDeps) {
    this.#keys = keys;
    this.#randomBytes = randomBytes;
    this.#pace = pace;
  }

  /** The key for the next packet. Call once for each packet. */
  next(): 1 | 2 {
    this.#count += 1;
    const { refreshAfter, announceBefore } = this.#pace;
    if (!this.#isAnnounced && this.#count > refreshAfter - announceBefore) {
      this.#isAnnounced = true;
      this.#keys.setKey(this.#index === 1 ? 2 : 1, this.#randomBytes(this.#keys.keyLength));
      this.#pending = { message: this.#keys.message(), attempts: 0, dueUs: 0 };
    }
    const isUnconfirmed = this.#pending !== undefined && this.#count <= refreshAfter * UNCONFIRMED_FACTOR;
    if (this.#count > refreshAfter && !isUnconfirmed) {
      this.#pending = undefined;
      this.#index = this.#index === 1 ? 2 : 1;
      this.#count = 1;
      this.#isAnnounced = false;
    }
    return this.#index;
  }

  /** The message to send now, if any. `repeatUs`: how long to wait for its confirmation, in microseconds. */
  due(nowUs: number, repeatUs: number): Buffer | undefined {
    const pending = this.#pending;
    if (pending === undefined || nowUs < pending.dueUs) return undefined;
    pending.attempts += 1;
    pending.dueUs = nowUs + (pending.attempts < QUICK_ATTEMPTS ? repeatUs : Math.max(repeatUs, SLOW_REPEAT_US));
    return pending.message;
  }

  /** The peer's reply. */
  confirmed(message: Buffer): void {
    if (this.#pending?.message.equals(message) === true) this.#pending = undefined;
  }
}
