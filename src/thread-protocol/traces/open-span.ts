import type { Clock } from "../../base/clock.ts";
import type { SpanAttributes, SpanKind, TraceParent, TraceSpan } from "./traces.ts";

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** What spans are made with. */
export type SpanDeps = {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Buffer;
  /** Takes each span when it ends. Must not throw, and must not wait. */
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
  readonly #deps: SpanDeps;
  readonly #start: SpanStart;
  readonly #startTime: number;
  /** From the monotonic clock to the time of day: one for a span and those inside it, so that their times agree. */
  readonly #offsetMs: number;
  #isOver = false;

  constructor(deps: SpanDeps, start: SpanStart) {
    const { clock, randomBytes } = deps;
    this.#deps = deps;
    this.#start = start;
    this.#offsetMs = start.parent instanceof OpenSpan ? start.parent.#offsetMs : clock.wallNow() - clock.now();
    this.#startTime = start.startTime ?? this.#now();
    this.traceId = start.parent?.traceId ?? randomBytes(TRACE_ID_BYTES).toString("hex");
    this.spanId = randomBytes(SPAN_ID_BYTES).toString("hex");
  }

  /** Ends it, and reports it. `error`: a code that says why it failed. Only the first call counts. */
  end(attributes: SpanAttributes = {}, error?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
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
