import type { SpanAttributes, SpanKind, TraceSpan } from "../../thread-protocol/traces/traces.ts";

/** The numbers of `SpanKind` in OTLP. */
const KINDS: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3 };
/** `STATUS_CODE_ERROR` in OTLP. */
const STATUS_ERROR = 2;
const US_PER_MS = 1_000;
const NS_PER_US = 1_000n;

/**
 * The body of an export of spans, as the JSON form of OTLP says: ids in hexadecimal digits, 64-bit numbers as text.
 * `resource`: what the spans come from.
 */
export function otlpBody(spans: readonly TraceSpan[], resource: SpanAttributes): string {
  const scopeSpans = [{ scope: { name: "fanfare" }, spans: spans.map(otlpSpan) }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: otlpAttributes(resource) }, scopeSpans }] });
}

function otlpSpan({ startTime, endTime, kind, attributes, error, ...span }: TraceSpan): object {
  return {
    ...span,
    kind: KINDS[kind],
    startTimeUnixNano: unixNano(startTime),
    endTimeUnixNano: unixNano(endTime),
    attributes: otlpAttributes(attributes),
    ...(error === undefined ? {} : { status: { code: STATUS_ERROR, message: error } }),
  };
}

/** Milliseconds with fractions to whole nanoseconds: a number cannot hold that many digits. */
function unixNano(time: number): string {
  return `${BigInt(Math.round(time * US_PER_MS)) * NS_PER_US}`;
}

function otlpAttributes(attributes: SpanAttributes): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: otlpValue(value) }));
}

function otlpValue(value: string | number): object {
  if (typeof value === "string") return { stringValue: value };
  return Number.isSafeInteger(value) ? { intValue: `${value}` } : { doubleValue: value };
}
