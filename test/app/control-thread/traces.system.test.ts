import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { OtlpReceiver, valuesOf } from "../../support/processes/otlp-receiver.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const TOKEN = "token-that-nobody-may-see";
const WAIT_MS = 20_000;
const OTEL = { OTEL_SERVICE_NAME: "fanfare Seoul" };

test("a change by the API is one trace, from the caller's span to the platform's answer", async () => {
  const otlp = await OtlpReceiver.start();
  const stage = await Stage.open();
  stage.keepSecret(TOKEN);
  const { api, fanfare } = await stage.server({
    environment: {
      ...OTEL,
      OTEL_EXPORTER_OTLP_ENDPOINT: `${otlp.endpoint}/`,
      OTEL_EXPORTER_OTLP_HEADERS: `x-login=${TOKEN}`,
    },
  });
  const target = await stage.target();
  const [firstKey, secondKey] = [uniqueKey("first"), uniqueKey("second")];
  const channel = await api.createChannel("traced", [{ rtmpUrl: target.url, streamKey: firstKey }]);
  const watch = stage.watch(api, channel);
  stage.kitEncoder(channel, { clip: syntheticClip({ seconds: 60 }) });
  const { platId } = await watch.until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", WAIT_MS);

  const path = `/api/v2/re-stream/channels/${channel.channelId}/platforms/${platId}?onAir=true`;
  const headers = { ...api.signedHeaders("PUT", path), traceparent: `00-${TRACE}-${PARENT}-01` };
  stage.keepSecret(secondKey);
  const answer = await fetch(`${fanfare.origin}${path}`, {
    ...{ method: "PUT", headers: { ...headers, "content-type": "application/json" } },
    body: JSON.stringify({ targetName: "CUSTOM", rtmpUrl: target.url, streamKey: secondKey }),
  });
  expect(answer.status).toBe(200);
  const named = (name: string) => otlp.named(TRACE, name);
  await waitFor("the trace", WAIT_MS, () => named("target dial"));

  const [request, command, dial] = ["PUT /api/v2", "command channel", "target dial"].map(named);
  expect([request?.parentSpanId, command?.parentSpanId, dial?.parentSpanId]).toEqual([
    PARENT,
    request?.spanId,
    command?.spanId,
  ]);
  expect(valuesOf(dial?.attributes ?? [])).toEqual({
    "fanfare.channel_id": channel.channelId,
    "fanfare.platform_id": platId,
    "fanfare.result": "publishing",
    "server.address": "127.0.0.1",
    "server.port": target.port,
    "network.protocol.name": "rtmp",
  });
  const stages = otlp.spans().filter(({ parentSpanId }) => parentSpanId === dial?.spanId);
  expect(stages.map(({ name }) => name)).toEqual(["dns", "tcp", "rtmp handshake", "rtmp connect", "rtmp publish"]);
  // The first dial followed from the encoder, so it is a trace of its own.
  const first = otlp.spans().find(({ name, traceId }) => name === "target dial" && traceId !== TRACE);
  expect(first?.parentSpanId).toBeUndefined();

  expect(otlp.heads[0]).toBe(`POST /v1/traces application/json ${TOKEN}`);
  expect(first?.resource).toMatchObject({ "service.name": "fanfare Seoul" });
  for (const secret of [firstKey, secondKey, channel.streamKey]) expect(otlp.bodies.join("")).not.toContain(secret);
  const metrics = await (await fetch(`${fanfare.origin}/metrics`)).text();
  expect(metrics).toMatch(/^fanfare_trace_spans_total\{result="exported"\} [1-9]/m);
});

test("a server without a receiver has no metrics of traces, and one whose receiver is away works and says so once", async () => {
  const stage = await Stage.open();
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const { api, fanfare } = await stage.server({ environment: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
  await api.channels();
  await waitFor("the warning", WAIT_MS, () => fanfare.output.includes("traces are not exported") || undefined);
  await api.channels();
  expect(fanfare.output.split("traces are not exported").length).toBe(2);
  await fanfare.stop();
});
