/** The ids of W3C Trace Context, as 32 and 16 lower-case hexadecimal digits. */
type SpanIds = { readonly traceId: string; readonly spanId: string };

/** What a span belongs to. `isSampled`: it is recorded. */
export type TraceParent = SpanIds & { readonly isSampled: boolean };

/** The trace that a command between threads belongs to. `sentTime`: milliseconds since the Unix epoch. */
export type SentTrace = TraceParent & { readonly sentTime: number };

/** Which traces are recorded. */
export type Sampling = {
  /** The part of all traces, from 0 to 1. */
  readonly share: number;
  /** Whether what a trace's first span decided, also in another program, comes before `share`. */
  readonly followsParent: boolean;
};

/** `server`: a request that came in; `client`: a connection that went out; `internal`: neither. */
export type SpanKind = "internal" | "server" | "client";

export type SpanAttributes = Readonly<Record<string, string | number>>;

/** One step of a trace that is over. Holds no secret, no address path and no query. */
export type TraceSpan = SpanIds & {
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: SpanKind;
  /** Milliseconds since the Unix epoch, with fractions. */
  readonly startTime: number;
  readonly endTime: number;
  readonly attributes: SpanAttributes;
  /** A code that says why it failed; absent where it did not. */
  readonly error?: string;
};
