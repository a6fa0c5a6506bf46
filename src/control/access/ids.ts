import type { ChannelId } from "../../thread-protocol/channel-spec.ts";

/** Bytes from a cryptographic source. */
export type RandomBytes = (size: number) => Uint8Array;

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";

/** A source that returns nothing usable this often in a row is broken; that never happens by chance. */
const EMPTY_DRAWS_MAX = 100;

/** Korea has one time zone, nine hours ahead of UTC, and no summer time. */
const KST_OFFSET_MS = 9 * 60 * 60 * 1000;

/**
 * `length` characters of `alphabet`, each equally likely. Bytes at or above the largest multiple of the alphabet's
 * length are discarded: a plain remainder would favour the first characters.
 */
export function randomText(length: number, alphabet: string, randomBytes: RandomBytes): string {
  const usable = 256 - (256 % alphabet.length);
  let text = "";
  let emptyDraws = 0;
  while (text.length < length) {
    const before = text.length;
    for (const byte of randomBytes(length - text.length)) {
      if (byte < usable && text.length < length) text += alphabet.charAt(byte % alphabet.length);
    }
    emptyDraws = text.length === before ? emptyDraws + 1 : 0;
    if (emptyDraws > EMPTY_DRAWS_MAX) throw new Error("the source of random bytes is broken");
  }
  return text;
}

/** `ls-`, the time in Korea as `YYYYMMDDhhmmss`, `-` and five random characters: the form of Live Station's ids. */
export function newChannelId(wallMs: number, randomBytes: RandomBytes): ChannelId {
  const stamp = new Date(wallMs + KST_OFFSET_MS).toISOString().replace(/\D/g, "").slice(0, 14);
  return `ls-${stamp}-${randomText(5, UPPER + LOWER + DIGITS, randomBytes)}`;
}

/** The key with which an encoder publishes: 32 of `[a-z0-9]`, 165 bits. */
export function newStreamKey(randomBytes: RandomBytes): string {
  return randomText(32, LOWER + DIGITS, randomBytes);
}

/** 20 of `[A-Z0-9]`. */
export function newAccessKeyId(randomBytes: RandomBytes): string {
  return randomText(20, UPPER + DIGITS, randomBytes);
}

/** 40 of `[A-Za-z0-9]`, 238 bits. */
export function newSecretKey(randomBytes: RandomBytes): string {
  return randomText(40, UPPER + LOWER + DIGITS, randomBytes);
}
