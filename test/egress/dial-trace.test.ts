import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { TraceParent, TraceSpan } from "../../src/thread-protocol/traces/traces.ts";
import { certificate } from "../support/stages/certificates.ts";
import { dial, kitTarget, resolverOf, serve } from "../support/stages/dialling.ts";
import { tlsInFront } from "../support/targets/handmade-target.ts";

const SECRET = "key-that-nobody-may-see";
const COMMAND: TraceParent = {
  ...{ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" },
  isSampled: true,
};
const HOST = "secure.example";

/** Traces dials into the list. */
function tracing(spans: TraceSpan[], current?: TraceParent) {
  const sampling = { share: 1, followsParent: true };
  return { clock: systemClock, randomBytes, sampling, onSpan: (span: TraceSpan) => spans.push(span), current };
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

test("a dial over TLS has a span for the handshake of TLS, with the error where the certificate is not trusted", async () => {
  const pair = certificate(HOST);
  const target = await kitTarget();
  const url = `rtmps://${HOST}:${await tlsInFront(target.port, pair)}/live`;
  const spans: TraceSpan[] = [];
  const options = { traces: tracing(spans, COMMAND), resolver: resolverOf({ [HOST]: ["127.0.0.1"] }) };
  const { error } = await dial(url, { ...options, extraCa: pair.cert, streamKey: SECRET }).outcome;
  expect(error).toBeUndefined();
  expect(shape(spans)).toEqual(["dns", "tcp", "tls", "rtmp handshake", "rtmp connect", "rtmp publish", "target dial"]);
  const [tcp, tls, handshake, whole] = [spans[1], spans[2], spans[3], spans.at(-1)];
  expect(tls).toMatchObject({ traceId: COMMAND.traceId, parentSpanId: whole?.spanId, kind: "internal" });
  const times = [tcp?.endTime, tls?.startTime, tls?.endTime, handshake?.startTime].map((time) => time ?? 0);
  expect(times).toEqual(times.toSorted((left, right) => left - right));
  expect(whole?.attributes).toMatchObject({ "server.address": HOST, "network.protocol.name": "rtmps" });
  expect(JSON.stringify(spans)).not.toContain(SECRET);
  spans.length = 0;
  await dial(url, options).outcome;
  expect(shape(spans)).toEqual(["dns", "tcp", "tls: TLS_FAILED", "target dial: TLS_FAILED"]);
});

test("a dial in a trace that its caller does not record has no spans, and one outside of the share neither", async () => {
  const target = await kitTarget();
  const spans: TraceSpan[] = [];
  await dial(target.url, { traces: tracing(spans, { ...COMMAND, isSampled: false }) }).outcome;
  const none = { ...tracing(spans), sampling: { share: 0, followsParent: true } };
  await dial(target.url, { traces: none }).outcome;
  expect(spans).toEqual([]);
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
