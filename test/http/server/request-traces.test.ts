import { afterEach, beforeEach, expect, test } from "vitest";
import { currentTrace } from "../../../src/thread-protocol/traces/current-trace.ts";
import type { TraceSpan } from "../../../src/thread-protocol/traces/traces.ts";
import { Api, CHANNEL, CHANNELS } from "../api.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

let api: Api;
let spans: TraceSpan[];
beforeEach(async () => {
  spans = [];
  api = await Api.open({ onSpan: (span) => spans.push(span) });
});
afterEach(() => api.close());

test("a request is a span in its caller's trace, and its commands belong to that span", async () => {
  const { channelId } = await api.content("POST", CHANNELS, CHANNEL);
  spans = [];
  const seen: ReturnType<typeof currentTrace>[] = [];
  api.runtime.onApply = () => seen.push(currentTrace());
  const answer = await api.call({
    ...{ method: "PUT", url: `${CHANNELS}/${channelId}`, body: { ...CHANNEL, channelName: "other" } },
    headers: { traceparent: `00-${TRACE}-${PARENT}-01` },
  });
  expect(answer.status).toBe(200);
  expect(spans).toEqual([
    {
      ...{ traceId: TRACE, parentSpanId: PARENT, spanId: expect.stringMatching(/^[0-9a-f]{16}$/) },
      ...{ name: `PUT ${CHANNELS}/:channelId`, kind: "server" },
      ...{ startTime: expect.any(Number), endTime: expect.any(Number) },
      attributes: {
        "http.request.method": "PUT",
        "http.route": `${CHANNELS}/:channelId`,
        "http.response.status_code": 200,
        "fanfare.trace_id": answer.headers["x-ncp-trace-id"],
        "fanfare.channel_id": channelId,
      },
    },
  ]);
  expect(seen).toEqual([{ traceId: TRACE, spanId: spans[0]?.spanId, isSampled: true }]);
  expect(currentTrace()).toBeUndefined();
});

test("without a caller's trace one begins; a caller that records nothing gets no span; a refusal has one", async () => {
  await api.get(CHANNELS);
  expect(spans.map(({ traceId, parentSpanId }) => [/^[0-9a-f]{32}$/.test(traceId), parentSpanId])).toEqual([
    [true, undefined],
  ]);
  await api.call({ method: "GET", url: CHANNELS, headers: { traceparent: `00-${TRACE}-${PARENT}-00` } });
  expect(spans.length).toBe(1);
  await api.server.inject({ method: "GET", url: CHANNELS });
  expect(spans.map(({ attributes }) => attributes["http.response.status_code"])).toEqual([200, 401]);
  // No fault of the server.
  expect(spans[1]?.error).toBeUndefined();
});

test("what a request leaves behind does not belong to its trace any more", async () => {
  const { channelId } = await api.content("POST", CHANNELS, CHANNEL);
  const seen: ReturnType<typeof currentTrace>[] = [];
  const later = Promise.withResolvers<void>();
  api.runtime.onApply = () => {
    later.promise.then(() => seen.push(currentTrace()));
  };
  await api.put(`${CHANNELS}/${channelId}`, { ...CHANNEL, channelName: "other" });
  await expect.poll(() => spans.length).toBe(2);
  later.resolve();
  await expect.poll(() => seen.length).toBe(1);
  expect(seen).toEqual([undefined]);
});

test("a part of all traces is recorded by their ids, whatever a caller says, where the sampler does not follow it", async () => {
  await api.close();
  const ids = ["7f".repeat(16), "80".repeat(16), "ff".repeat(16)];
  for (const [share, count] of [
    [0, 0],
    [0.5, 2],
    [1, 3],
  ] as const) {
    spans = [];
    api = await Api.open({ onSpan: (span) => spans.push(span), sampling: { share, followsParent: false } });
    for (const traceId of ids) {
      const headers = { traceparent: `00-${traceId}-${PARENT}-00` };
      await api.call({ method: "GET", url: CHANNELS, headers });
    }
    expect(spans).toHaveLength(count);
    if (share < 1) await api.close();
  }
});

test("a fault of the server is the span's error", async () => {
  const { channelId } = await api.content("POST", CHANNELS, CHANNEL);
  api.runtime.onApply = () => {
    throw new Error("broken");
  };
  const answer = await api.put(`${CHANNELS}/${channelId}`, { ...CHANNEL, channelName: "other" });
  expect(answer.status).toBe(500);
  expect(spans.map(({ error }) => error)).toEqual([undefined, "500"]);
});

test("the health pages and the dashboard are not traced", async () => {
  for (const url of ["/livez", "/metrics", "/dashboard/session", "/nowhere"])
    await api.server.inject({ method: "GET", url });
  expect(spans).toEqual([]);
});
