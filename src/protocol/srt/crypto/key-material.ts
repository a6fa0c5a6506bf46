import { createCipheriv, createDecipheriv, pbkdf2Sync } from "node:crypto";

// The message that carries keys: draft-sharabayko-srt, sections 3.2.2 and 6.

export const SALT_BYTES = 16;
const HEAD_BYTES = 16;
const WRAP_BYTES = 8;
const PBKDF2_ROUNDS = 2_048;
/** Only the last half of the salt derives the key that wraps. */
const PBKDF2_SALT_AT = 8;
const WRAP_START = Buffer.alloc(WRAP_BYTES, 0xa6);
const VERSION_AND_TYPE = 0x12;
const SIGNATURE = 0x2029;
const AES_CTR = 2;
const MPEG_TS_OVER_SRT = 2;

/** Lengths of a key, in bytes. */
const KEY_LENGTHS = [16, 24, 32] as const;
export type KeyLength = (typeof KEY_LENGTHS)[number];

/** The even key, the odd one, or both. */
export type KeyPair = { readonly even?: Buffer; readonly odd?: Buffer };

/** A key message before its keys are unwrapped. */
export type WrappedKeys = {
  readonly salt: Buffer;
  readonly keyLength: KeyLength;
  readonly hasEven: boolean;
  readonly hasOdd: boolean;
  readonly wrapped: Buffer;
};

/**
 * Reads a key message. `other-cipher`: it is well-formed, but not for AES-CTR. The length is checked before anything else
 * is read.
 */
export function readKeyMessage(message: Buffer): WrappedKeys | "malformed" | "other-cipher" {
  if (message.length < HEAD_BYTES + SALT_BYTES) return "malformed";
  if (message.readUInt8(0) !== VERSION_AND_TYPE || message.readUInt16BE(1) !== SIGNATURE) return "malformed";
  if (message.readUInt8(8) !== AES_CTR || message.readUInt8(9) !== 0) return "other-cipher";
  const which = message.readUInt8(3) & 3;
  const keyLength = KEY_LENGTHS.find((length) => length / 4 === message.readUInt8(15));
  if (which === 0 || keyLength === undefined) return "malformed";
  if (message.readUInt8(10) !== MPEG_TS_OVER_SRT || message.readUInt8(14) !== SALT_BYTES / 4) return "malformed";
  const keyCount = which === 3 ? 2 : 1;
  if (message.length !== HEAD_BYTES + SALT_BYTES + keyCount * keyLength + WRAP_BYTES) return "malformed";
  return {
    salt: Buffer.from(message.subarray(HEAD_BYTES, HEAD_BYTES + SALT_BYTES)),
    keyLength,
    hasEven: (which & 1) !== 0,
    hasOdd: (which & 2) !== 0,
    wrapped: message.subarray(HEAD_BYTES + SALT_BYTES),
  };
}

/** Writes the message with these keys: the even one first. */
export function keyMessage({ even, odd }: KeyPair, salt: Buffer, wrappingKey: Buffer): Buffer {
  const keys = Buffer.concat([even ?? Buffer.alloc(0), odd ?? Buffer.alloc(0)]);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(VERSION_AND_TYPE, 0);
  head.writeUInt16BE(SIGNATURE, 1);
  head.writeUInt8((even === undefined ? 0 : 1) | (odd === undefined ? 0 : 2), 3);
  head.writeUInt8(AES_CTR, 8);
  head.writeUInt8(MPEG_TS_OVER_SRT, 10);
  head.writeUInt8(SALT_BYTES / 4, 14);
  head.writeUInt8(wrappingKey.length / 4, 15);
  const cipher = createCipheriv(wrapName(wrappingKey), wrappingKey, WRAP_START);
  return Buffer.concat([head, salt, cipher.update(keys), cipher.final()]);
}

/** The key that wraps keys: PBKDF2 of the passphrase. Takes about 0.6 ms. */
export function wrappingKeyOf(passphrase: string, salt: Buffer, keyLength: KeyLength): Buffer {
  return pbkdf2Sync(passphrase, salt.subarray(PBKDF2_SALT_AT), PBKDF2_ROUNDS, keyLength, "sha1");
}

/** Unwraps the keys. Undefined where the wrapping key is another one: another passphrase. */
export function unwrapKeys(
  { wrapped, keyLength, hasEven, hasOdd }: WrappedKeys,
  wrappingKey: Buffer,
): KeyPair | undefined {
  try {
    const decipher = createDecipheriv(wrapName(wrappingKey), wrappingKey, WRAP_START);
    const keys = Buffer.concat([decipher.update(wrapped), decipher.final()]);
    const last = keys.subarray(keys.length - keyLength);
    return { ...(hasEven ? { even: keys.subarray(0, keyLength) } : {}), ...(hasOdd ? { odd: last } : {}) };
  } catch {
    // OpenSSL reports a failed check of integrity as an error without a code.
    return undefined;
  }
}

const wrapName = (wrappingKey: Buffer) => `id-aes${wrappingKey.length * 8}-wrap`;
