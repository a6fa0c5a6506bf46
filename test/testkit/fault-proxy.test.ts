import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { FaultProxy, type ProxyEvent, type ProxyOptions } from "../../src/testkit/proxy/fault-proxy.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const WAIT_MS = 10_000;

/** One end of a connection, and what came out of it. */
class End {
  readonly socket: Socket;
  received = "";
  bytes = 0;
  state: "open" | "ended" | "reset" = "open";

  constructor(socket: Socket) {
    this.socket = socket;
    onTestFinished(() => void socket.destroy());
    socket.on("data", (bytes: Buffer) => {
      this.bytes += bytes.length;
      if (this.received.length < 1_000) this.received += bytes.toString("latin1");
    });
    socket.on("end", () => {
      this.state = "ended";
    });
    socket.on("error", () => {
      this.state = "reset";
    });
  }

  async until(what: string, isIt: () => boolean): Promise<void> {
    await waitFor(what, WAIT_MS, () => (isIt() ? true : undefined));
  }
}

/** A connection through a proxy: `near` connects, `far` is what the proxy connects to. */
async function through(options: Omit<ProxyOptions, "to"> = {}) {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  const proxy = await FaultProxy.start({ to: { port: address.port }, ...options });
  onTestFinished(() => proxy.close());
  const accepted = once(server, "connection");
  const near = new End(connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true }));
  const [socket] = await accepted;
  const far = new End(socket as Socket);
  return { proxy, near, far, server };
}

test("an open proxy passes bytes both ways, counts them, and hands ends on one by one", async () => {
  const events: ProxyEvent[] = [];
  const { proxy, near, far } = await through({ onEvent: (event) => events.push(event) });
  near.socket.end("question");
  await far.until("the near side's end", () => far.state === "ended");
  expect(far.received).toBe("question");
  far.socket.end("an answer");
  await near.until("the far side's end", () => near.state === "ended");
  expect(near.received).toBe("an answer");
  await near.until("the last event", () => events.length === 2);
  expect(events).toEqual([
    { event: "connected", connection: 0 },
    { event: "closed", connection: 0, bytesUp: 8, bytesDown: 9 },
  ]);
  expect([proxy.bytesPassed("up"), proxy.bytesPassed("down"), proxy.connectionCount, proxy.openCount]).toEqual([
    8, 9, 1, 0,
  ]);
});

test("a delay holds every byte back for its time, in each direction", async () => {
  const clock = new VirtualClock();
  const { proxy, near, far } = await through({ clock, shape: { delayMs: 500 } });
  near.socket.write("up");
  await waitFor("the proxy to have read it", WAIT_MS, () => (near.socket.bytesWritten === 2 ? true : undefined));
  far.socket.write("down");
  // Whatever the proxy has read by now is due half a second later; time stands still until it has read both.
  await waitFor("bytes in both directions", WAIT_MS, () => {
    clock.advance(100);
    return near.received === "down" && far.received === "up" ? true : undefined;
  });
  expect(clock.now()).toBeGreaterThanOrEqual(500);
  expect(proxy.bytesPassed("up")).toBe(2);
});

test("a rate is kept, byte for byte of the clock's time", async () => {
  const clock = new VirtualClock();
  const { proxy, near, far } = await through({ clock, shape: { bytesPerSecond: 10_000 } });
  near.socket.write(Buffer.alloc(50_000, 0x61));
  await far.until("the first piece", () => far.bytes > 0);
  for (let second = 1; second <= 4; second += 1) {
    clock.advance(1_000);
    expect(proxy.bytesPassed("up")).toBeGreaterThanOrEqual(second * 10_000);
    expect(proxy.bytesPassed("up")).toBeLessThanOrEqual(second * 10_000 + 500);
  }
  proxy.shape({});
  clock.advance(1_000);
  await far.until("all of it", () => far.bytes === 50_000);
});

test("a stalled proxy leaves the sender with its bytes until it resumes, and nothing is lost", async () => {
  const { proxy, near, far } = await through();
  proxy.stall("up");
  const block = Buffer.alloc(1_000_000, 0x61);
  let written = 0;
  while (near.socket.writableLength === 0 && written < 100) {
    near.socket.write(block);
    written += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(near.socket.writableLength).toBeGreaterThan(0);
  expect(far.bytes).toBe(0);
  far.socket.write("the other direction goes on");
  await near.until("the other direction", () => near.received !== "");
  proxy.resume();
  await far.until("everything", () => far.bytes === written * block.length);
});

test("a proxy may begin stalled: connections stand, nothing passes", async () => {
  const { proxy, near, far } = await through({ state: "stalled" });
  near.socket.write("hello");
  expect([proxy.connectionCount, proxy.bytesPassed("up"), far.bytes]).toEqual([1, 0, 0]);
  proxy.resume();
  await far.until("the greeting", () => far.received === "hello");
});

test("a blackhole swallows bytes and ends, and neither side notices", async () => {
  const { proxy, near, far } = await through();
  proxy.blackhole();
  near.socket.write(Buffer.alloc(20_000_000));
  await near.until("all of it swallowed", () => near.socket.writableLength === 0);
  near.socket.resetAndDestroy();
  await near.until("its end", () => near.socket.destroyed);
  const second = new End(connect(proxy.port, "127.0.0.1"));
  second.socket.write("later connections too");
  await second.until("the second to be taken", () => proxy.connectionCount === 2);
  expect([far.bytes, far.state, proxy.bytesPassed("up")]).toEqual([0, "open", 0]);
});

test("after a blackhole bytes pass again, and swallowed bytes are gone", async () => {
  const { proxy, near, far } = await through();
  proxy.blackhole("up");
  near.socket.write("gone");
  far.socket.write("x");
  await near.until("the other direction", () => near.received === "x");
  proxy.resume("up");
  near.socket.write("here");
  await far.until("what came later", () => far.received.endsWith("here"));
  expect(["here", "gonehere"]).toContain(far.received);
});

test("a reset reaches both sides", async () => {
  const { proxy, near, far } = await through();
  proxy.reset();
  await near.until("both to be reset", () => near.state === "reset" && far.state === "reset");
  expect(proxy.openCount).toBe(0);
});

test("one side's reset reaches the other", async () => {
  const { near, far } = await through();
  near.socket.resetAndDestroy();
  await far.until("its reset", () => far.state === "reset");
});

test("a half-close ends one direction; the other goes on, and resuming does not undo it", async () => {
  const { proxy, near, far } = await through();
  proxy.halfClose("up");
  await far.until("the end", () => far.state === "ended");
  proxy.resume();
  near.socket.write("into nothing");
  far.socket.write("still here");
  await near.until("the other direction", () => near.received === "still here");
  expect([far.bytes, near.state]).toEqual([0, "open"]);
});

test("connections to the proxy are reset where nothing listens behind it", async () => {
  const { proxy, server } = await through();
  server.close();
  const near = new End(connect(proxy.port, "127.0.0.1"));
  await near.until("its reset", () => near.state === "reset");
});
