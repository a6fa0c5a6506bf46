import { Registry } from "prom-client";
import { beforeEach, expect, test } from "vitest";
import type { LogFields } from "../../../src/base/log.ts";
import type { ExportOutcome } from "../../../src/telemetry/traces/otlp-post.ts";
import { TraceExporter } from "../../../src/telemetry/traces/trace-exporter.ts";
import { TraceMetrics } from "../../../src/telemetry/traces/trace-metrics.ts";
import type { TraceSpan } from "../../../src/thread-protocol/traces/traces.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const span = (name: string): TraceSpan => ({
  ...{ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", name, kind: "internal" },
  ...{ startTime: 1_800_000_000_000.125, endTime: 1_800_000_000_001.5, attributes: {} },
});

let clock: VirtualClock;
let bodies: string[];
let outcome: ExportOutcome | Promise<ExportOutcome>;
let lines: (readonly [string, LogFields])[];
let metrics: TraceMetrics;
let exporter: TraceExporter;

beforeEach(() => {
  clock = new VirtualClock();
  bodies = [];
  outcome = { kind: "taken" };
  lines = [];
  metrics = new TraceMetrics();
  const write = (event: string, fields: LogFields = {}) => void lines.push([event, fields]);
  exporter = new TraceExporter({
    post: async (body) => {
      bodies.push(body);
      return await outcome;
    },
    resource: { "service.name": "fanfare" },
    ...{ clock, metrics, random: () => 1, log: { debug: write, info: write, warn: write, error: write } },
  });
});

/** Lets promises that are settled run on. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const names = (body = "") => [...body.matchAll(/"name":"(s\d+)"/g)].map(([, name]) => name);

async function counts(): Promise<Record<string, number>> {
  const registry = new Registry();
  metrics.register(registry);
  const values = (await registry.getMetricsAsJSON())[0]?.values ?? [];
  return Object.fromEntries(values.map(({ labels, value }) => [String(labels["result"]), Number(value)]));
}

test("an export has the form that OTLP says, with what the span comes from", async () => {
  exporter.add({
    ...span("target dial"),
    ...{ parentSpanId: "00f067aa0ba902b7", kind: "client", error: "CONNECT_FAILED" },
    attributes: { "fanfare.channel_id": "ls-1", "server.port": 1_935, share: 0.5 },
  });
  clock.advance(1_000);
  await settled();
  expect(bodies.map((body) => JSON.parse(body))).toEqual([
    {
      resourceSpans: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "fanfare" } }] },
          scopeSpans: [
            {
              scope: { name: "fanfare" },
              spans: [
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
                    { key: "server.port", value: { intValue: "1935" } },
                    { key: "share", value: { doubleValue: 0.5 } },
                  ],
                  status: { code: 2, message: "CONNECT_FAILED" },
                },
              ],
            },
          ],
        },
      ],
    },
  ]);
});

test("spans go together after a second, and a whole batch at once", async () => {
  exporter.add(span("s1"));
  exporter.add(span("s2"));
  clock.advance(999);
  expect(bodies).toEqual([]);
  clock.advance(1);
  await settled();
  expect(bodies.map(names)).toEqual([["s1", "s2"]]);
  for (let index = 0; index < 512; index += 1) exporter.add(span(`s${index}`));
  expect(bodies.map((body) => names(body).length)).toEqual([2, 512]);
});

test("a receiver that never answers costs 4,096 spans that wait, and no more; the rest is dropped and counted", async () => {
  outcome = new Promise(() => undefined);
  for (let index = 0; index < 6_000; index += 1) exporter.add(span(`s${index}`));
  expect(bodies.length).toBe(1);
  // 512 are under way, 4,096 wait.
  expect(await counts()).toEqual({ exported: 0, dropped: 6_000 - 512 - 4_096 });
});

test("a receiver that is away is tried again at growing intervals, gets what waited in order, and is logged once", async () => {
  outcome = { kind: "later", detail: "connect ECONNREFUSED" };
  exporter.add(span("s1"));
  for (const waitMs of [1_000, 1_000, 2_000, 4_000]) {
    const before = bodies.length;
    clock.advance(waitMs - 1);
    expect(bodies.length).toBe(before);
    clock.advance(1);
    await settled();
    expect(bodies.length).toBe(before + 1);
  }
  exporter.add(span("s2"));
  outcome = { kind: "taken" };
  clock.advance(8_000);
  await settled();
  expect(names(bodies.at(-1))).toEqual(["s1", "s2"]);
  expect(await counts()).toEqual({ exported: 2, dropped: 0 });
  expect(lines).toEqual([
    ["traces are not exported", { detail: "connect ECONNREFUSED" }],
    ["traces are exported again", {}],
  ]);
});

test("what the receiver refuses is not sent again", async () => {
  outcome = { kind: "refused", detail: "the receiver answered 400" };
  exporter.add(span("s1"));
  clock.advance(1_000);
  await settled();
  outcome = { kind: "taken" };
  exporter.add(span("s2"));
  clock.advance(60_000);
  await settled();
  expect(bodies.map(names)).toEqual([["s1"], ["s2"]]);
  expect(await counts()).toEqual({ exported: 1, dropped: 1 });
});

test("the end sends what waits, and waits a second at most", async () => {
  exporter.add(span("s1"));
  await exporter.close();
  expect(bodies.map(names)).toEqual([["s1"]]);
  exporter.add(span("s2"));
  expect(await counts()).toEqual({ exported: 1, dropped: 1 });
});

test("a receiver that does not answer does not hold up the end", async () => {
  outcome = new Promise(() => undefined);
  exporter.add(span("s1"));
  const closed = exporter.close();
  clock.advance(1_000);
  await closed;
  expect(bodies.length).toBe(1);
});
