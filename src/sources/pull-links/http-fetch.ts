import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { pipeline, type Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { Clock } from "../../base/clock.ts";
import { startDeadline } from "../../base/deadline.ts";
import type { PullDialer } from "./pull-dialer.ts";
import { failureOf, PullFailure, pullError } from "./pull-errors.ts";

/** From the look-up to the headers of the answer, redirects included, in milliseconds. */
const ANSWER_MS_MAX = 15_000;
/** How long the next part of a body may take, in milliseconds. */
const IDLE_MS_MAX = 10_000;
const REDIRECTS_MAX = 5;
const HEADER_BYTES_MAX = 16 * 1_024;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export type Fetched = {
  /** After redirects. */
  readonly url: URL;
  /** The checked address that answered. */
  readonly address: string;
  readonly response: IncomingMessage;
};

export type FetchRequest = {
  readonly url: URL;
  /** A part: `bytes=0-99`. */
  readonly range?: string | undefined;
  /** User name and password, and the origin that may have them. */
  readonly login?: { readonly origin: string; readonly header: string } | undefined;
};

/**
 * Gets a file over HTTP or HTTPS. Every address on the way is checked before it is connected to, those of redirects too.
 * `closing` also ends the body that is still on its way.
 *
 * @throws PullFailure, or the signal's reason once it is aborted.
 */
export async function fetchHttp(asked: FetchRequest, dialer: PullDialer, closing: AbortSignal): Promise<Fetched> {
  const late = new AbortController();
  const timer = startDeadline(dialer.clock, ANSWER_MS_MAX, () => late.abort());
  const signal = AbortSignal.any([closing, late.signal]);
  try {
    let { url } = asked;
    for (let count = 0; count <= REDIRECTS_MAX; count += 1) {
      const fetched = await exchange({ ...asked, url }, dialer, signal);
      const { statusCode = 0, headers } = fetched.response;
      if (!REDIRECTS.has(statusCode)) return fetched;
      fetched.response.destroy();
      url = redirectOf(url, headers.location);
    }
    throw new PullFailure(pullError("redirected", "again and again"));
  } catch (error) {
    closing.throwIfAborted();
    if (late.signal.aborted) throw new PullFailure(pullError("connection-unanswered"));
    if (error instanceof PullFailure) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code.startsWith("HPE_")) throw new PullFailure(pullError("foreign", "HTTP"), { cause: error });
    throw code === "ECONNRESET" ? new PullFailure(pullError("connection-failed"), { cause: error }) : failureOf(error);
  } finally {
    timer.cancel();
  }
}

/** A secure address never leads to one that is not: what is behind it may be read on the way. */
function redirectOf(from: URL, location: string | undefined): URL {
  const to = location === undefined ? undefined : (URL.parse(location, from.href) ?? undefined);
  const isHttp = to?.protocol === "https:" || (to?.protocol === "http:" && from.protocol === "http:");
  if (to === undefined || !isHttp) throw new PullFailure(pullError("redirected", to?.protocol ?? "HTTP"));
  return to;
}

async function exchange(
  { url, range, login }: FetchRequest,
  dialer: PullDialer,
  signal: AbortSignal,
): Promise<Fetched> {
  const isTls = url.protocol === "https:";
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const { socket, address } = await dialer.open({ host: url.hostname, port, isTls }, signal);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({
      createConnection: () => socket,
      method: "GET",
      path: `${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        "user-agent": "Fanfare",
        accept: "*/*",
        connection: "close",
        ...(range === undefined ? {} : { range }),
        ...(login?.origin === url.origin ? { authorization: login.header } : {}),
      },
      maxHeaderSize: HEADER_BYTES_MAX,
    });
    const abort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    sent.on("response", (answer) => {
      answer.once("close", () => signal.removeEventListener("abort", abort));
      resolve(answer);
    });
    sent.on("error", reject);
    sent.on("close", () => reject(new PullFailure(pullError("connection-failed"))));
    sent.end();
    if (signal.aborted) abort();
  });
  response.on("error", () => undefined);
  return { url, address, response };
}

/** What undoes each content coding (RFC 9110, 8.4.1). Nobody asks for one, but files are stored so, and servers send them as they are. */
const DECODERS: ReadonlyMap<string, () => Transform> = new Map([
  ["gzip", () => createGunzip()],
  ["x-gzip", () => createGunzip()],
  ["deflate", () => createInflate()],
  ["br", () => createBrotliDecompress()],
]);
/** Codes of errors in what was compressed. */
const NOT_DECODED = /^(?:Z_|ERR__ERROR)/;

const codingOf = ({ headers }: IncomingMessage): string => (headers["content-encoding"] ?? "").trim().toLowerCase();

/** Whether a body's bytes are not those of the file. */
export function isCompressed(response: IncomingMessage): boolean {
  return !["", "identity"].includes(codingOf(response));
}

/** What was compressed is given whole. */
export function statusOf(source: IncomingMessage): number {
  return source.statusCode === 206 && !isCompressed(source) ? 206 : 200;
}

/** Of the answer's own headers, numbers only. Those of what was compressed count other bytes. */
export function headersOf(source: IncomingMessage): Readonly<Record<string, string>> {
  const { headers } = source;
  const length = isCompressed(source) ? undefined : headers["content-length"];
  const range = isCompressed(source) ? undefined : headers["content-range"];
  return {
    "content-type": "application/octet-stream",
    ...(length !== undefined && /^\d{1,15}$/.test(length) ? { "content-length": length } : {}),
    ...(range !== undefined && /^bytes \d{1,15}-\d{1,15}\/(?:\d{1,15}|\*)$/.test(range)
      ? { "content-range": range }
      : {}),
  };
}

function decoded(response: IncomingMessage): Readable {
  if (!isCompressed(response)) return response;
  const decoder = DECODERS.get(codingOf(response))?.();
  if (decoder === undefined) {
    response.destroy();
    throw new PullFailure(pullError("foreign", "another compression than gzip, deflate or brotli"));
  }
  // It destroys one where the other fails, which the reader sees.
  return pipeline(response, decoder, () => undefined);
}

/**
 * The parts of a body, as the reader takes them. Only the time in which a part is waited for counts: a reader may be held
 * up for long by what it does with one.
 *
 * @throws PullFailure where it breaks off, or nothing comes.
 */
export async function* partsOf(response: IncomingMessage, clock: Clock): AsyncGenerator<Buffer, undefined> {
  const parts: AsyncIterator<Buffer> = decoded(response)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const late = startDeadline(clock, IDLE_MS_MAX, () => response.destroy());
      const next = await parts.next().finally(() => late.cancel());
      if (next.done === true) return undefined;
      yield next.value;
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const name = NOT_DECODED.test(code) ? "foreign" : "connection-failed";
    throw new PullFailure(pullError(name, name === "foreign" ? codingOf(response) : ""), { cause: error });
  } finally {
    response.destroy();
  }
}

/** The whole body. `what`: its name in the failure. @throws PullFailure where it is longer, or breaks off. */
export async function readBytes(
  response: IncomingMessage,
  bytesMax: number,
  what: string,
  clock: Clock,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of partsOf(response, clock)) {
    bytes += part.length;
    if (bytes > bytesMax) throw new PullFailure(pullError("too-much", `${what} of more than ${bytesMax} bytes`));
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Resolves when more can be written, or nothing can any more. */
export function roomIn(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}
