import { createCipheriv } from "node:crypto";
import { expect, test } from "vitest";
import {
  keyMessage,
  readKeyMessage,
  unwrapKeys,
  wrappingKeyOf,
} from "../../../src/protocol/srt/crypto/key-material.ts";
import { Keystream } from "../../../src/protocol/srt/crypto/keystream.ts";
import { SessionKeys } from "../../../src/protocol/srt/crypto/session-keys.ts";
import { sequenceOf } from "../../../src/protocol/srt/wire/packet.ts";
import { addSequence } from "../../../src/protocol/srt/wire/sequence.ts";
import { ENCRYPTED, REFRESHED } from "./vectors.ts";

function accepted(message: Buffer, passphrase: string): SessionKeys {
  const keys = SessionKeys.accept(message, passphrase);
  if (typeof keys === "string") throw new Error(keys);
  return keys;
}

test("the wrapping key, the keys and the message of libsrt", () => {
  const wrapped = readKeyMessage(ENCRYPTED.keyMessage);
  if (typeof wrapped === "string") throw new Error(wrapped);
  expect(wrapped.salt).toEqual(ENCRYPTED.salt);
  const wrappingKey = wrappingKeyOf(ENCRYPTED.passphrase, ENCRYPTED.salt, 16);
  expect(wrappingKey).toEqual(ENCRYPTED.wrappingKey);
  expect(unwrapKeys(wrapped, wrappingKey)).toEqual({ even: ENCRYPTED.evenKey });
  expect(keyMessage({ even: ENCRYPTED.evenKey }, ENCRYPTED.salt, wrappingKey)).toEqual(ENCRYPTED.keyMessage);
});

/** What a packet's bytes become; undefined without the key. */
function applied(keys: SessionKeys, index: 1 | 2, sequence: number, payload: Buffer): Buffer | undefined {
  const copy = Buffer.from(payload);
  return keys.apply(index, sequence, copy) ? copy : undefined;
}

test("the first packet of libsrt is decrypted, and encrypted to the same bytes", () => {
  const keys = accepted(ENCRYPTED.keyMessage, ENCRYPTED.passphrase);
  const sequence = sequenceOf(ENCRYPTED.dataHeader);
  expect(applied(keys, 1, sequence, ENCRYPTED.cipherText)).toEqual(ENCRYPTED.plainText);
  expect(applied(keys, 1, sequence, ENCRYPTED.plainText)).toEqual(ENCRYPTED.cipherText);
  expect(applied(keys, 2, sequence, ENCRYPTED.cipherText)).toBeUndefined();
});

test.each([16, 24, 32])(
  "packets in any order, of any length and over the wrap are AES-CTR's: %i bytes of key",
  (length) => {
    const key = Buffer.alloc(length, 7);
    const salt = Buffer.from("00112233445566778899aabbfffefdfc", "hex");
    const stream = new Keystream(key, salt);
    const offsets = [0, 1, 2, 9, 10, 3, 11, 12, 40, 41, 40, 5, 1_000, 1_001, 999, 0];
    const lengths = [1_316, 188, 1_456, 1, 15, 16, 17, 1_328, 1_329, 1_315];
    for (const [turn, offset] of offsets.entries()) {
      const sequence = addSequence(0x7ffffffa, offset);
      const plain = Buffer.alloc(lengths[turn % lengths.length] ?? 0, turn + 1);
      const counter = Buffer.concat([salt.subarray(0, 14), Buffer.alloc(2)]);
      counter.writeUInt32BE((counter.readUInt32BE(10) ^ sequence) >>> 0, 10);
      // Also where the memory is not that of whole words.
      const packet = Buffer.concat([Buffer.alloc(16 + (turn % 3)), plain]).subarray(16 + (turn % 3));
      stream.apply(sequence, packet);
      expect(packet).toEqual(createCipheriv(`aes-${length * 8}-ctr`, key, counter).update(plain));
    }
  },
);

test("AES-256 with a renewed key: both keys are read, the odd one decrypts, and the old one still does", () => {
  const keys = accepted(REFRESHED.first, REFRESHED.passphrase);
  expect(wrappingKeyOf(REFRESHED.passphrase, REFRESHED.first.subarray(16, 32), 32)).toEqual(REFRESHED.wrappingKey);
  const before = applied(keys, 1, 7, REFRESHED.cipherText);
  expect(keys.refresh(REFRESHED.second)).toBe(true);
  expect(keys.message()).toEqual(REFRESHED.second);
  const plain = applied(keys, 2, REFRESHED.sequence, REFRESHED.cipherText);
  expect(plain?.subarray(0, 30)).toEqual(REFRESHED.plainHead);
  expect(applied(keys, 1, 7, REFRESHED.cipherText)).toEqual(before);
  expect(
    keyMessage(
      { even: REFRESHED.evenKey, odd: REFRESHED.oddKey },
      REFRESHED.first.subarray(16, 32),
      REFRESHED.wrappingKey,
    ),
  ).toEqual(REFRESHED.second);
});

test("a renewal that is not good leaves the present keys", () => {
  const keys = accepted(REFRESHED.first, REFRESHED.passphrase);
  const damaged = Buffer.from(REFRESHED.second);
  damaged.writeUInt8(damaged.readUInt8(60) ^ 1, 60);
  const otherSalt = Buffer.from(REFRESHED.second);
  otherSalt.writeUInt8(otherSalt.readUInt8(20) ^ 1, 20);
  for (const message of [damaged, otherSalt, ENCRYPTED.keyMessage, Buffer.alloc(0)])
    expect(keys.refresh(message)).toBe(false);
  expect(keys.message()).toEqual(REFRESHED.first);
});

test("another passphrase", () => {
  expect(SessionKeys.accept(ENCRYPTED.keyMessage, "test-passphrase-2")).toBe("bad-secret");
});

test.each([0, 31, 55, 57, 72, 105, 1_400])("a key message of %i bytes is refused before anything is read", (length) => {
  const message = Buffer.alloc(length);
  ENCRYPTED.keyMessage.copy(message);
  expect(readKeyMessage(message)).toBe("malformed");
});

test.each([
  { name: "AES-GCM", at: 8, value: 4, verdict: "other-cipher" },
  { name: "authentication", at: 9, value: 1, verdict: "other-cipher" },
  { name: "no key", at: 3, value: 0, verdict: "malformed" },
  { name: "another length of key", at: 15, value: 5, verdict: "malformed" },
  { name: "another length of salt", at: 14, value: 2, verdict: "malformed" },
  { name: "another encapsulation", at: 10, value: 0, verdict: "malformed" },
  { name: "another signature", at: 1, value: 0, verdict: "malformed" },
])("a key message with $name", ({ at, value, verdict }) => {
  const message = Buffer.from(ENCRYPTED.keyMessage);
  message.writeUInt8(value, at);
  expect(readKeyMessage(message)).toBe(verdict);
});
