import { createCipheriv, createECDH, ECDH, hkdfSync } from "node:crypto";

const CURVE = "prime256v1";
const SALT_BYTES = 16;
const POINT_BYTES = 65;
const AUTH_BYTES = 16;
/** One record holds every message of ours. */
const RECORD_BYTES = 4_096;
/** Ends the last record (RFC 8188 §2). */
const LAST_RECORD = Buffer.of(2);

/** The keys that a message is encrypted for: the subscription's public key and secret, base64url. */
export type PushKeys = { readonly p256dh: string; readonly auth: string };

/** The random parts of each message: the sender's private key on P-256 and the salt. */
export type PushRandom = { readonly privateKey: Uint8Array; readonly salt: Uint8Array };

/** Whether these can be the keys of a subscription: a point of the curve, and a secret of 16 bytes. */
export function arePushKeys({ p256dh, auth }: PushKeys): boolean {
  const point = Buffer.from(p256dh, "base64url");
  if (point.length !== POINT_BYTES || Buffer.from(auth, "base64url").length !== AUTH_BYTES) return false;
  try {
    ECDH.convertKey(point, CURVE);
    return true;
  } catch {
    return false;
  }
}

/** Draws a private key and a salt from a source of random bytes. */
export function pushRandom(randomBytes: (length: number) => Uint8Array): PushRandom {
  const ecdh = createECDH(CURVE);
  ecdh.generateKeys();
  return { privateKey: ecdh.getPrivateKey(), salt: randomBytes(SALT_BYTES) };
}

/**
 * Encrypts a message for one browser: RFC 8291 (keys) over RFC 8188 (`aes128gcm`, one record). Returns the body to
 * post. Throws where `p256dh` is not a point of the curve.
 */
export function encryptPush(text: string, { p256dh, auth }: PushKeys, { privateKey, salt }: PushRandom): Buffer {
  const receiver = Buffer.from(p256dh, "base64url");
  const ecdh = createECDH(CURVE);
  ecdh.setPrivateKey(Buffer.from(privateKey));
  const sender = ecdh.getPublicKey();
  const shared = ecdh.computeSecret(receiver);
  const keyInfo = Buffer.concat([Buffer.from("WebPush: info\0"), receiver, sender]);
  const material = Buffer.from(hkdfSync("sha256", shared, Buffer.from(auth, "base64url"), keyInfo, 32));
  const key = Buffer.from(hkdfSync("sha256", material, salt, "Content-Encoding: aes128gcm\0", 16));
  const nonce = Buffer.from(hkdfSync("sha256", material, salt, "Content-Encoding: nonce\0", 12));
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  const record = [cipher.update(Buffer.from(text)), cipher.update(LAST_RECORD), cipher.final(), cipher.getAuthTag()];
  const head = Buffer.alloc(5);
  head.writeUInt32BE(RECORD_BYTES);
  head.writeUInt8(sender.length, 4);
  return Buffer.concat([salt, head, sender, ...record]);
}
