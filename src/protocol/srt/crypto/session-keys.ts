import { timingSafeEqual } from "node:crypto";
import type { KeyIndex } from "../wire/packet.ts";
import {
  type KeyLength,
  type KeyPair,
  keyMessage,
  readKeyMessage,
  SALT_BYTES,
  unwrapKeys,
  wrappingKeyOf,
} from "./key-material.ts";
import { Keystream } from "./keystream.ts";

export type KeyFault = "malformed" | "other-cipher" | "bad-secret";

type UsedKey = { readonly key: Buffer; readonly stream: Keystream };

/**
 * The keys of one connection. Both directions use the same salt and keys. The salt stays for the connection's life, so
 * a refresh derives nothing from the passphrase again.
 */
export class SessionKeys {
  readonly #salt: Buffer;
  readonly #wrappingKey: Buffer;
  readonly keyLength: KeyLength;
  #even: UsedKey | undefined;
  #odd: UsedKey | undefined;

  private constructor(salt: Buffer, wrappingKey: Buffer, keyLength: KeyLength, keys: KeyPair) {
    this.#salt = salt;
    this.#wrappingKey = wrappingKey;
    this.keyLength = keyLength;
    this.#even = this.#use(keys.even);
    this.#odd = this.#use(keys.odd);
  }

  /** The keys that a caller sends. */
  static accept(message: Buffer, passphrase: string): SessionKeys | KeyFault {
    const wrapped = readKeyMessage(message);
    if (typeof wrapped === "string") return wrapped;
    const wrappingKey = wrappingKeyOf(passphrase, wrapped.salt, wrapped.keyLength);
    const keys = unwrapKeys(wrapped, wrappingKey);
    if (keys === undefined) return "bad-secret";
    return new SessionKeys(wrapped.salt, wrappingKey, wrapped.keyLength, keys);
  }

  /** New keys for a connection that we open. */
  static create(passphrase: string, keyLength: KeyLength, randomBytes: (length: number) => Buffer): SessionKeys {
    const salt = randomBytes(SALT_BYTES);
    const wrappingKey = wrappingKeyOf(passphrase, salt, keyLength);
    return new SessionKeys(salt, wrappingKey, keyLength, { even: randomBytes(keyLength) });
  }

  /** The message that carries all present keys. */
  message(): Buffer {
    const even = this.#even === undefined ? {} : { even: this.#even.key };
    const odd = this.#odd === undefined ? {} : { odd: this.#odd.key };
    return keyMessage({ ...even, ...odd }, this.#salt, this.#wrappingKey);
  }

  /** Takes the peer's new keys. Returns false, and keeps the present ones, where the message is not good. */
  refresh(message: Buffer): boolean {
    const wrapped = readKeyMessage(message);
    if (typeof wrapped === "string" || wrapped.keyLength !== this.keyLength) return false;
    if (!timingSafeEqual(wrapped.salt, this.#salt)) return false;
    const keys = unwrapKeys(wrapped, this.#wrappingKey);
    if (keys === undefined) return false;
    this.#even = this.#use(keys.even) ?? this.#even;
    this.#odd = this.#use(keys.odd) ?? this.#odd;
    return true;
  }

  /** Replaces one of the two keys, for the packets that we send. */
  setKey(index: 1 | 2, key: Buffer): void {
    if (index === 1) this.#even = this.#use(key);
    else this.#odd = this.#use(key);
  }

  /** Encrypts or decrypts in place, which is the same with AES-CTR. Returns false where there is no such key. */
  apply(index: KeyIndex, sequence: number, payload: Buffer): boolean {
    const used = index === 1 ? this.#even : index === 2 ? this.#odd : undefined;
    used?.stream.apply(sequence, payload);
    return used !== undefined;
  }

  #use(key: Buffer | undefined): UsedKey | undefined {
    return key === undefined ? undefined : { key, stream: new Keystream(key, this.#salt) };
  }
}
