import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import type { DeliveryProblem } from "../api-contract/event-words.ts";
import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import { diallingTroubleOf, type MachineTrouble, machineTroubleOf, systemCode } from "../base/system-errors.ts";
import type { AttemptResult } from "../control/events/deliveries.ts";
import type { AddressPolicy } from "../net/address-check.ts";
import { withOwnNames } from "../net/dns/own-names.ts";
import { ResolveError, type Resolver } from "../net/dns/resolver.ts";
import { isCutOff } from "../net/kernel/machine-trouble.ts";
import { type CheckedAddress, ForbiddenTargetError, resolveTarget } from "../net/target-address.ts";

/** An attempt takes no longer than this, from the DNS look-up to the end of the answer, in milliseconds. */
const ATTEMPT_MS_MAX = 10_000;
/** At most this much of an answer's body is read; its content is ignored. */
const ANSWER_BYTES_MAX = 64 * 1024;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** What is posted to an endpoint. */
export type Message = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
};

/** Posts a message once. Never rejects: every outcome is a result. Undefined where the signal cancelled it. */
export type Post = (message: Message, signal: AbortSignal) => Promise<AttemptResult | undefined>;

export type HttpPosterDeps = {
  readonly clock: Clock;
  readonly resolver: Resolver;
  /** Which addresses may be connected to; read again at each attempt. */
  readonly policy: AddressPolicy;
  /** Called when an attempt failed because of this machine. */
  readonly onTrouble?: (trouble: MachineTrouble) => void;
};

/**
 * Posts over HTTP and HTTPS, to checked addresses only. Our resolver resolves the name at every attempt; the connection
 * goes to the checked address, with the name's own Host header and certificate. Redirects are answers and are not
 * followed.
 */
export function createHttpPost({ clock, resolver, policy: given, onTrouble }: HttpPosterDeps): Post {
  const policy = withOwnNames(given, resolver, clock);
  return async (message, closing) => {
    const deadline = new AbortController();
    const timer = startDeadline(clock, ATTEMPT_MS_MAX, () => deadline.abort());
    const signal = AbortSignal.any([closing, deadline.signal]);
    try {
      const url = new URL(message.url);
      const port = url.port === "" ? (DEFAULT_PORTS[url.protocol] ?? 0) : Number(url.port);
      const addresses = await resolveTarget({ host: url.hostname, port }, resolver, policy, signal);
      return { status: await exchange(url, addresses, message, signal) };
    } catch (error) {
      if (closing.aborted) return undefined;
      if (deadline.signal.aborted) return { problem: "TIMEOUT" };
      const trouble = troubleOf(error);
      if (trouble === undefined) return { problem: problemOf(error) };
      onTrouble?.(trouble);
      return { problem: "SERVER_TROUBLE" };
    } finally {
      timer.cancel();
    }
  };
}

/** Resolves to the status of the answer, once its body is over or longer than needed. */
function exchange(
  url: URL,
  addresses: readonly CheckedAddress[],
  { headers, body }: Message,
  signal: AbortSignal,
): Promise<number> {
  const [first] = addresses;
  if (first === undefined) return Promise.reject(new ResolveError("not-found", "no address"));
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? requestHttps : requestHttp;
    const request = send({
      method: "POST",
      // A name is looked up below; an address is used as it is.
      host: first.serverName ?? first.address,
      port: first.port,
      path: `${url.pathname}${url.search}`,
      lookup: lookupAmong(addresses),
      // TLS allows no address as a server name.
      servername: first.serverName ?? "",
      headers: { ...headers, host: url.host, "content-length": String(Buffer.byteLength(body)) },
      agent: false,
      signal,
    });
    let status: number | undefined;
    // Once there is an answer, later errors change nothing.
    const end = (reason: unknown) => (status === undefined ? reject(reason) : resolve(status));
    // Whatever the request's own events do, the deadline and the end of the process hold.
    if (signal.aborted) end(signal.reason);
    signal.addEventListener("abort", () => end(signal.reason), { once: true });
    request.on("response", (response) => {
      const answered = response.statusCode ?? 0;
      status = answered;
      readToEnd(response, () => resolve(answered));
    });
    // A switch to another protocol ends the exchange.
    request.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    request.on("error", end);
    request.on("close", () => {
      if (status === undefined) reject(new Error("closed without an answer"));
    });
    request.end(body);
  });
}

/** A `lookup` for sockets: returns the checked addresses, whatever name is asked for. */
function lookupAmong(addresses: readonly CheckedAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const all = addresses.map(({ address, family }) => ({ address, family }));
    if (options.all === true) return callback(null, all);
    const [first] = all;
    if (first === undefined) return callback(new Error("no address"), "");
    return callback(null, first.address, first.family);
  };
}

/** The status is known already. A body that breaks off, lasts too long or is too long changes nothing. */
function readToEnd(response: IncomingMessage, onEnd: () => void): void {
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) response.destroy();
  });
  response.on("error", () => undefined);
  response.on("close", onEnd);
}

/**
 * What this machine lacked. A missing route counts only where no route leads anywhere: else a router on the way may
 * have said so.
 */
function troubleOf(error: unknown): MachineTrouble | undefined {
  if (error instanceof ResolveError) return error.trouble;
  const code = systemCode(error);
  const trouble = machineTroubleOf(code) ?? diallingTroubleOf(code);
  return trouble === "no-route" && !isCutOff() ? undefined : trouble;
}

function problemOf(error: unknown): DeliveryProblem {
  if (error instanceof ForbiddenTargetError) return "ADDRESS_FORBIDDEN";
  if (error instanceof ResolveError) return "DNS_FAILED";
  const code = systemCode(error) ?? "";
  if (code.startsWith("HPE_")) return "ANSWER_UNREADABLE";
  return /CERT|TLS|SSL|SELF_SIGNED|ISSUER|UNABLE_TO|EPROTO/.test(code) ? "TLS_FAILED" : "CONNECTION_FAILED";
}
