import { Counter, type Registry } from "prom-client";

/** The metrics of the export of traces. Without an export there are none. */
export class TraceMetrics {
  readonly #spans = new Counter({
    name: "fanfare_trace_spans_total",
    help: "Spans of traces that the receiver took (exported), or that were lost (dropped).",
    labelNames: ["result"],
    registers: [],
  });

  constructor() {
    for (const result of ["exported", "dropped"]) this.#spans.inc({ result }, 0);
  }

  /** Adds them to a registry. */
  register(registry: Registry): void {
    registry.registerMetric(this.#spans);
  }

  exported(count: number): void {
    this.#spans.inc({ result: "exported" }, count);
  }

  dropped(count: number): void {
    this.#spans.inc({ result: "dropped" }, count);
  }
}
