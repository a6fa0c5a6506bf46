import type { FastifyRequest } from "fastify";
import { gatewayError } from "../../api-contract/errors.ts";
import { SESSION_IDLE_MS } from "../../control/access/dashboard-access.ts";
import { RequestRefusedError } from "../answers/errors.ts";
import { isRead } from "../server/head-requests.ts";

/** Browsers share cookies among all ports of a host, so this name is followed by the server's own. */
const SESSION_NAME = "fanfare_session";
const DEVICE_NAME = "fanfare_device";
/** The form in which `control/access/dashboard-access` makes tokens; anything else is no session. */
const SESSION_FORM = /^[a-z0-9]{32}$/;
const DEVICE_FORM = /^[a-z0-9.]{1,128}$/;
const OTHER_PAGE = "A browser's session can change something only from this server's own pages (Origin).";
/** The longest time for which browsers keep a cookie. */
const DEVICE_MAX_AGE_SECONDS = 400 * 24 * 60 * 60;

/**
 * Headers that name a request's sender. A request with any of them is authenticated by these alone, whatever cookie it
 * has.
 */
const CREDENTIAL_HEADERS = [
  "authorization",
  "x-ncp-apigw-timestamp",
  "x-ncp-iam-access-key",
  "x-ncp-apigw-signature-v2",
] as const;

/** The dashboard's cookies: the session, and the mark of a browser that signed in before. */
export class DashboardCookies {
  readonly #sessionName: string;
  readonly #deviceName: string;
  readonly #basePath: string;

  /**
   * `instance`: distinguishes this installation from others on the same host. `basePath`: the path at which the browser
   * finds this server.
   */
  constructor(instance: string, basePath: string) {
    this.#basePath = basePath;
    this.#sessionName = `${SESSION_NAME}_${instance}`;
    this.#deviceName = `${DEVICE_NAME}_${instance}`;
  }

  /** The session token in the browser's cookie; undefined where there is none, or where a header names the sender. */
  sessionToken(request: FastifyRequest): string | undefined {
    if (CREDENTIAL_HEADERS.some((name) => request.headers[name] !== undefined)) return undefined;
    // The bare name is older than the name with the instance.
    return cookieValue(request, this.#sessionName, SESSION_FORM) ?? cookieValue(request, SESSION_NAME, SESSION_FORM);
  }

  /** The mark that this browser got when it signed in before. */
  device(request: FastifyRequest): string | undefined {
    return cookieValue(request, this.#deviceName, DEVICE_FORM);
  }

  /** `Set-Cookie` for this token; without a token, one that removes the cookie. */
  session(request: FastifyRequest, token: string | undefined): string {
    const maxAge = token === undefined ? 0 : SESSION_IDLE_MS / 1_000;
    return written(request, `${this.#sessionName}=${token ?? ""}; Path=${this.#basePath}/; Max-Age=${maxAge}`);
  }

  /** Sent only to the sign-in. */
  knownDevice(request: FastifyRequest, text: string): string {
    return written(
      request,
      `${this.#deviceName}=${text}; Path=${this.#basePath}/dashboard; Max-Age=${DEVICE_MAX_AGE_SECONDS}`,
    );
  }
}

/** Secure where the browser used HTTPS. */
function written(request: FastifyRequest, cookie: string): string {
  return `${cookie}; HttpOnly; SameSite=Strict${request.protocol === "https" ? "; Secure" : ""}`;
}

function cookieValue(request: FastifyRequest, wanted: string, form: RegExp): string | undefined {
  for (const part of (request.headers.cookie ?? "").split(";")) {
    const [name = "", value = ""] = part.split("=", 2).map((text) => text.trim());
    if (name === wanted && form.test(value)) return value;
  }
  return undefined;
}

/**
 * A request with a browser's session that changes something must come from our own pages: `Origin` is ours, and a body
 * is JSON or the bytes of a file, which no form of another page can send. Throws RequestRefusedError (210).
 */
export function checkOwnPage(request: FastifyRequest): void {
  if (isRead(request.method)) return;
  const page = URL.parse(request.headers.origin ?? "");
  if (page === null || page.host === "") refuse(OTHER_PAGE);
  if (page.host !== request.host.toLowerCase()) refuse(otherHostText(page, request.host));
  const hasBody =
    request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
  if (hasBody && !/^application\/(json|octet-stream)\s*(;|$)/i.test(request.headers["content-type"] ?? "")) {
    refuse("With a browser's session a body must be sent as application/json or application/octet-stream.");
  }
}

/** Operators of a proxy see this: it names both hosts, and says what to set. */
function otherHostText(page: URL, given: string): string {
  const asked = URL.parse(`http://${given}`)?.host ?? "another host";
  return (
    `${OTHER_PAGE} The page is of ${page.host}, the request came for ${asked}. A reverse proxy must forward the Host that the browser asked ` +
    "for, with its port (nginx: proxy_set_header Host $http_host), or X-Forwarded-Host from a network in FANFARE_TRUSTED_PROXIES."
  );
}

function refuse(details: string): never {
  throw new RequestRefusedError(gatewayError("PERMISSION_DENIED", details));
}
