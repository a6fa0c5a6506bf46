import { SpanKind as OtelKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from "@opentelemetry/sdk-trace";
import type { Log } from "../../base/log.ts";
import type { SpanAttributes, SpanKind, TraceSpan } from "../../thread-protocol/traces/traces.ts";
import type { TraceMetrics } from "./trace-metrics.ts";

/** Spans that may wait or be under way; more are dropped, and counted. */
const KEPT_MAX = 4_096;
/** Spans in one export. */
const BATCH_MAX = 512;
/** A span waits at most this long for others, in milliseconds. */
const GATHER_MS = 1_000;
/** An export ends by then, in milliseconds. */
export const EXPORT_DEADLINE_MS = 10_000;
/** At the end, what waits may still be sent for this long, in milliseconds. */
const CLOSE_MS = 1_000;

const KINDS: Readonly<Record<SpanKind, OtelKind>> = {
  internal: OtelKind.INTERNAL,
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
};
const SCOPE = { name: "fanfare" };
const US_PER_MS = 1_000;
const US_PER_SECOND = 1_000_000;
const NS_PER_US = 1_000;

export type TraceExporterOptions = {
  /** Sends a batch to the receiver. */
  readonly exporter: SpanExporter;
  /** What the spans come from. */
  readonly resource: SpanAttributes;
  readonly log: Log;
  readonly metrics: TraceMetrics;
  /** Closes the connection of an export that did not end in time. */
  readonly giveUp?: () => void;
};

/**
 * Exports spans through OpenTelemetry's own batches, one export at a time. The spans come from several threads as plain
 * values, so its tracer is not used. What is kept is bounded, and nobody waits for it.
 */
export class TraceExporter {
  readonly #options: TraceExporterOptions;
  readonly #resource: Resource;
  readonly #batches: BatchSpanProcessor;
  #keptCount = 0;
  #isFailing = false;
  #isClosed = false;

  constructor(options: TraceExporterOptions) {
    this.#options = options;
    this.#resource = resourceFromAttributes(options.resource);
    this.#batches = new BatchSpanProcessor({
      exporter: this.#counted(options.exporter),
      ...{ maxQueueSize: KEPT_MAX, maxExportBatchSize: BATCH_MAX },
      ...{ scheduledDelayMillis: GATHER_MS, exportTimeoutMillis: EXPORT_DEADLINE_MS },
    });
  }

  /** Takes a span. Drops it where too many wait. */
  add(span: TraceSpan): void {
    if (this.#isClosed || this.#keptCount >= KEPT_MAX) return this.#options.metrics.dropped(1);
    this.#keptCount += 1;
    this.#batches.onEnd(readable(span, this.#resource));
  }

  /** Sends what waits, for a bounded time, and drops the rest. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, CLOSE_MS);
    // What failed is counted where the export ended.
    await Promise.race([this.#batches.shutdown().catch(() => undefined), late.promise]);
    clearTimeout(timer);
    this.#options.metrics.dropped(this.#keptCount);
  }

  #counted(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) => {
        let isOver = false;
        const end = (result: ExportResult) => {
          if (isOver) return;
          isOver = true;
          clearTimeout(deadline);
          this.#ended(spans.length, result.code === ExportResultCode.SUCCESS ? undefined : result.error);
          done(result);
        };
        // The exporter's own deadline begins anew with each byte of an answer.
        const deadline = setTimeout(() => {
          end({
            code: ExportResultCode.FAILED,
            error: new Error(`no whole answer in ${EXPORT_DEADLINE_MS / 1_000} s`),
          });
          this.#options.giveUp?.();
        }, EXPORT_DEADLINE_MS);
        exporter.export(spans, end);
      },
      shutdown: () => exporter.shutdown(),
    };
  }

  /** An export ended. `error`: nothing of it was taken. */
  #ended(count: number, error: Error | undefined): void {
    this.#keptCount -= count;
    const { log, metrics } = this.#options;
    if (error === undefined) {
      metrics.exported(count);
      if (this.#isFailing) log.info("traces are exported again");
    } else {
      metrics.dropped(count);
      if (!this.#isFailing) log.warn("traces are not exported", { detail: error.message });
    }
    this.#isFailing = error !== undefined;
  }
}

/** A span in the form that OpenTelemetry's exporters read. */
function readable(span: TraceSpan, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentSpanId, name, kind, startTime, endTime, attributes, error } = span;
  const context = (id: string) => ({ traceId, spanId: id, traceFlags: TraceFlags.SAMPLED });
  return {
    ...{ name, kind: KINDS[kind], attributes, resource, instrumentationScope: SCOPE },
    spanContext: () => context(spanId),
    ...(parentSpanId === undefined ? {} : { parentSpanContext: context(parentSpanId) }),
    ...{ startTime: hrTime(startTime), endTime: hrTime(endTime), duration: hrTime(endTime - startTime), ended: true },
    status: error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    ...{ links: [], events: [], droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  };
}

/** Milliseconds with fractions as seconds and nanoseconds: exact to the microsecond. */
function hrTime(timeMs: number): [seconds: number, nanoseconds: number] {
  const us = Math.round(timeMs * US_PER_MS);
  const seconds = Math.floor(us / US_PER_SECOND);
  return [seconds, (us - seconds * US_PER_SECOND) * NS_PER_US];
}
