import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { TracedBus } from "../../../src/app/control-thread/cluster/traced-bus.ts";
import { CHANNEL_HINT } from "../../../src/cluster/hints.ts";
import { NodeRpc } from "../../../src/cluster/node-rpc.ts";
import type { BusMessage } from "../../../src/control/ports/bus.ts";
import { currentTrace, runWithin } from "../../../src/thread-protocol/traces/current-trace.ts";
import { OpenSpan, type SpanDeps } from "../../../src/thread-protocol/traces/open-span.ts";
import type { TraceParent, TraceSpan } from "../../../src/thread-protocol/traces/traces.ts";
import { MemoryNetwork } from "../../support/stages/memory-bus.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const ID = "ls-20260102030405-aB3dE";
const ANSWER_MS = 800;

/** Two nodes, the first with a request under way. */
function nodes({ share = 1, isTraced = true } = {}) {
  const network = new MemoryNetwork();
  const spans: TraceSpan[][] = [[], []];
  const depsOf = (index: number): SpanDeps => ({
    ...{ clock: new VirtualClock(), randomBytes, sampling: { share, followsParent: true } },
    onSpan: (span) => spans[index]?.push(span),
  });
  const [a, b] = [0, 1].map((index) => new TracedBus(network.newBus(), depsOf(index)));
  if (a === undefined || b === undefined) throw new Error("no buses");
  const request = new OpenSpan(depsOf(0), { name: "PUT", kind: "server" });
  const within = <Result>(run: () => Result): Result => (isTraced ? runWithin(request, run) : run());
  const { traceId, spanId } = request;
  return { network, a, b, within, request: { traceId, spanId }, spansOfB: spans[1] ?? [] };
}

test("a question to another node, and a hint of a change, go on there in the trace of the request", async () => {
  const { a, b, within, request, spansOfB } = nodes();
  const seen: (TraceParent | undefined)[] = [];
  const taken: BusMessage[] = [];
  const rpc = new NodeRpc(b, 2);
  rpc.on("command", async (message) => {
    taken.push(message);
    await Promise.resolve();
    seen.push(currentTrace());
    return { kind: "done" };
  });
  b.subscribe(CHANNEL_HINT, async (message) => {
    taken.push(message);
    await Promise.resolve();
    seen.push(currentTrace());
  });
  const asked = { op: "command", do: "retry", channelId: ID };
  expect(await within(() => a.request("node.2.rpc", asked, ANSWER_MS))).toEqual({
    ...{ kind: "reply", message: { kind: "done" } },
  });
  within(() => a.publish(CHANNEL_HINT, { channelId: ID }));
  await expect.poll(() => spansOfB.map(({ name }) => name)).toEqual(["node command", "node hint"]);
  const traceparent = `00-${request.traceId}-${request.spanId}-01`;
  expect(taken).toEqual([
    { ...asked, traceparent },
    { channelId: ID, traceparent },
  ]);
  for (const [index, span] of spansOfB.entries()) {
    expect(span).toMatchObject({ traceId: request.traceId, parentSpanId: request.spanId, kind: "server" });
    expect(span.attributes).toEqual({ "fanfare.channel_id": ID });
    // What the other node does then belongs to its own span.
    expect(seen[index]).toEqual({ traceId: request.traceId, spanId: span.spanId, isSampled: true });
  }
  expect(currentTrace()).toBeUndefined();
});

test("a trace that is not recorded is carried on as such, and what belongs to none is left as it is", async () => {
  for (const options of [{ share: 0 }, { isTraced: false }]) {
    const { a, b, within, spansOfB } = nodes(options);
    const seen: (TraceParent | undefined)[] = [];
    const taken: BusMessage[] = [];
    b.serve("node.2.rpc", async (message) => {
      taken.push(message);
      seen.push(currentTrace());
      return {};
    });
    await within(() => a.request("node.2.rpc", { op: "command" }, ANSWER_MS));
    expect([seen[0]?.isSampled, typeof taken[0]?.["traceparent"]]).toEqual(
      options.share === 0 ? [false, "string"] : [undefined, "undefined"],
    );
    expect(spansOfB).toEqual([]);
  }
});

test("other messages have no trace, and a malformed one is passed on", async () => {
  const { network, a, b, within, spansOfB } = nodes();
  const taken: BusMessage[] = [];
  b.subscribe("node.*.state", (message) => void taken.push(message));
  b.subscribe(CHANNEL_HINT, async (message) => void taken.push(message));
  within(() => a.publish("node.1.state", { no: 1 }));
  network.send(CHANNEL_HINT, { channelId: ID, traceparent: 7 });
  expect(taken).toEqual([{ no: 1 }, { channelId: ID, traceparent: 7 }]);
  expect(spansOfB).toEqual([]);
});

test("a failure of an answer ends its span, and reaches the bus", async () => {
  const { a, b, within, spansOfB } = nodes();
  b.serve("node.2.rpc", async () => {
    throw new Error("broken");
  });
  expect(await within(() => a.request("node.2.rpc", { op: "command" }, ANSWER_MS))).toEqual({
    ...{ kind: "none", why: "timed-out" },
  });
  expect(spansOfB.map(({ name }) => name)).toEqual(["node command"]);
});
