import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ErrorAnswer } from "./errors.ts";

/** As the original service writes it: no blank before `charset`. */
const JSON_TYPE = "application/json;charset=utf-8";

/**
 * An answer is for the client that asked, now, and has the type that it says: no cache keeps it, and no browser guesses
 * another type.
 */
export const PRIVATE_HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

/** The header that every answer has: the log line of its request has the same id. */
export function traceHeader(traceId: string): Readonly<Record<string, string>> {
  return { "x-ncp-trace-id": traceId };
}

/** A hook of every request: its answer has the id, also where the framework itself writes it. */
export function showTrace(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.headers(traceHeader(request.id));
  done();
}

/** Headers of every API answer. As in the original, any web page may read its answers, but never with credentials. */
export function answerHeaders(traceId: string): Readonly<Record<string, string>> {
  return {
    "content-type": JSON_TYPE,
    "access-control-allow-origin": "*",
    ...traceHeader(traceId),
    ...PRIVATE_HEADERS,
  };
}

/** Headers of an event stream: no proxy may store or buffer it. */
export function liveStreamHeaders(traceId: string): Readonly<Record<string, string>> {
  return {
    ...answerHeaders(traceId),
    "content-type": "text/event-stream;charset=utf-8",
    "x-accel-buffering": "no",
  };
}

/** Shows a client that the gateway layer answered, not the service. */
export const GATEWAY_ORIGIN_HEADER = { "x-ncp-apigw-response-origin": "APIGW" } as const;

/** Sends 200 with `content`, and with `total` for a list with pages. */
export function sendContent(reply: FastifyReply, content: unknown, total?: number): FastifyReply {
  return reply
    .code(200)
    .headers(answerHeaders(reply.request.id))
    .send(JSON.stringify(total === undefined ? { content } : { content, total }));
}

export function sendError(reply: FastifyReply, { answer, retryAfterSeconds }: ErrorAnswer): FastifyReply {
  reply.code(answer.status).headers(answerHeaders(reply.request.id));
  if (answer.layer === "gateway") reply.headers(GATEWAY_ORIGIN_HEADER);
  if (retryAfterSeconds !== undefined) reply.header("retry-after", String(retryAfterSeconds));
  return reply.send(JSON.stringify(answer.body));
}

/** Answers a HEAD request with the headers that were set: without a body Fastify would add that the length is 0. */
export function sendHeaders(reply: FastifyReply): FastifyReply {
  return reply.send(Readable.from([]));
}

/** Bytes of one answer that are passed to its connection at a time: TLS copies everything it gets. */
const SLICE_BYTES = 64 * 1024;

/**
 * Sends bytes that many answers share, a slice at a time as the client takes them. The caller sets content type and
 * status before.
 */
export function sendBytes(reply: FastifyReply, bytes: Buffer): FastifyReply {
  if (bytes.length <= SLICE_BYTES) return reply.send(bytes);
  return reply.header("content-length", bytes.length).send(Readable.from(slices(bytes), { objectMode: false }));
}

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}
