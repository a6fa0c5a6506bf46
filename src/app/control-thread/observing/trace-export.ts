import { randomBytes } from "node:crypto";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { systemClock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { TraceExporter } from "../../../telemetry/traces/trace-exporter.ts";
import { TraceMetrics } from "../../../telemetry/traces/trace-metrics.ts";
import type { SpanDeps } from "../../../thread-protocol/traces/open-span.ts";
import type { TraceSpan } from "../../../thread-protocol/traces/traces.ts";
import type { Config } from "../../config/settings/settings.ts";
import { samplingOf } from "../../config/trace-sampling.ts";
import { releaseVersion } from "../../release.ts";

/** Where spans go. */
export type TraceExport = {
  /** What the spans of this thread are made with. */
  readonly spans: SpanDeps;
  readonly metrics: TraceMetrics;
  /** Takes a span of any thread. */
  readonly add: (span: TraceSpan) => void;
  /** Sends what waits, for a bounded time. */
  readonly close: () => Promise<void>;
};

/** Where the settings say that traces go; undefined where they want none. */
export function traceExportOf(config: Config, log: Log): TraceExport | undefined {
  const sampling = samplingOf(config);
  if (config.otlpEndpoint === undefined || sampling === undefined) return undefined;
  const metrics = new TraceMetrics();
  const exporter = load(config.otlpEndpoint, config, log, metrics);
  const add = (span: TraceSpan) => void exporter.then((loaded) => loaded.add(span));
  return {
    spans: { clock: systemClock, randomBytes, sampling, onSpan: add },
    metrics,
    add,
    close: async () => (await exporter).close(),
  };
}

/** OpenTelemetry's packages are loaded only where traces are wanted. */
async function load(
  endpoint: string,
  { otlpHeaders = {}, nodeId, traceServiceName }: Config,
  log: Log,
  metrics: TraceMetrics,
): Promise<TraceExporter> {
  const [{ OTLPTraceExporter }, { EXPORT_DEADLINE_MS, TraceExporter: Exporter }] = await Promise.all([
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("../../../telemetry/traces/trace-exporter.ts"),
  ]);
  const url = `${endpoint.replace(/\/$/, "")}/v1/traces`;
  const agent = new (url.startsWith("https:") ? HttpsAgent : HttpAgent)({ keepAlive: true });
  return new Exporter({
    exporter: new OTLPTraceExporter({
      ...{ url, headers: { ...otlpHeaders }, timeoutMillis: EXPORT_DEADLINE_MS, httpAgentOptions: () => agent },
    }),
    giveUp: () => agent.destroy(),
    resource: {
      "service.name": traceServiceName,
      "service.version": releaseVersion(),
      "service.instance.id": nodeId,
    },
    log,
    metrics,
  });
}
