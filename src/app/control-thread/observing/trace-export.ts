import type { Log } from "../../../base/log.ts";
import type { Metrics } from "../../../telemetry/metrics.ts";
import type { TraceExporter } from "../../../telemetry/traces/trace-exporter.ts";
import { TraceMetrics } from "../../../telemetry/traces/trace-metrics.ts";
import type { TraceSpan } from "../../../thread-protocol/traces/traces.ts";
import { releaseVersion } from "../../release.ts";
import type { Foundations } from "../server-options.ts";

/** Where spans go. */
export type TraceExport = {
  readonly add: (span: TraceSpan) => void;
  /** Sends what waits, for a bounded time. */
  readonly close: () => Promise<void>;
};

/** Where the settings say that traces go; undefined where they name no receiver. */
export function traceExportOf({ config, log }: Foundations, metrics: Metrics): TraceExport | undefined {
  const { otlpEndpoint, otlpHeaders = {}, nodeId } = config;
  if (otlpEndpoint === undefined) return undefined;
  const counts = new TraceMetrics();
  metrics.include(counts);
  const exporter = load(otlpEndpoint, otlpHeaders, nodeId, log, counts);
  return {
    add: (span) => void exporter.then((loaded) => loaded.add(span)),
    close: async () => (await exporter).close(),
  };
}

/** OpenTelemetry's packages are loaded only where traces are wanted. */
async function load(
  endpoint: string,
  headers: Readonly<Record<string, string>>,
  nodeId: string,
  log: Log,
  metrics: TraceMetrics,
): Promise<TraceExporter> {
  const [{ OTLPTraceExporter }, { EXPORT_DEADLINE_MS, TraceExporter: Exporter }] = await Promise.all([
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("../../../telemetry/traces/trace-exporter.ts"),
  ]);
  const url = `${endpoint.replace(/\/$/, "")}/v1/traces`;
  return new Exporter({
    exporter: new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: EXPORT_DEADLINE_MS }),
    resource: {
      "service.name": "fanfare",
      "service.version": releaseVersion(),
      "service.instance.id": nodeId,
    },
    log,
    metrics,
  });
}
