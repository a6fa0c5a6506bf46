import { backoffDelayMs } from "../../base/backoff.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { SpanAttributes, TraceSpan } from "../../thread-protocol/traces/traces.ts";
import { otlpBody } from "./otlp-json.ts";
import type { ExportPost } from "./otlp-post.ts";
import type { TraceMetrics } from "./trace-metrics.ts";

/** Spans that may wait; more are dropped, and counted. */
const WAITING_MAX = 4_096;
/** Spans in one export. */
const BATCH_MAX = 512;
/** A span waits at most this long for others, in milliseconds. */
const GATHER_MS = 1_000;
/** Between attempts while the receiver takes nothing. */
const RETRY = { baseMs: 1_000, capMs: 60_000 };
/** At the end, what waits may still be sent for this long, in milliseconds. */
const CLOSE_MS = 1_000;

export type TraceExporterOptions = {
  readonly post: ExportPost;
  /** What the spans come from. */
  readonly resource: SpanAttributes;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: TraceMetrics;
};

/** Sends spans in batches, one export at a time. What it keeps is bounded, and nobody waits for it. */
export class TraceExporter {
  readonly #options: TraceExporterOptions;
  #waiting: TraceSpan[] = [];
  #timer: Timer | undefined;
  #sending: Promise<void> | undefined;
  /** Exports that failed in a row. */
  #failures = 0;
  #isClosed = false;

  constructor(options: TraceExporterOptions) {
    this.#options = options;
  }

  /** Takes a span. Drops it where too many wait. */
  add(span: TraceSpan): void {
    if (this.#isClosed || this.#waiting.length >= WAITING_MAX) return this.#options.metrics.dropped(1);
    this.#waiting.push(span);
    this.#schedule();
  }

  /** Sends what waits, for a bounded time, and drops the rest. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    const { clock, metrics } = this.#options;
    const late = new Promise<void>((resolve) => clock.startTimer(CLOSE_MS, resolve));
    await Promise.race([this.#sendAll(), late]);
    metrics.dropped(this.#waiting.length);
    this.#waiting = [];
  }

  async #sendAll(): Promise<void> {
    await this.#sending;
    while (this.#failures === 0 && this.#waiting.length > 0) await this.#send();
  }

  #schedule(): void {
    if (this.#isClosed || this.#sending !== undefined || this.#waiting.length === 0) return;
    // A whole batch goes at once, unless the receiver takes nothing at present.
    if (this.#failures === 0 && this.#waiting.length >= BATCH_MAX) return this.#begin();
    const { clock, random } = this.#options;
    const delayMs = this.#failures === 0 ? GATHER_MS : backoffDelayMs(this.#failures - 1, random, RETRY);
    this.#timer ??= clock.startTimer(delayMs, () => this.#begin());
  }

  #begin(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#sending = this.#send().finally(() => {
      this.#sending = undefined;
      this.#schedule();
    });
  }

  async #send(): Promise<void> {
    const { post, resource, log, metrics } = this.#options;
    const batch = this.#waiting.splice(0, BATCH_MAX);
    const outcome = await post(otlpBody(batch, resource));
    if (outcome.kind === "taken") {
      metrics.exported(batch.length);
      if (this.#failures > 0) log.info("traces are exported again");
      this.#failures = 0;
      return;
    }
    this.#failures += 1;
    if (this.#failures === 1) log.warn("traces are not exported", { detail: outcome.detail });
    const kept = outcome.kind === "later" ? batch.slice(0, WAITING_MAX - this.#waiting.length) : [];
    metrics.dropped(batch.length - kept.length);
    this.#waiting = [...kept, ...this.#waiting];
  }
}
