import type { FastifyRequest } from "fastify";
import { gatewayError } from "../../api-contract/errors.ts";
import { SESSION_IDLE_MS } from "../../control/access/dashboard-access.ts";
import { RequestRefusedError } from "../answers/errors.ts";
import { isRead } from "../server/head-requests.ts";

/** Browsers share cookies among all ports of a host: behind these stands which server's they are. */
const SESSION_NAME = "fanfare_session";
const DEVICE_NAME = "fanfare_device";
/** As `control/access/dashboard-access` makes them; anything else is no session. */
const SESSION_FORM = /^[a-z0-9]{32}$/;
const DEVICE_FORM = /^[a-z0-9.]{1,128}$/;
/** As long as browsers keep a cookie. */
const OTHER_PAGE = "A browser's session changes something only from this server's own pages (Origin).";

const DEVICE_MAX_AGE_SECONDS = 400 * 24 * 60 * 60;

/** Headers that say who sends a request; one that has any of them is judged by these alone, whatever cookie comes along. */
const CREDENTIAL_HEADERS = [
  "authorization",
  "x-ncp-apigw-timestamp",
  "x-ncp-iam-access-key",
  "x-ncp-apigw-signature-v2",
] as const;

/** What browsers keep for the dashboard: who is signed in, and who was before. */
export class DashboardCookies {
  readonly #sessionName: string;
  readonly #deviceName: string;
  readonly #basePath: string;

  /** `instance`: tells this installation from others on the same host. `basePath`: where the browser finds this server there. */
  constructor(instance: string, basePath: string) {
    this.#basePath = basePath;
    this.#sessionName = `${SESSION_NAME}_${instance}`;
    this.#deviceName = `${DEVICE_NAME}_${instance}`;
  }

  /** The session token the browser shows; undefined where it shows none, or the request says in another way who sends it. */
  sessionToken(request: FastifyRequest): string | undefined {
    if (CREDENTIAL_HEADERS.some((name) => request.headers[name] !== undefined)) return undefined;
    // The bare name is from before the name told servers apart.
    return cookieValue(request, this.#sessionName, SESSION_FORM) ?? cookieValue(request, SESSION_NAME, SESSION_FORM);
  }

  /** What this browser got when it was signed in before. */
  device(request: FastifyRequest): string | undefined {
    return cookieValue(request, this.#deviceName, DEVICE_FORM);
  }

  /** `Set-Cookie` for this token, or, without one, what takes the cookie away. */
  session(request: FastifyRequest, token: string | undefined): string {
    const maxAge = token === undefined ? 0 : SESSION_IDLE_MS / 1_000;
    return written(request, `${this.#sessionName}=${token ?? ""}; Path=${this.#basePath}/; Max-Age=${maxAge}`);
  }

  /** Goes to the sign-in alone. */
  knownDevice(request: FastifyRequest, text: string): string {
    return written(
      request,
      `${this.#deviceName}=${text}; Path=${this.#basePath}/dashboard; Max-Age=${DEVICE_MAX_AGE_SECONDS}`,
    );
  }
}

/** Secure where the browser came by HTTPS. */
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
 * What a browser sends in a session's name and that changes something has to come from our own pages: `Origin` is ours, and a
 * body is JSON, which no form of another page can send. Throws RequestRefusedError (210).
 */
export function checkOwnPage(request: FastifyRequest): void {
  if (isRead(request.method)) return;
  const page = URL.parse(request.headers.origin ?? "");
  if (page === null || page.host === "") refuse(OTHER_PAGE);
  if (page.host !== request.host.toLowerCase()) refuse(otherHostText(page, request.host));
  const hasBody =
    request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
  if (hasBody && !/^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? "")) {
    refuse("With a browser's session a body has to be sent as application/json.");
  }
}

/** Operators of a proxy see this: it names both hosts, and says what to set. */
function otherHostText(page: URL, given: string): string {
  const asked = URL.parse(`http://${given}`)?.host ?? "another host";
  return (
    `${OTHER_PAGE} The page is of ${page.host}, the request came for ${asked}. A reverse proxy has to hand on the Host that the browser asked ` +
    "for, with its port (nginx: proxy_set_header Host $http_host), or X-Forwarded-Host from a network in FANFARE_TRUSTED_PROXIES."
  );
}

function refuse(details: string): never {
  throw new RequestRefusedError(gatewayError("PERMISSION_DENIED", details));
}
