import type { AddressOf, ContentOf, ItemOf, Method } from "./api-paths.ts";
import { at } from "./base-path.ts";
import type { ApiErrorBody } from "./model.ts";
import { noteSignedOut } from "./session.ts";

/** A failed request. `code` is the server's error code, "network" when it cannot be reached, or "limited" for too many requests. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  readonly details: string;
  /** What a person has to change, if the server has words for it. */
  readonly hint: Hint | undefined;
  /** Seconds after which the same request may succeed, where the server says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: string, message: string, details: string, hint?: Hint, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    this.details = details;
    this.hint = hint;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The same sentence in both languages. */
type Hint = { readonly en: string; readonly ko: string };

function hintOf(refusal: ApiErrorBody | undefined): Hint | undefined {
  const error = refusal?.error;
  if (error === undefined || !("hint" in error)) return undefined;
  const { hint: en, hintKo: ko } = error;
  return en === undefined || ko === undefined ? undefined : { en, ko };
}

/** How an error names a field, by its code: of a wrong form, taken, or missing. */
const NAMED: Readonly<Record<string, RegExp>> = {
  "250002": /^(\S+): invalid value\.$/,
  "250005": /^(\S+\.\S+) not available\.$/,
  "250011": /^(\S+) must has a valid value$/,
};

/** The field that an error is about, as the contract names it: `restream[0].rtmpUrl`. */
export const fieldOf = ({ code, message }: ApiError): string | undefined => NAMED[code]?.exec(message)?.[1];

/** Longest wait for a response, in milliseconds. */
const RESPONSE_DEADLINE_MS = 20_000;
/** The same for a platform test: the platform may be slow, and may redirect. */
const TEST_DEADLINE_MS = 90_000;

/** `keepalive`: the request is sent even if the page is closed meanwhile. */
type RequestOptions = { readonly keepalive?: boolean };

/** Sends one request to our server with the session's cookie and returns the JSON response. Throws ApiError. */
export async function request(
  method: Method,
  path: string,
  body?: object,
  { keepalive = false }: RequestOptions = {},
): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(at(path), {
      method,
      keepalive,
      signal: AbortSignal.timeout(path.endsWith("/test") ? TEST_DEADLINE_MS : RESPONSE_DEADLINE_MS),
      ...(body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new ApiError("network", String(cause), "");
  }
  return readAnswer(response, path);
}

/** The JSON of a response. Throws ApiError where the server refused the request. */
export async function readAnswer(response: Response, path: string): Promise<unknown> {
  const parsed: unknown = await response.json().catch(() => undefined);
  if (response.ok) return parsed;
  const refusal = parsed as ApiErrorBody | undefined;
  const code = String(refusal?.error?.errorCode ?? response.status);
  if (response.status === 401 && path.startsWith("/api/") && code === "200") noteSignedOut();
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  throw new ApiError(
    response.status === 429 ? "limited" : code,
    refusal?.error?.message ?? response.statusText,
    refusal?.error?.details ?? "",
    hintOf(refusal),
    Number.isFinite(seconds) ? seconds : undefined,
  );
}

/**
 * Calls an address below `/api/v2` and returns the response's `content`. Address and content are those of the
 * OpenAPI document; the server checks the body. Throws ApiError.
 */
export async function call<M extends Method, const Address extends string>(
  method: M,
  path: Address & AddressOf<M, Address>,
  body?: object,
): Promise<ContentOf<M, Address>> {
  const { content } = (await request(method, `/api/v2${path}`, body)) as { readonly content: ContentOf<M, Address> };
  return content;
}

/** Reads one page of a list below `/api/v2`. Throws ApiError. */
export async function list<const Address extends string>(
  path: Address & AddressOf<"GET", Address>,
): Promise<{ readonly items: readonly ItemOf<Address>[]; readonly total: number }> {
  const page = (await request("GET", `/api/v2${path}`)) as { content: ItemOf<Address>[]; total?: number };
  return { items: page.content, total: page.total ?? page.content.length };
}

export type ChannelPath = `/re-stream/channels/${string}`;
export const channelPath = (channelId: string) => `/re-stream/channels/${encodeURIComponent(channelId)}` as const;
export const platformPath = (channelId: string, platId: number) =>
  `${channelPath(channelId)}/platforms/${String(platId)}` as const;
