import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { openEventStream, type StreamEvent } from "../../web/src/live/event-stream.ts";
import { waitFor } from "../support/processes/waiting.ts";

const DEADLINE_MS = 15_000;

type Asked = { readonly headers: IncomingHttpHeaders; readonly response: ServerResponse };

/** A server that keeps every request open, and what an event stream from it reports. */
async function opened(
  options: {
    readonly status?: number;
    readonly silenceMs?: number;
    readonly eventCharactersMax?: number;
    /** What the first request gets at once. */
    readonly greeting?: string;
  } = {},
) {
  const { status = 200, greeting, ...limits } = options;
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    response.writeHead(status, { "content-type": "text/event-stream" });
    response.flushHeaders();
    if (asked.length === 0 && greeting !== undefined) response.write(greeting);
    asked.push({ headers: request.headers, response });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const events: StreamEvent[] = [];
  const states: string[] = [];
  let heardCount = 0;
  const close = openEventStream(
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    { event: (event) => events.push(event), state: (state) => states.push(state), heard: () => (heardCount += 1) },
    limits,
  );
  onTestFinished(() => {
    close();
    server.closeAllConnections();
    server.close();
  });
  const request = (index: number) => waitFor(`request ${index}`, DEADLINE_MS, () => asked[index]);
  const received = (count: number) =>
    waitFor(`${count} events`, DEADLINE_MS, () => events.length >= count || undefined);
  return { request, received, events, states, heardCount: () => heardCount };
}

test("an event of several lines is one event, cut anywhere, also within a letter; comments and unknown fields are ignored", async () => {
  const { request, received, events } = await opened();
  const { response } = await request(0);
  const bytes = Buffer.from(
    ': still here\n\nid: e-1\nevent: snapshot\ndata: {"name":\ndata: "저녁 방송"}\n\nmood: good\ndata: 7\n\n',
  );
  for (const byte of bytes) {
    response.write(Buffer.of(byte));
    // Each byte is sent on its own.
    await new Promise(setImmediate);
  }
  await received(2);
  expect(events).toEqual([
    { name: "snapshot", data: { name: "저녁 방송" } },
    { name: "message", data: 7 },
  ]);
});

test("a lost stream is reported, and resumed after the last event that had an id", async () => {
  const { request, received, states } = await opened();
  const first = await request(0);
  expect(first.headers["last-event-id"]).toBeUndefined();
  first.response.write('id: e-1\nevent: a\ndata: 1\n\nevent: b\ndata: 2\n\nid: e-2\nevent: c\ndata: "cut o');
  await received(2);
  first.response.end();
  const second = await request(1);
  expect(second.headers["last-event-id"]).toBe("e-1");
  await waitFor("connected again", DEADLINE_MS, () => states.length === 3 || undefined);
  expect(states).toEqual(["connected", "lost", "connected"]);
});

test("an event longer than the bound ends the connection, and so does one that is not JSON", async () => {
  const { request, events, states } = await opened({ eventCharactersMax: 1_000 });
  (await request(0)).response.write(`data: "${"x".repeat(2_000)}`);
  (await request(1)).response.write("data: {not json}\n\n");
  await request(2);
  await waitFor("connected again", DEADLINE_MS, () => states.length === 5 || undefined);
  expect(states).toEqual(["connected", "lost", "connected", "lost", "connected"]);
  expect(events).toEqual([]);
});

test("a server that falls silent is lost, and a comment counts as life, though it is no event", async () => {
  const { request, events, states, heardCount } = await opened({ silenceMs: 1_500, greeting: ": still here\n\n" });
  await request(1);
  expect(heardCount()).toBe(1);
  expect(events).toEqual([]);
  expect(states.slice(0, 2)).toEqual(["connected", "lost"]);
});

test("a refused session is reported as refused", async () => {
  const { request, states } = await opened({ status: 401 });
  await request(0);
  await waitFor("a state", DEADLINE_MS, () => states[0]);
  expect(states).toEqual(["refused"]);
});
