import { createHmac, timingSafeEqual } from "node:crypto";

/** A request is rejected where its timestamp differs from the server's clock by more than this, in milliseconds. */
export const TIMESTAMP_TOLERANCE_MS = 300_000;

const MS_PER_SECOND = 1_000;

/** What NAVER Cloud's signature v2 covers. It does not cover the body. */
export type SignedRequest = {
  readonly method: string;
  /** Path and query exactly as on the request line: not sorted, decoded or re-encoded. */
  readonly requestTarget: string;
  /** The `x-ncp-apigw-timestamp` header as received, milliseconds since the Unix epoch. */
  readonly timestamp: string;
  /** The `x-ncp-iam-access-key` header. */
  readonly accessKey: string;
};

function stringToSign(request: SignedRequest): string {
  return `${request.method} ${request.requestTarget}\n${request.timestamp}\n${request.accessKey}`;
}

/** Base64(HMAC-SHA256(secret key, string-to-sign)), the value of `x-ncp-apigw-signature-v2`. */
export function sign(request: SignedRequest, secretKey: string): string {
  return createHmac("sha256", secretKey).update(stringToSign(request), "utf8").digest("base64");
}

/** Compares in constant time, so that the timing of an answer reveals nothing about the right signature. */
export function isSignatureValid(request: SignedRequest, secretKey: string, signature: string): boolean {
  const expected = Buffer.from(sign(request, secretKey), "latin1");
  const given = Buffer.from(signature, "utf8");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/**
 * A sentence about a timestamp that is not in whole milliseconds or not within the tolerance; undefined for a valid
 * one.
 */
export function timestampProblem(timestamp: string, nowMs: number): string | undefined {
  if (!/^\d{1,16}$/.test(timestamp)) return "The timestamp must be milliseconds since 1970-01-01 UTC.";
  const aheadMs = Number(timestamp) - nowMs;
  if (Math.abs(aheadMs) <= TIMESTAMP_TOLERANCE_MS) return undefined;
  const apart = `${Math.abs(aheadMs) / MS_PER_SECOND} s ${aheadMs > 0 ? "ahead of" : "behind"}`;
  return `The timestamp is ${apart} this server's clock; ${TIMESTAMP_TOLERANCE_MS / MS_PER_SECOND} s are allowed.`;
}
