import type { Clock } from "../../base/clock.ts";
import type { Sampling, SpanAttributes, SpanKind, TraceParent, TraceSpan } from "./traces.ts";

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** The last 14 digits of a trace id are random (W3C Trace Context, level 2). A number holds 13 of them exactly. */
const RANDOM_START = -14;
const RANDOM_DIGITS = 13;
const HEX = 16;

/** What spans are made with. */
export type SpanDeps = {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Buffer;
  readonly sampling: Sampling;
  /** Takes each sampled span when it ends. Must not throw, and must not wait. */
  readonly onSpan: (span: TraceSpan) => void;
};

type SpanStart = {
  readonly name: string;
  readonly kind: SpanKind;
  /** Absent: it begins a trace. */
  readonly parent?: TraceParent | undefined;
  /** Milliseconds since the Unix epoch; absent: now. */
  readonly startTime?: number;
  readonly attributes?: SpanAttributes;
};

/** A step of a trace that is not over. */
export class OpenSpan implements TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
  readonly #deps: SpanDeps;
  readonly #start: SpanStart;
  readonly #startTime: number;
  /** From the monotonic clock to the time of day: one for a span and those inside it, so that their times agree. */
  readonly #offsetMs: number;
  #isOver = false;

  constructor(deps: SpanDeps, start: SpanStart) {
    const { clock, randomBytes, sampling } = deps;
    this.#deps = deps;
    this.#start = start;
    this.#offsetMs = start.parent instanceof OpenSpan ? start.parent.#offsetMs : clock.wallNow() - clock.now();
    this.#startTime = start.startTime ?? this.#now();
    this.traceId = start.parent?.traceId ?? randomBytes(TRACE_ID_BYTES).toString("hex");
    this.spanId = randomBytes(SPAN_ID_BYTES).toString("hex");
    const { parent } = start;
    this.isSampled = parent !== undefined && sampling.followsParent ? parent.isSampled : isIn(sampling, this.traceId);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends it, and reports it. `error`: a code that says why it failed. Only the first call counts. */
  end(attributes: SpanAttributes = {}, error?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.isSampled) return;
    const { name, kind, parent, attributes: known = {} } = this.#start;
    this.#deps.onSpan({
      ...{ traceId: this.traceId, spanId: this.spanId, name, kind },
      ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
      // A clock that was set back must not make a span end before it began.
      ...{ startTime: this.#startTime, endTime: Math.max(this.#startTime, this.#now()) },
      attributes: { ...known, ...attributes },
      ...(error === undefined ? {} : { error }),
    });
  }

  #now(): number {
    return this.#deps.clock.now() + this.#offsetMs;
  }
}

/**
 * Whether the trace is in the share that is recorded. The id decides, as in OpenTelemetry's consistent sampling, so that all
 * threads and servers with the same share choose the same traces.
 */
function isIn({ share }: Sampling, traceId: string): boolean {
  const digits = traceId.slice(RANDOM_START, RANDOM_START + RANDOM_DIGITS);
  return Number.parseInt(digits, HEX) / HEX ** RANDOM_DIGITS >= 1 - share;
}
