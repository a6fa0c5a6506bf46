import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer, Server as HttpsServer } from "node:https";
import type { FastifyInstance } from "fastify";
import type { CertificatePair } from "../../thread-protocol/certificate.ts";
import type { ConnectionGuard } from "./connection-guard.ts";

/** A client has this long for its headers, and this long for the whole request, in milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 30_000;

/** An open connection may wait this long for its next request, in milliseconds: longer than proxies wait. */
const KEEP_ALIVE_MS = 72_000;

/** How often connections are checked against those two, in milliseconds. */
const TIMEOUT_CHECK_MS = 5_000;

/** The headers of one request in total, in bytes. */
const HEADER_BYTES_MAX = 16_384;

export type ListenerOptions = {
  readonly guard: ConnectionGuard;
  /** Absent: plain HTTP. */
  readonly tls?: CertificatePair;
  /** Called with errors of listening or accepting. */
  readonly onAcceptError?: (error: Error) => void;
  /** Answers an unknown expectation; default: Node's answer. */
  readonly onExpectation?: (response: ServerResponse) => void;
};

/** Makes the servers below Fastify, all with the same bounds: Fastify makes one more where a name has two addresses. */
export function listenerFactory({ guard, tls, onAcceptError, onExpectation }: ListenerOptions) {
  return (handler: RequestListener): HttpServer => {
    const server = plainOrSecure(tls, (request, response) => {
      if (guard.begin(request, response)) handler(request, response);
    });
    guard.watch(server);
    // Without a listener this event would end the process. The caller of `listen` gets its errors as well.
    server.on("error", onAcceptError ?? (() => undefined));
    if (onExpectation !== undefined) {
      server.on("checkExpectation", (request, response) => {
        if (guard.begin(request, response)) onExpectation(response);
      });
    }
    return server;
  };
}

/** Used from the next connection on. Throws where the pair is not valid. */
export function setHttpCertificate(server: FastifyInstance, pair: CertificatePair): void {
  const inner: unknown = server.server;
  if (inner instanceof HttpsServer) inner.setSecureContext({ ...pair, minVersion: "TLSv1.2" });
}

function plainOrSecure(tls: CertificatePair | undefined, handler: RequestListener): HttpServer {
  const options = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    // A request without Host is answered like any other: Node's own refusal would not have our headers.
    requireHostHeader: false,
  };
  if (tls === undefined) return createHttpServer(options, handler);
  return createHttpsServer(
    { ...options, ...tls, minVersion: "TLSv1.2", handshakeTimeout: HEADERS_TIMEOUT_MS },
    handler,
  );
}
