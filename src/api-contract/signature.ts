import { createHmac, timingSafeEqual } from "node:crypto";

/** A request is refused where its timestamp is further than this from the server's clock, in milliseconds. */
export const TIMESTAMP_TOLERANCE_MS = 300_000;

const MS_PER_SECOND = 1_000;

/** What NAVER Cloud's signature v2 covers. The body is not part of it. */
export type SignedRequest = {
  readonly method: string;
  /** Path and query exactly as on the request line: nothing sorted, decoded or re-encoded. */
  readonly requestTarget: string;
  /** The `x-ncp-apigw-timestamp` header as it came, milliseconds since the Unix epoch. */
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

/** Compares in constant time, so that the answer's timing tells nothing about the right signature. */
export function isSignatureValid(request: SignedRequest, secretKey: string, signature: string): boolean {
  const expected = Buffer.from(sign(request, secretKey), "latin1");
  const given = Buffer.from(signature, "utf8");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** One sentence on a timestamp that is not whole milliseconds within the tolerance, either side; undefined for one that is. */
export function timestampProblem(timestamp: string, nowMs: number): string | undefined {
  if (!/^\d{1,16}$/.test(timestamp)) return "The timestamp has to be milliseconds since 1970-01-01 UTC.";
  const aheadMs = Number(timestamp) - nowMs;
  if (Math.abs(aheadMs) <= TIMESTAMP_TOLERANCE_MS) return undefined;
  const apart = `${Math.abs(aheadMs) / MS_PER_SECOND} s ${aheadMs > 0 ? "ahead of" : "behind"}`;
  return `The timestamp is ${apart} this server's clock; ${TIMESTAMP_TOLERANCE_MS / MS_PER_SECOND} s are allowed.`;
}
