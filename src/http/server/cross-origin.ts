import type { FastifyReply, FastifyRequest } from "fastify";
import { API_PREFIXES } from "../../api-contract/regions.ts";
import { PRIVATE_HEADERS } from "../answers/reply.ts";

const ORIGINS_MAX = 100;
/** For how long a browser remembers the answer, in seconds. */
const MAX_AGE_SECONDS = 600;

const PREFLIGHT_HEADERS = {
  "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE",
  "access-control-allow-headers": [
    ...["authorization", "content-type", "content-range", "range", "if-range", "if-none-match", "last-event-id"],
    "traceparent",
    ...["x-ncp-apigw-timestamp", "x-ncp-iam-access-key", "x-ncp-apigw-signature-v2", "x-ncp-region_code"],
  ].join(", "),
  "access-control-max-age": String(MAX_AGE_SECONDS),
  vary: "Origin",
  ...PRIVATE_HEADERS,
} as const;

/** Every page may read every answer, and the pages that may send our headers may read these headers of it too. */
const EXPOSED = [
  ...["etag", "last-modified", "content-range", "accept-ranges", "content-disposition"],
  ...["x-ncp-trace-id", "x-ncp-apigw-response-origin", "retry-after"],
].join(", ");

function readOrigin(text: string): string | undefined {
  if (text === "*") return text;
  const url = URL.parse(text);
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  return isWeb && url.origin === text.toLowerCase().replace(/\/$/, "") ? url.origin : undefined;
}

/** A comma-separated list of origins, or `*`; undefined where one is not valid. */
export function parseOrigins(text: string): readonly string[] | undefined {
  const parts = text.split(",").map((part) => part.trim());
  const given = parts.filter((part) => part !== "").map(readOrigin);
  const origins = given.filter((origin) => origin !== undefined);
  return origins.length === given.length && origins.length <= ORIGINS_MAX ? origins : undefined;
}

/**
 * Lets pages of these origins send the API's headers: their browsers ask first (a preflight, OPTIONS). Never with
 * cookies. For other origins OPTIONS is an unknown URL.
 */
export function crossOrigin(origins: readonly string[]) {
  const isAllowed = (origin: string | undefined): origin is string =>
    origin !== undefined && (origins.includes("*") || origins.includes(origin));
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const { origin } = request.headers;
    if (!isAllowed(origin) || !isApi(request.url)) return undefined;
    if (request.method !== "OPTIONS") {
      reply.header("access-control-expose-headers", EXPOSED);
      return undefined;
    }
    if (request.headers["access-control-request-method"] === undefined) return undefined;
    return reply
      .code(204)
      .headers({ ...PREFLIGHT_HEADERS, "access-control-allow-origin": origin })
      .send();
  };
}

function isApi(url: string): boolean {
  return API_PREFIXES.some(({ prefix }) => url.startsWith(`${prefix}/`));
}
