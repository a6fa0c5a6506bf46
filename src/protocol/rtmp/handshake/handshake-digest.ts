import { createHmac } from "node:crypto";

/** Where a packet has the offset of its digest: before the region of the key, or after it. */
type Schema = { readonly offsetAt: number };
const DIGEST_FIRST: Schema = { offsetAt: 8 };
const KEY_FIRST: Schema = { offsetAt: 772 };

const PACKET_BYTES = 1_536;
const DIGEST_BYTES = 32;
/** The digest is in a region of 764 bytes, after the four bytes with its offset. */
const DIGEST_PLACES = 728;
/** The four bytes after the time: 0 in a simple handshake, else a version that announces a digest. */
const VERSION_AT = 4;
/** A version that makes players expect a signing server; FFmpeg looks for a digest from 3 on. */
const SERVER_VERSION = Buffer.from([4, 5, 0, 1]);

const PLAYER_KEY = Buffer.from("Genuine Adobe Flash Player 001");
const SERVER_KEY = Buffer.from("Genuine Adobe Flash Media Server 001");
const KEY_SUFFIX = Buffer.from("f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae", "hex");
const SERVER_KEY_WHOLE = Buffer.concat([SERVER_KEY, KEY_SUFFIX]);

/** The random parts of S1 and S2. They protect nothing: the keys are public. */
type DigestFill = {
  /** 1528 bytes. */
  readonly s1: Buffer;
  /** 1504 bytes. */
  readonly s2: Buffer;
};

/**
 * S1 and S2 for a C1 with a valid digest, in the schema of that digest. Undefined for every other C1, which gets a
 * simple reply with version 0: FFmpeg's player breaks off at a version without a digest.
 */
export function digestReply(c1: Buffer, fill: DigestFill): Buffer | undefined {
  if (c1.readUInt32BE(VERSION_AT) === 0) return undefined;
  for (const schema of [DIGEST_FIRST, KEY_FIRST]) {
    const digestAt = digestPlace(c1, schema);
    const digest = c1.subarray(digestAt, digestAt + DIGEST_BYTES);
    if (digestOf(c1, digestAt, PLAYER_KEY).equals(digest)) {
      return Buffer.concat([signedS1(fill.s1, schema), signedS2(fill.s2, digest)]);
    }
  }
  return undefined;
}

function signedS1(random: Buffer, schema: Schema): Buffer {
  const s1 = Buffer.concat([Buffer.alloc(VERSION_AT), SERVER_VERSION, random], PACKET_BYTES);
  const digestAt = digestPlace(s1, schema);
  digestOf(s1, digestAt, SERVER_KEY).copy(s1, digestAt);
  return s1;
}

/** S2 signs C1's digest: only a server that read it can. */
function signedS2(random: Buffer, c1Digest: Buffer): Buffer {
  const signature = hmac(hmac(SERVER_KEY_WHOLE, [c1Digest]), [random]);
  return Buffer.concat([random, signature]);
}

/** The sum of four bytes gives the digest's offset within its region. */
function digestPlace(packet: Buffer, { offsetAt }: Schema): number {
  let sum = 0;
  for (let at = offsetAt; at < offsetAt + 4; at += 1) sum += packet.readUInt8(at);
  return offsetAt + 4 + (sum % DIGEST_PLACES);
}

/** A digest is computed over the packet without the digest. */
function digestOf(packet: Buffer, digestAt: number, key: Buffer): Buffer {
  return hmac(key, [packet.subarray(0, digestAt), packet.subarray(digestAt + DIGEST_BYTES)]);
}

function hmac(key: Buffer, parts: readonly Buffer[]): Buffer {
  const made = createHmac("sha256", key);
  for (const part of parts) made.update(part);
  return made.digest();
}
