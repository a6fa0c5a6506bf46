import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import type { VapidKey } from "../../control/alerts/push.ts";

/** How long a signature is valid, in seconds; RFC 8292 §2 allows a day. */
const LIFE_SECONDS = 12 * 60 * 60;
/** An uncompressed point begins with this byte. */
const UNCOMPRESSED = Buffer.of(4);

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Makes a new signing key on P-256. */
export function newVapidKey(): VapidKey {
  const {
    x = "",
    y = "",
    d = "",
  } = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
    format: "jwk",
  });
  return { x, y, d };
}

/** The public half in the form for browsers and push services: an uncompressed point in base64url. */
export function vapidPublicKey({ x, y }: VapidKey): string {
  return Buffer.concat([UNCOMPRESSED, Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]).toString("base64url");
}

/**
 * Returns the `Authorization` header that identifies the sender to a push service (RFC 8292): a token for the service's
 * origin, signed with ES256. `contact` is an https:// or mailto: address.
 */
export function vapidAuthorization(key: VapidKey, endpoint: string, contact: string, nowMs: number): string {
  const head = encoded({ typ: "JWT", alg: "ES256" });
  const exp = Math.floor(nowMs / 1_000) + LIFE_SECONDS;
  const claims = encoded({ aud: new URL(endpoint).origin, exp, sub: contact });
  const privateKey = createPrivateKey({ key: { kty: "EC", crv: "P-256", ...key }, format: "jwk" });
  const text = `${head}.${claims}`;
  const signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `vapid t=${text}.${signature.toString("base64url")}, k=${vapidPublicKey(key)}`;
}
