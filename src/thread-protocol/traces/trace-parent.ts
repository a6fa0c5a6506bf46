import type { TraceParent } from "./traces.ts";

/** Version, trace id, span id and flags. Later versions may add fields behind them. */
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** The flag of a trace that is recorded. */
const SAMPLED = 1;
const TEXT_LENGTH_MAX = 256;

/** Reads the `traceparent` of W3C Trace Context. Returns undefined where there is none, or it is malformed. */
export function parseTraceParent(text: unknown): TraceParent | undefined {
  if (typeof text !== "string" || text.length > TEXT_LENGTH_MAX) return undefined;
  const [, version = "", traceId = "", spanId = "", flags = "", rest] = FORM.exec(text.trim()) ?? [];
  if (version === "" || version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** Writes the `traceparent` for another program. */
export function traceParentText({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-0${isSampled ? SAMPLED : 0}`;
}
