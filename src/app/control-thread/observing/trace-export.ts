import { systemClock } from "../../../base/clock.ts";
import type { Metrics } from "../../../telemetry/metrics.ts";
import { createOtlpPost } from "../../../telemetry/traces/otlp-post.ts";
import { TraceExporter } from "../../../telemetry/traces/trace-exporter.ts";
import { TraceMetrics } from "../../../telemetry/traces/trace-metrics.ts";
import { releaseVersion } from "../../release.ts";
import type { Foundations } from "../server-options.ts";

/** Where the settings say that traces go; undefined where they name no receiver. */
export function exporterOf({ config, log }: Foundations, metrics: Metrics): TraceExporter | undefined {
  const { otlpEndpoint, otlpHeaders = {}, nodeId } = config;
  if (otlpEndpoint === undefined) return undefined;
  const counts = new TraceMetrics();
  metrics.include(counts);
  return new TraceExporter({
    post: createOtlpPost(otlpEndpoint, otlpHeaders),
    resource: {
      "service.name": "fanfare",
      "service.version": releaseVersion(),
      "service.instance.id": nodeId,
    },
    ...{ clock: systemClock, random: Math.random, log, metrics: counts },
  });
}
