import createFetchClient, { type Client, type Middleware } from "openapi-fetch";
import { sign } from "../api-contract/signature.ts";
import type { paths } from "./api-types.ts";

/** All calls of the API, with the types of its OpenAPI document. */
export type FanfareClient = Client<paths>;

export type ClientOptions = {
  /** The server's address: `http://127.0.0.1:8080`, also with a path behind a reverse proxy. */
  readonly server: string;
  /** Without it the secret key is sent as a bearer token; with it requests are signed and the secret is not sent. */
  readonly accessKey?: string | undefined;
  readonly secretKey: string;
  /** How long a call may take, in milliseconds; 30,000 by default. */
  readonly timeoutMs?: number;
  /** What the client calls itself: the server's audit has it. */
  readonly userAgent?: string;
  readonly fetch?: (request: Request) => Promise<Response>;
};

const TIMEOUT_MS = 30_000;

/**
 * A client of a Fanfare server. Its calls return `{ data }`, or `{ error }` for an answer that is not 200, and reject
 * where no answer came. A redirect of a call that changes something is
 * an error, and is not followed.
 */
export function createFanfareClient(options: ClientOptions): FanfareClient {
  const { server, timeoutMs = TIMEOUT_MS } = options;
  const send = options.fetch ?? fetch;
  const client = createFetchClient<paths>({
    baseUrl: `${server.replace(/\/+$/, "")}/api/v2`,
    fetch: (request) =>
      send(
        new Request(request, {
          // `fetch` would make a GET of a POST that is sent on.
          redirect: request.method === "GET" ? "follow" : "manual",
          signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]),
        }),
      ),
  });
  client.use(authentication(options));
  return client;
}

/** The headers that prove who asks. The signature covers method, path and query: signed last. */
export function authenticationHeaders(
  { accessKey, secretKey }: Pick<ClientOptions, "accessKey" | "secretKey">,
  method: string,
  url: string,
): Readonly<Record<string, string>> {
  if (accessKey === undefined) {
    // The error of `fetch` would repeat the secret.
    if (!isHeaderText(secretKey)) throw new TypeError("The secret key has characters that cannot be sent.");
    return { authorization: `Bearer ${secretKey}` };
  }
  const { pathname, search } = new URL(url);
  // Behind a reverse proxy too the path counts as the client sees it.
  const timestamp = `${Date.now()}`;
  const signature = sign({ method, requestTarget: `${pathname}${search}`, timestamp, accessKey }, secretKey);
  return {
    "x-ncp-apigw-timestamp": timestamp,
    "x-ncp-iam-access-key": accessKey,
    "x-ncp-apigw-signature-v2": signature,
  };
}

/** Whether a header takes this text, and gives it back unchanged: no blanks, line breaks or letters beyond ASCII. */
export function isHeaderText(text: string): boolean {
  return /^[!-~]+$/.test(text);
}

function authentication(options: ClientOptions): Middleware {
  return {
    onRequest({ request }) {
      const headers = authenticationHeaders(options, request.method, request.url);
      for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
      if (options.userAgent !== undefined) request.headers.set("user-agent", options.userAgent);
      return request;
    },
  };
}
