import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "../base/clock.ts";

/** An encoder answers at once; a person who types a password in has had it typed before. In milliseconds. */
const VALID_MS = 60_000;
/** Used ones are remembered until they expire: more than this many at once is no crowd of encoders. */
const USED_MAX = 65_536;

/**
 * Together 22 characters: librtmp copies the challenge into 56 bytes behind 24 of its own and before 8 more, without looking, and
 * a longer one breaks the encoder.
 */
const EXPIRY_BYTES = 4;
const NONCE_BYTES = 4;
const MAC_BYTES = 8;
const HEAD_CHARACTERS = 11;

const MS_PER_SECOND = 1_000;
const SALT_BYTES = 8;
const SECRET_BYTES = 32;

export type ChallengeDeps = { readonly clock: Clock; readonly randomBytes: (length: number) => Buffer };

/**
 * What encoders prove their password with. Nothing is kept of a challenge that was given, so asking for many costs us nothing:
 * it carries its own expiry and proof of origin, and is good once, for one user, from the address that asked.
 */
export class LoginChallenges {
  readonly #deps: ChallengeDeps;
  /** Of this process: challenges do not outlive it. */
  readonly #secret: Buffer;
  /** Challenges that were used, with when they expire: in the order of their use. */
  readonly #used = new Map<string, number>();

  constructor(deps: ChallengeDeps) {
    this.#deps = deps;
    this.#secret = deps.randomBytes(SECRET_BYTES);
  }

  /** The same for a user at all times, whether there is such a user or not. */
  saltOf(userId: string): string {
    return this.#mac("salt", userId).subarray(0, SALT_BYTES).toString("hex");
  }

  give(userId: string, address: string): string {
    const expiry = Buffer.alloc(EXPIRY_BYTES);
    expiry.writeUInt32BE(Math.floor((this.#deps.clock.now() + VALID_MS) / MS_PER_SECOND));
    const head = Buffer.concat([expiry, this.#deps.randomBytes(NONCE_BYTES)]).toString("base64url");
    return `${head}${this.#proof(head, userId, address)}`;
  }

  /** Whether it was given to this user and address, is not over, and was not used before; it is used up by being asked about. */
  use(challenge: string, userId: string, address: string): boolean {
    const head = challenge.slice(0, HEAD_CHARACTERS);
    if (!isEqual(challenge, `${head}${this.#proof(head, userId, address)}`)) return false;
    const expiresMs = Buffer.from(head, "base64url").readUInt32BE() * MS_PER_SECOND;
    const nowMs = this.#deps.clock.now();
    this.#forget(nowMs);
    if (expiresMs <= nowMs || this.#used.has(head) || this.#used.size >= USED_MAX) return false;
    this.#used.set(head, expiresMs);
    return true;
  }

  #forget(nowMs: number): void {
    for (const [head, expiresMs] of this.#used) {
      // Used soon after they were given: those behind are hardly older, and the next call looks again.
      if (expiresMs > nowMs) return;
      this.#used.delete(head);
    }
  }

  #proof(head: string, userId: string, address: string): string {
    return this.#mac("challenge", head, address, userId).subarray(0, MAC_BYTES).toString("base64url");
  }

  #mac(...parts: readonly string[]): Buffer {
    return createHmac("sha256", this.#secret).update(JSON.stringify(parts)).digest();
  }
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
