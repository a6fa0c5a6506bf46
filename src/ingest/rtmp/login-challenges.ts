import { createHmac, timingSafeEqual } from "node:crypto";

/** How long a challenge is valid, in milliseconds. Encoders reply at once: the password was typed in before. */
const VALID_MS = 60_000;

/**
 * Together 22 characters. librtmp copies the challenge into 56 bytes, behind 24 characters of its own and before 8 more, without
 * a bounds check: a longer challenge crashes the encoder.
 */
const EXPIRY_BYTES = 4;
const NONCE_BYTES = 4;
const MAC_BYTES = 8;
const HEAD_CHARACTERS = 11;

const MS_PER_SECOND = 1_000;
const SALT_BYTES = 8;

export type ChallengeDeps = {
  /** Monotonic milliseconds, the same in all media threads: each step of a login may arrive at another thread. */
  readonly processNow: () => number;
  /** The same in all threads, new in each process: challenges do not outlive it. */
  readonly challengeSecret: Uint8Array;
  readonly randomBytes: (length: number) => Buffer;
};

/**
 * Challenges with which encoders prove their password. A challenge holds its own expiry and proof of origin, and is
 * valid for one user from the address that asked. None is stored, so asking for many costs no memory.
 */
export class LoginChallenges {
  readonly #deps: ChallengeDeps;

  constructor(deps: ChallengeDeps) {
    this.#deps = deps;
  }

  /** A user name's salt as 16 hexadecimal digits. Always the same, whether the user exists or not. */
  saltOf(userId: string): string {
    return this.#mac("salt", userId).subarray(0, SALT_BYTES).toString("hex");
  }

  /** A new challenge, 22 characters long. */
  give(userId: string, address: string): string {
    const expiry = Buffer.alloc(EXPIRY_BYTES);
    expiry.writeUInt32BE(Math.floor((this.#deps.processNow() + VALID_MS) / MS_PER_SECOND));
    const head = Buffer.concat([expiry, this.#deps.randomBytes(NONCE_BYTES)]).toString("base64url");
    return `${head}${this.#proof(head, userId, address)}`;
  }

  /** Whether the challenge was given to this user and address, and has not expired. */
  isGood(challenge: string, userId: string, address: string): boolean {
    const head = challenge.slice(0, HEAD_CHARACTERS);
    if (!isEqual(challenge, `${head}${this.#proof(head, userId, address)}`)) return false;
    return Buffer.from(head, "base64url").readUInt32BE() * MS_PER_SECOND > this.#deps.processNow();
  }

  #proof(head: string, userId: string, address: string): string {
    return this.#mac("challenge", head, address, userId).subarray(0, MAC_BYTES).toString("base64url");
  }

  #mac(...parts: readonly string[]): Buffer {
    return createHmac("sha256", this.#deps.challengeSecret).update(JSON.stringify(parts)).digest();
  }
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
