import type { FastifyRequest } from "fastify";
import { gatewayError } from "../contract/errors.ts";
import { SESSION_IDLE_MS } from "../control/dashboard-access.ts";
import { RequestRefusedError } from "./errors.ts";

const NAME = "fanfare_session";
/** As `control/dashboard-access` makes them; anything else is nobody's. */
const TOKEN_FORM = /^[a-z0-9]{32}$/;

/** Headers that say who sends a request; one that has any of them is judged by these alone, whatever cookie comes along. */
const CREDENTIAL_HEADERS = [
  "authorization",
  "x-ncp-apigw-timestamp",
  "x-ncp-iam-access-key",
  "x-ncp-apigw-signature-v2",
] as const;

/** The session token the browser shows; undefined where it shows none, or the request says in another way who sends it. */
export function sessionToken(request: FastifyRequest): string | undefined {
  if (CREDENTIAL_HEADERS.some((name) => request.headers[name] !== undefined)) return undefined;
  for (const part of (request.headers.cookie ?? "").split(";")) {
    const [name = "", value = ""] = part.split("=", 2).map((text) => text.trim());
    if (name === NAME && TOKEN_FORM.test(value)) return value;
  }
  return undefined;
}

/** `Set-Cookie` for this token, or, without one, what takes the cookie away. Secure where the browser came by HTTPS. */
export function sessionCookie(request: FastifyRequest, token: string | undefined): string {
  const maxAge = token === undefined ? 0 : SESSION_IDLE_MS / 1_000;
  const secure = request.protocol === "https" ? "; Secure" : "";
  return `${NAME}=${token ?? ""}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
}

/**
 * What a browser sends in a session's name and that changes something has to come from our own pages: `Origin` is ours, and a
 * body is JSON, which no form of another page can send. Throws RequestRefusedError (210).
 */
export function checkOwnPage(request: FastifyRequest): void {
  if (request.method === "GET") return;
  const { origin } = request.headers;
  const host = typeof origin === "string" && URL.canParse(origin) ? new URL(origin).host : "";
  if (host === "" || host !== request.host.toLowerCase()) {
    refuse("A browser's session changes something only from this server's own pages (Origin).");
  }
  const hasBody =
    request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
  if (hasBody && !/^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? "")) {
    refuse("With a browser's session a body has to be sent as application/json.");
  }
}

function refuse(details: string): never {
  throw new RequestRefusedError(gatewayError("PERMISSION_DENIED", details));
}
