import { at } from "./base-path.ts";
import type { ApiErrorBody } from "./model.ts";
import { noticeSignedOut } from "./session.ts";

/** The server refused, or could not be reached: `code` is its own, or "network". */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  readonly details: string;
  /** Of a refusal that passes by itself: after so many seconds. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: string, message: string, details: string, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Longest wait for an answer, in milliseconds. */
const ANSWER_DEADLINE_MS = 20_000;
/** … to the test of a platform, which may itself take long to answer, and may send us on. */
const TEST_DEADLINE_MS = 90_000;

/** One request to our own server, with the session's cookie; the JSON it answers. Throws ApiError. */
export async function request(method: Method, path: string, body?: object): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(at(path), {
      method,
      signal: AbortSignal.timeout(path.endsWith("/test") ? TEST_DEADLINE_MS : ANSWER_DEADLINE_MS),
      ...(body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new ApiError("network", String(cause), "");
  }
  const parsed: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return parsed;
  const refusal = parsed as ApiErrorBody | undefined;
  const code = String(refusal?.error?.errorCode ?? answer.status);
  if (answer.status === 401 && path.startsWith("/api/") && code === "200") noticeSignedOut();
  const seconds = Number(answer.headers.get("retry-after") ?? Number.NaN);
  throw new ApiError(
    answer.status === 429 ? "limited" : code,
    refusal?.error?.message ?? answer.statusText,
    refusal?.error?.details ?? "",
    Number.isFinite(seconds) ? seconds : undefined,
  );
}

/** `content` of one call below `/api/v2`. */
export async function call<Content>(method: Method, path: string, body?: object): Promise<Content> {
  const answer = (await request(method, `/api/v2${path}`, body)) as { readonly content: Content };
  return answer.content;
}

/** One page of a list below `/api/v2`. */
export async function list<Item>(path: string): Promise<{ readonly items: readonly Item[]; readonly total: number }> {
  const answer = (await request("GET", `/api/v2${path}`)) as { content: Item[]; total?: number };
  return { items: answer.content, total: answer.total ?? answer.content.length };
}

export const channelPath = (channelId: string): string => `/re-stream/channels/${encodeURIComponent(channelId)}`;
export const platformPath = (channelId: string, platId: number): string =>
  `${channelPath(channelId)}/platforms/${platId}`;
