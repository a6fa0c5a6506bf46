import createClient from "openapi-fetch";
import type { operations, paths } from "../../../src/client/api-types.ts";
import { at } from "./base-path.ts";
import type { DashboardPaths } from "./dashboard-paths.ts";
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
/** The same by how an address ends: a platform that is tested may be slow, and may redirect; an upload may be 1 MiB. */
const DEADLINES_MS: readonly (readonly [end: string, ms: number])[] = [
  ["/test", 90_000],
  ["/content", 300_000],
];

/**
 * Sends a request of the client with the session's cookie. Throws ApiError where there is no whole response, it is not
 * JSON (a page of a proxy), or it is a refusal.
 */
async function send(request: Request): Promise<Response> {
  const [, deadlineMs] = DEADLINES_MS.find(([end]) => request.url.endsWith(end)) ?? ["", RESPONSE_DEADLINE_MS];
  const noAnswer = (cause: unknown): never => {
    throw new ApiError("network", String(cause), "");
  };
  const response = await fetch(request, { signal: AbortSignal.timeout(deadlineMs) }).catch(noAnswer);
  if (!response.ok) throw await refusalOf(response);
  const body = await response.text().catch(noAnswer);
  const type = response.headers.get("content-type") ?? "";
  if (body !== "" && !type.startsWith("application/json")) noAnswer(`a response of type ${type}`);
  return new Response(body === "" ? null : body, response);
}

async function refusalOf(response: Response): Promise<ApiError> {
  const refusal = (await response.json().catch(() => undefined)) as ApiErrorBody | undefined;
  const code = String(refusal?.error?.errorCode ?? response.status);
  if (response.status === 401 && response.url.includes("/api/v2/") && code === "200") noteSignedOut();
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new ApiError(
    response.status === 429 ? "limited" : code,
    refusal?.error?.message ?? response.statusText,
    refusal?.error?.details ?? "",
    hintOf(refusal),
    Number.isFinite(seconds) ? seconds : undefined,
  );
}

/** The API's calls, with the types of its OpenAPI document. They reject with ApiError. */
export const api = createClient<paths>({ baseUrl: at("/api/v2"), fetch: send });

/** The calls that only the dashboard has. They reject with ApiError. */
export const dashboard = createClient<DashboardPaths>({ baseUrl: at("/dashboard"), fetch: send });

/** A call under way. */
export type Call<Answer> = Promise<{ readonly data?: Answer }>;

/** The JSON of a call's response. Rejects with ApiError. */
export async function answer<Answer>(call: Call<Answer>): Promise<Answer> {
  const { data } = await call;
  if (data === undefined) throw new ApiError("network", "a response without content", "");
  return data;
}

/** The `content` of a call's response. Rejects with ApiError. */
export const content = async <Content>(call: Call<{ readonly content: Content }>): Promise<Content> =>
  (await answer(call)).content;

/** One page of a list. Rejects with ApiError. */
export async function page<Item>(
  call: Call<{ readonly content: readonly Item[]; readonly total?: number } | string>,
): Promise<{ readonly items: readonly Item[]; readonly total: number }> {
  const found = await answer(call);
  if (typeof found === "string") throw new ApiError("network", "a response without a list", "");
  return { items: found.content, total: found.total ?? found.content.length };
}

/** The body of a call, by the call's name in the OpenAPI document. */
export type BodyOf<Name extends keyof operations> = operations[Name] extends {
  readonly requestBody: { readonly content: { readonly "application/json": infer Body } };
}
  ? Body
  : never;

/** The parameters of a call about a channel. */
export const ofChannel = (channelId: string) => ({ params: { path: { channelId } } });

/** The parameters of a call about a platform. */
export const ofPlatform = (channelId: string, platformId: number) => ({ params: { path: { channelId, platformId } } });
