import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { SourceMetrics } from "../../src/telemetry/source-metrics.ts";

test("a source has one state, and none once its channel is deleted", async () => {
  const registry = new Registry();
  const metrics = new SourceMetrics(registry);
  const shown = async () => {
    metrics.fill();
    return [...(await registry.metrics()).matchAll(/state="(\w+)"\} (\d)/g)].map(
      ([, state, value]) => `${state} ${value}`,
    );
  };
  expect(await shown()).toEqual([]);
  const status = { state: "playing", sinceTime: 1 } as const;
  metrics.fact({ kind: "source-changed", time: 1, channelId: "c", from: "starting", status });
  expect(await shown()).toEqual(["stopped 0", "starting 0", "playing 1", "failed 0"]);
  metrics.fact({ kind: "channel-changed", change: "deleted", time: 2, channelId: "c", channelName: "c" });
  expect(await shown()).toEqual([]);
});
