import type { TraceParent } from "./traces.ts";

/** Version, trace id, span id and flags. Later versions may add fields behind them. */
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** The flag of a trace that is recorded. */
const SAMPLED = 1;
const TEXT_LENGTH_MAX = 256;

/**
 * Reads the header `traceparent` of W3C Trace Context. Returns undefined where there is none or it is malformed: a trace
 * begins then; and `unsampled` where the caller records nothing of its trace.
 */
export function parseTraceParent(text: string | undefined): TraceParent | "unsampled" | undefined {
  if (text === undefined || text.length > TEXT_LENGTH_MAX) return undefined;
  const [, version = "", traceId = "", spanId = "", flags = "", rest] = FORM.exec(text.trim()) ?? [];
  if (version === "" || version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return (Number.parseInt(flags, 16) & SAMPLED) === 0 ? "unsampled" : { traceId, spanId };
}
