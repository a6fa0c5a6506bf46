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

/** What all have in common that a step of a login may arrive at: the threads of a process, or those of several servers. */
export type ChallengeBasis = {
  /** The first signs, all are accepted: there are two while the secret changes. */
  readonly secrets: readonly Uint8Array[];
  /** Milliseconds. */
  readonly now: () => number;
  /** How far the readings of `now` may be apart, in milliseconds. */
  readonly skewMs: number;
};

export type ChallengeDeps = {
  readonly challenges: ChallengeBasis;
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

  /** A new challenge, 22 characters long, and the user name's salt. */
  give(userId: string, address: string): { readonly token: string; readonly salt: string } {
    const { secrets, now } = this.#deps.challenges;
    const expiry = Buffer.alloc(EXPIRY_BYTES);
    expiry.writeUInt32BE(Math.floor((now() + VALID_MS) / MS_PER_SECOND));
    const head = Buffer.concat([expiry, this.#deps.randomBytes(NONCE_BYTES)]).toString("base64url");
    const secret = firstOf(secrets);
    return { token: `${head}${proof(secret, head, userId, address)}`, salt: saltOf(secret, userId) };
  }

  /** Whether the challenge was given to this user and address, and has not expired; and the salt given with it. */
  check(challenge: string, userId: string, address: string): { readonly isGood: boolean; readonly salt: string } {
    const { secrets, now, skewMs } = this.#deps.challenges;
    const head = challenge.slice(0, HEAD_CHARACTERS);
    const signer = secrets.find((secret) => isEqual(challenge, `${head}${proof(secret, head, userId, address)}`));
    if (signer === undefined) return { isGood: false, salt: saltOf(firstOf(secrets), userId) };
    const leftMs = Buffer.from(head, "base64url").readUInt32BE() * MS_PER_SECOND - now();
    return { isGood: leftMs > -skewMs && leftMs <= VALID_MS + skewMs, salt: saltOf(signer, userId) };
  }
}

function firstOf(secrets: readonly Uint8Array[]): Uint8Array {
  const [first] = secrets;
  if (first === undefined) throw new Error("no secret for challenges");
  return first;
}

/** 16 hexadecimal digits. Always the same, whether the user exists or not. */
function saltOf(secret: Uint8Array, userId: string): string {
  return mac(secret, "salt", userId).subarray(0, SALT_BYTES).toString("hex");
}

function proof(secret: Uint8Array, head: string, userId: string, address: string): string {
  return mac(secret, "challenge", head, address, userId).subarray(0, MAC_BYTES).toString("base64url");
}

function mac(secret: Uint8Array, ...parts: readonly string[]): Buffer {
  return createHmac("sha256", secret).update(JSON.stringify(parts)).digest();
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
