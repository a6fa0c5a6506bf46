import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { TraceParent, TraceSpan } from "../../src/thread-protocol/traces/traces.ts";
import { dial, kitTarget, resolverOf, serve } from "../support/stages/dialling.ts";

const SECRET = "key-that-nobody-may-see";
const COMMAND: TraceParent = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

/** Traces dials into the list. */
function tracing(spans: TraceSpan[], current?: TraceParent) {
  return { clock: systemClock, randomBytes, onSpan: (span: TraceSpan) => spans.push(span), current };
}

const shape = (spans: readonly TraceSpan[]) => spans.map(({ name, error }) => (error ? `${name}: ${error}` : name));

test("a dial has a span with its channel and platform inside the command's, and one inside it for each stage", async () => {
  const target = await kitTarget();
  const spans: TraceSpan[] = [];
  const url = `${target.url}?token=${SECRET}`;
  const traces = tracing(spans, COMMAND);
  await dial(url, { traces, channelId: "ls-20260102030405-aB3dE", streamKey: SECRET }).outcome;
  expect(shape(spans)).toEqual(["dns", "tcp", "rtmp handshake", "rtmp connect", "rtmp publish", "target dial"]);
  const whole = spans.at(-1);
  expect(whole).toMatchObject({
    ...{ traceId: COMMAND.traceId, parentSpanId: COMMAND.spanId, kind: "client" },
    attributes: {
      "fanfare.channel_id": "ls-20260102030405-aB3dE",
      "fanfare.platform_id": 1,
      "fanfare.result": "publishing",
      "server.address": "127.0.0.1",
      "server.port": target.port,
      "network.protocol.name": "rtmp",
    },
  });
  for (const stage of spans.slice(0, -1)) expect(stage.parentSpanId).toBe(whole?.spanId);
  const times = spans.slice(0, -1).flatMap(({ startTime, endTime }) => [startTime, endTime]);
  expect(times).toEqual(times.toSorted((left, right) => left - right));
  expect(whole?.startTime).toBeLessThanOrEqual(times[0] ?? 0);
  expect(JSON.stringify(spans)).not.toContain(SECRET);
});

test("the stage that failed has the error, and so has the dial; without a command it begins a trace", async () => {
  const spans: TraceSpan[] = [];
  const traces = tracing(spans);
  await dial("rtmp://nowhere.example/live", { traces, resolver: resolverOf() }).outcome;
  expect(shape(spans)).toEqual(["dns: DNS_FAILED", "target dial: DNS_FAILED"]);
  expect(spans.at(-1)?.parentSpanId).toBeUndefined();
  const silent = createServer((socket) => socket.end());
  const port = await serve(silent);
  spans.length = 0;
  await dial(`rtmp://127.0.0.1:${port}/live`, { traces }).outcome;
  expect(shape(spans)).toEqual(["dns", "tcp", "rtmp handshake: HANDSHAKE_FAILED", "target dial: HANDSHAKE_FAILED"]);
  expect(spans.at(-1)?.attributes["fanfare.result"]).toBe("HANDSHAKE_FAILED");
});

test("a dial that this server leaves before the target accepted it did not fail", async () => {
  const target = await kitTarget({ silentAt: "publish" });
  const spans: TraceSpan[] = [];
  const { link, dialer } = dial(target.url, { traces: tracing(spans) });
  await expect.poll(() => target.connections[0]?.report.commands).toContain("publish");
  link.close("cut");
  await dialer.idle();
  expect(shape(spans)).toEqual(["dns", "tcp", "rtmp handshake", "rtmp connect", "rtmp publish", "target dial"]);
  expect(spans.at(-1)?.attributes["fanfare.result"]).toBe("left");
});
