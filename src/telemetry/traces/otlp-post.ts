/** The receiver must answer within this time, in milliseconds. */
const ANSWER_DEADLINE_MS = 10_000;
/** Answers after which the same export may succeed later, as OTLP says. */
const LATER_STATUSES: readonly number[] = [429, 502, 503, 504];

/**
 * What became of an export: `taken`; `later`: it may be taken if it is sent again; `refused`: it never is. `detail`: in
 * words, for the log.
 */
export type ExportOutcome =
  | { readonly kind: "taken" }
  | { readonly kind: "later" | "refused"; readonly detail: string };

/** Sends one export. Never rejects, and takes a bounded time. */
export type ExportPost = (body: string) => Promise<ExportOutcome>;

/** Sends exports of traces over HTTP. `endpoint`: the receiver's address without `/v1/traces`. `headers` may be secret. */
export function createOtlpPost(endpoint: string, headers: Readonly<Record<string, string>>): ExportPost {
  const url = `${endpoint.replace(/\/$/, "")}/v1/traces`;
  return async (body) => {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body,
        redirect: "error",
        signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
      });
      // The answer's text is of no use here, and may be long.
      await response.body?.cancel();
      if (response.ok) return { kind: "taken" };
      const kind = LATER_STATUSES.includes(response.status) ? "later" : "refused";
      return { kind, detail: `the receiver answered ${response.status}` };
    } catch (error) {
      return { kind: "later", detail: reasonOf(error) };
    }
  };
}

/** `fetch` says only "fetch failed", and has the reason as its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
