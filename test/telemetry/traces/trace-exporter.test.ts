import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LogFields } from "../../../src/base/log.ts";
import { EXPORT_DEADLINE_MS, TraceExporter } from "../../../src/telemetry/traces/trace-exporter.ts";
import { TraceMetrics } from "../../../src/telemetry/traces/trace-metrics.ts";
import type { TraceSpan } from "../../../src/thread-protocol/traces/traces.ts";

const GATHER_MS = 1_000;

const span = (name: string): TraceSpan => ({
  ...{ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", name, kind: "internal" },
  ...{ startTime: 1_800_000_000_000.125, endTime: 1_800_000_000_001.5, attributes: {} },
});

let batches: string[][];
/** What becomes of the exports; undefined: nothing yet. */
let result: ExportResult | undefined;
let lines: (readonly [string, LogFields])[];
let metrics: TraceMetrics;

const fake: SpanExporter = {
  export: (spans, done) => {
    batches.push(spans.map(({ name }) => name));
    if (result !== undefined) done(result);
  },
  shutdown: async () => undefined,
};

function exporterOver(exporter: SpanExporter, giveUp = () => {}): TraceExporter {
  const write = (event: string, fields: LogFields = {}) => void lines.push([event, fields]);
  const log = { debug: write, info: write, warn: write, error: write };
  return new TraceExporter({ exporter, resource: { "service.name": "fanfare" }, log, metrics, giveUp });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  batches = [];
  result = { code: ExportResultCode.SUCCESS };
  lines = [];
  metrics = new TraceMetrics();
});
afterEach(() => void vi.useRealTimers());

async function counts(): Promise<Record<string, number>> {
  const registry = new Registry();
  metrics.register(registry);
  const values = (await registry.getMetricsAsJSON())[0]?.values ?? [];
  return Object.fromEntries(values.map(({ labels, value }) => [String(labels["result"]), Number(value)]));
}

test("an export has the form that OTLP says, with what the span comes from", async () => {
  vi.useRealTimers();
  const bodies: string[] = [];
  const receiver = createServer(async (request, response) => {
    bodies.push((await request.toArray()).join(""));
    response.end("{}");
  });
  await once(receiver.listen(0, "127.0.0.1"), "listening");
  const { port } = receiver.address() as AddressInfo;
  const exporter = exporterOver(new OTLPTraceExporter({ url: `http://127.0.0.1:${port}/v1/traces` }));
  exporter.add({
    ...span("target dial"),
    ...{ parentSpanId: "00f067aa0ba902b7", kind: "client", error: "CONNECT_FAILED" },
    attributes: { "fanfare.channel_id": "ls-1", "server.port": 1_935, share: 0.5 },
  });
  await exporter.close();
  receiver.close();
  const { resourceSpans } = JSON.parse(bodies.join(""));
  expect(resourceSpans).toMatchObject([
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "fanfare" } }] },
      scopeSpans: [{ scope: { name: "fanfare" } }],
    },
  ]);
  expect(resourceSpans[0].scopeSpans[0].spans).toMatchObject([
    {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      parentSpanId: "00f067aa0ba902b7",
      name: "target dial",
      kind: 3,
      startTimeUnixNano: "1800000000000125000",
      endTimeUnixNano: "1800000000001500000",
      attributes: [
        { key: "fanfare.channel_id", value: { stringValue: "ls-1" } },
        { key: "server.port", value: { intValue: 1_935 } },
        { key: "share", value: { doubleValue: 0.5 } },
      ],
      status: { code: 2, message: "CONNECT_FAILED" },
    },
  ]);
  expect(await counts()).toEqual({ exported: 1, dropped: 0 });
});

test("spans go together after a second, and a whole batch at once", async () => {
  const exporter = exporterOver(fake);
  exporter.add(span("s1"));
  exporter.add(span("s2"));
  await vi.advanceTimersByTimeAsync(GATHER_MS - 1);
  expect(batches).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(batches).toEqual([["s1", "s2"]]);
  for (let index = 0; index < 512; index += 1) exporter.add(span(`s${index}`));
  expect(batches.map(({ length }) => length)).toEqual([2, 512]);
});

test("a receiver that never answers costs 4,096 spans, and no more; the rest is dropped and counted", async () => {
  result = undefined;
  const exporter = exporterOver(fake);
  for (let index = 0; index < 6_000; index += 1) exporter.add(span(`s${index}`));
  expect(batches.length).toBe(1);
  expect(await counts()).toEqual({ exported: 0, dropped: 6_000 - 4_096 });
});

test("exports that never end cost their spans alone: when the receiver is well again, so are traces", async () => {
  result = undefined;
  const gaveUp = vi.fn();
  const exporter = exporterOver(fake, gaveUp);
  for (let times = 1; times <= 10; times += 1) {
    for (let index = 0; index < 512; index += 1) exporter.add(span(`s${index}`));
    expect(batches.length).toBe(times);
    expect(gaveUp).toHaveBeenCalledTimes(times - 1);
    await vi.advanceTimersByTimeAsync(EXPORT_DEADLINE_MS);
  }
  expect(await counts()).toEqual({ exported: 0, dropped: 5_120 });
  result = { code: ExportResultCode.SUCCESS };
  exporter.add(span("after"));
  await vi.advanceTimersByTimeAsync(GATHER_MS);
  expect(await counts()).toEqual({ exported: 1, dropped: 5_120 });
  expect(lines).toEqual([
    ["traces are not exported", { detail: "no whole answer in 10 s" }],
    ["traces are exported again", {}],
  ]);
});

test("what a receiver does not take is dropped and counted, and logged once until it takes spans again", async () => {
  result = { code: ExportResultCode.FAILED, error: new Error("connect ECONNREFUSED") };
  const exporter = exporterOver(fake);
  for (const name of ["s1", "s2"]) {
    exporter.add(span(name));
    await vi.advanceTimersByTimeAsync(GATHER_MS);
  }
  result = { code: ExportResultCode.SUCCESS };
  exporter.add(span("s3"));
  await vi.advanceTimersByTimeAsync(GATHER_MS);
  expect(batches).toEqual([["s1"], ["s2"], ["s3"]]);
  expect(await counts()).toEqual({ exported: 1, dropped: 2 });
  expect(lines).toEqual([
    ["traces are not exported", { detail: "connect ECONNREFUSED" }],
    ["traces are exported again", {}],
  ]);
});

test("the end sends what waits; later spans are dropped", async () => {
  const exporter = exporterOver(fake);
  exporter.add(span("s1"));
  await exporter.close();
  expect(batches).toEqual([["s1"]]);
  exporter.add(span("s2"));
  expect(await counts()).toEqual({ exported: 1, dropped: 1 });
});

test("a receiver that does not answer does not hold up the end for more than a second", async () => {
  result = undefined;
  const exporter = exporterOver(fake);
  exporter.add(span("s1"));
  const closed = exporter.close();
  await vi.advanceTimersByTimeAsync(1_000);
  await closed;
  expect(batches).toEqual([["s1"]]);
  expect(await counts()).toEqual({ exported: 0, dropped: 1 });
});
