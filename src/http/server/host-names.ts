import type { FastifyReply, FastifyRequest } from "fastify";
import { gatewayError } from "../../api-contract/errors.ts";
import { readHost } from "../../base/host-name.ts";
import type { Log } from "../../base/log.ts";
import { RequestRefusedError } from "../answers/errors.ts";
import { answerHeaders } from "../answers/reply.ts";
import { wantsPage } from "../answers/request.ts";

/** Names in a setting. */
const NAMES_MAX = 100;
/** An unknown name is logged at most this often, in milliseconds: anybody can send one. */
const LOG_INTERVAL_MS = 60_000;

/**
 * `fanfare.lan`, `*.example.com` (any name below it), or `*`, in canonical form; undefined where it is none of these.
 */
function readPattern(text: string): string | undefined {
  if (text === "*") return text;
  const below = text.startsWith("*.");
  const host = readHost(below ? text.slice(2) : text);
  return host.kind === "name" ? `${below ? "*." : ""}${host.name}` : undefined;
}

/** A comma-separated list of them; undefined where one is not valid. */
export function parseHostNames(text: string): readonly string[] | undefined {
  const parts = text.split(",").map((part) => part.trim());
  const patterns = parts.filter((part) => part !== "").map(readPattern);
  const names = patterns.filter((pattern) => pattern !== undefined);
  return names.length === patterns.length && names.length <= NAMES_MAX ? names : undefined;
}

/**
 * The host names of this server. A page of another site can make its own name lead here (DNS rebinding); its browser
 * then treats our answers as that site's. The Host header shows the page's name. An address cannot be made to lead
 * elsewhere, so every address is accepted.
 */
export class HostNames {
  readonly #exact = new Set(["localhost"]);
  /** With the dot in front. */
  readonly #suffixes = new Set([".localhost"]);
  readonly #isAny: boolean;

  /** Names and patterns in the form of `parseHostNames`; texts that are not names are left out. */
  constructor(patterns: readonly string[]) {
    this.#isAny = patterns.includes("*");
    for (const pattern of patterns) {
      const name = readPattern(pattern);
      if (name === undefined) continue;
      if (name.startsWith("*.")) this.#suffixes.add(name.slice(1));
      else this.#exact.add(name);
    }
  }

  /** Whether a `Host` header names this server, with any port. A request without one does not come from a browser. */
  know(header: string): boolean {
    if (header === "" || this.#isAny) return true;
    const host = readHost(withoutPort(header));
    if (host.kind !== "name") return host.kind === "address";
    return this.#exact.has(host.name) || this.#isBelow(host.name);
  }

  #isBelow(name: string): boolean {
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      if (this.#suffixes.has(name.slice(dot))) return true;
    }
    return false;
  }
}

function withoutPort(header: string): string {
  const colon = header.lastIndexOf(":");
  return colon > 0 && /^:\d{0,5}$/.test(header.slice(colon)) ? header.slice(0, colon) : header;
}

/** What is refused, and what to set. Repeats the header only where it is a name. */
function problemText(header: string): string {
  const host = readHost(withoutPort(header));
  if (host.kind !== "name") return "The Host of the request is not a host name.";
  return (
    `This server does not have the name ${host.name}. If the name is right, start the server with FANFARE_ALLOWED_HOSTS=${host.name} ` +
    "(or FANFARE_PUBLIC_HOST); a reverse proxy in front must forward the Host that the browser asked for."
  );
}

/**
 * Runs before every route: refuses a request for another server's name, in the `Host` header or, from a trusted proxy,
 * in `X-Forwarded-Host`.
 */
export function hostCheck(names: HostNames, log: Log, nowMs: () => number) {
  let loggedMs: number | undefined;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const unknown = [request.headers.host ?? "", request.host].find((header) => !names.know(header));
    if (unknown === undefined) return undefined;
    const details = problemText(unknown);
    if (loggedMs === undefined || nowMs() - loggedMs >= LOG_INTERVAL_MS) {
      loggedMs = nowMs();
      log.warn("http-unknown-host", { detail: details });
    }
    if (!wantsPage(request)) throw new RequestRefusedError(gatewayError("BAD_REQUEST", details));
    return reply
      .code(400)
      .headers({ ...answerHeaders(request.id), "content-type": "text/plain;charset=utf-8" })
      .send(`${details}\n`);
  };
}
