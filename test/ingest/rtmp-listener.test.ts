import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { DirectSocket } from "../../src/net/kernel/direct-socket.ts";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { encodeCommand } from "../../src/protocol/rtmp/command.ts";
import { ADMITTED, frame, listen, publish, SPEC, type TestedWay } from "../support/encoders/ingest-stage.ts";
import { HAS_PROC } from "../support/processes/descriptors.ts";
import type { Verdict } from "../support/stages/admission.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";
import { AVC_CONFIG, avcFrame } from "../support/streams/media-messages.ts";

test("an admitted encoder's media reaches the relay, and its loss ends the broadcast", async () => {
  const { port, waitForFact, asked, dialer, facts } = await listen();
  const { socket } = await publish(port, "the-key?token=1");
  expect(await waitForFact("ingest-started")).toMatchObject({
    channelId: "ls-1",
    remoteAddress: "127.0.0.1",
    encoder: "test",
  });
  expect(asked).toEqual(["the-key"]);
  socket.write(Buffer.concat([frame(0, AVC_CONFIG), frame(0, avcFrame(true, 1))]));
  await waitForFact("target-status");
  expect(dialer.links.map(({ target }) => target.streamKey)).toEqual(["target-key"]);
  socket.resetAndDestroy();
  expect(await waitForFact("ingest-ended")).toMatchObject({ end: "connection-lost", isBroadcastOver: true });
  expect(dialer.latest(1).closedHow).toBe("cut");
  expect(facts.filter(({ kind }) => kind === "internal-fault")).toEqual([]);
});

test("a key that was pasted with other text is looked up as the key", async () => {
  const { port, asked, waitForFact } = await listen();
  await publish(port, "\u00a0rtmp%3A%2F%2Fserver%2Frelay%2Fmp4:the-key?token=1\u200b");
  expect(await waitForFact("ingest-started")).toMatchObject({ keyRemoved: ["invisible", "address", "prefix"] });
  expect(asked).toEqual(["the-key"]);
});

test("a refused encoder reads BadName before the connection closes", async () => {
  const { port, waitForFact } = await listen(async () => "refused");
  const encoder = await publish(port, "wrong");
  await encoder.closed;
  expect(encoder.codes()).toEqual(["NetStream.Publish.BadName"]);
  expect(await waitForFact("ingest-refused")).toEqual({
    kind: "ingest-refused",
    time: expect.any(Number),
    count: 1,
    remoteAddress: "127.0.0.1",
    reason: "unknown-key",
  });
});

test("without a verdict the connection is closed without a reply", async () => {
  const { port, waitForFact } = await listen(async () => "unavailable");
  const encoder = await publish(port, "key");
  await encoder.closed;
  expect(encoder.codes()).toEqual([]);
  expect(await waitForFact("ingest-refused")).toMatchObject({ reason: "not-answered" });
});

test.runIf(HAS_PROC)("an encoder that leaves while its key is being looked up opens nothing", async () => {
  const { promise, resolve } = Promise.withResolvers<Verdict>();
  const { port, facts, asked } = await listen(() => promise);
  const encoder = await publish(port, "key");
  await expect.poll(() => asked).toEqual(["key"]);
  encoder.socket.destroy();
  await encoder.closed;
  await expect.poll(async () => (await established(port)).length).toBe(0);
  resolve(ADMITTED);
  await promise;
  const other = await publish(port, "key");
  await expect.poll(() => facts.filter(({ kind }) => kind === "ingest-started")).toHaveLength(1);
  other.socket.destroy();
});

test("media that an encoder sends along with publish reaches the target, also more than one read while its key is looked up", async () => {
  const { promise, resolve } = Promise.withResolvers<Verdict>();
  const { port, waitForFact, asked, dialer } = await listen(() => promise);
  const { socket } = await publish(port, "the-key");
  const large = avcFrame(true, 1, 300_000);
  socket.write(Buffer.concat([frame(0, AVC_CONFIG), frame(0, large)]));
  await expect.poll(() => asked).toEqual(["the-key"]);
  resolve(ADMITTED);
  await waitForFact("target-status");
  dialer.latest(1).accept();
  await expect
    .poll(() =>
      dialer
        .latest(1)
        .messages()
        .map(({ payload }) => payload.length),
    )
    .toContain(large.length);
  socket.destroy();
});

test("a refused peer that sends on without end is cut", async () => {
  const { port } = await listen(async () => ADMITTED, new VirtualClock());
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const pour = () => {
    while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 0x47)));
    if (!socket.destroyed) socket.once("drain", pour);
  };
  socket.once("connect", pour);
  await closed;
  expect(socket.bytesWritten).toBeLessThan(64 * 1_024 * 1_024);
});

/** The established connections to a port, as the kernel lists them. */
async function established(port: number): Promise<string[]> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = (await readFile("/proc/net/tcp", "utf8")).split("\n");
  return lines.filter((line) => line.includes(`:${hex} `) && / 01 /.test(line));
}

test("a second encoder replaces the first one, whose connection is closed", async () => {
  const { port, waitForFact, facts } = await listen();
  const first = await publish(port, "key");
  await waitForFact("ingest-started");
  await publish(port, "key");
  await waitForFact("ingest-started", 2);
  await first.closed;
  expect(facts.map((fact) => (fact.kind === "ingest-ended" ? fact.end : fact.kind))).toEqual([
    "ingest-started",
    "publisher-active",
    "ingest-started",
    "replaced",
    "publisher-active",
  ]);
});

test("where two encoders displace each other the newcomer reads BadName, and the one on air stays", async () => {
  const { port, waitForFact, facts } = await listen();
  const onAir = (encoder: Awaited<ReturnType<typeof publish>>) =>
    encoder.socket.write(Buffer.concat([frame(0, AVC_CONFIG), frame(0, avcFrame(true, 1))]));
  for (let count = 1; count <= 4; count += 1) {
    const encoder = await publish(port, "key");
    await waitForFact("ingest-started", count);
    onAir(encoder);
    await waitForFact("publisher-active", count);
  }
  const fifth = await publish(port, "key");
  await fifth.closed;
  expect(fifth.codes()).toEqual(["NetStream.Publish.BadName"]);
  expect(await waitForFact("ingest-refused")).toMatchObject({ reason: "encoders-fight" });
  expect(facts.filter(({ kind }) => kind === "encoders-fight")).toHaveLength(1);
  expect(facts.filter(({ kind }) => kind === "ingest-started")).toHaveLength(4);
});

test.each([
  { name: "HTTP", bytes: Buffer.from("GET / HTTP/1.1\r\n\r\n") },
  { name: "a TLS greeting", bytes: Buffer.from("160301", "hex") },
])("$name on the encoders' port is closed at once", async ({ bytes }) => {
  const { port, waitForFact } = await listen();
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(bytes);
  await once(socket, "close");
  expect(await waitForFact("ingest-refused")).toMatchObject({
    reason: "protocol-error",
    detail: expect.stringMatching(/bad-version/),
  });
});

test("a broken message ends that encoder alone", async () => {
  const { port, waitForFact } = await listen();
  const { socket } = await publish(port, "key");
  await waitForFact("ingest-started");
  socket.write(Buffer.from("ffffffffffffffff", "hex"));
  expect(await waitForFact("ingest-ended")).toMatchObject({ end: "protocol-error" });
  await publish(port, "key");
  await waitForFact("ingest-started", 2);
});

/** Lets real timers run: the event loop reads sockets after them, and then runs its immediates. */
const nextTimers = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

/** A keyframe that has reached the kernel on our side. It may not have been read. */
async function arrived(socket: Socket, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  await nextTimers();
}

/** On air with its target accepted, on time that stands still. */
async function onAir(latency: "efficient" | "low", clock: VirtualClock, way?: TestedWay) {
  const listening = await listen(async () => ({ spec: { ...SPEC, latency }, slot: "main" }), clock, way);
  const { socket } = await publish(listening.port, "key");
  await listening.waitForFact("publisher-active");
  const step = async () => {
    await nextTimers();
    clock.advance(50);
  };
  await arrived(socket, frame(0, AVC_CONFIG));
  await expect
    .poll(async () => {
      await step();
      return listening.dialer.links.length;
    })
    .toBe(1);
  // The step resumed the sockets; now they are paused again.
  await nextTimers();
  const link = listening.dialer.latest(1);
  link.accept();
  const sentFrames = () => link.messages().filter(({ type, payload }) => type === 9 && payload[1] === 1).length;
  return { socket, step, sentFrames, ...listening };
}

test("low latency sends media with its read, in memory that is reused, whatever the clock says", async () => {
  const arrivals = vi.spyOn(DirectSocket.prototype, "takeArrivals");
  const { socket, sentFrames } = await onAir("low", new VirtualClock());
  for (let count = 1; count <= 5; count += 1) {
    await arrived(socket, frame(count * 40, avcFrame(count === 1, count)));
    await expect.poll(sentFrames).toBe(count);
  }
  expect(arrivals.mock.results).toEqual([{ type: "return", value: true }]);
  arrivals.mockRestore();
});

test("efficient: an encoder is not read before its step, then everything leaves in one write", async () => {
  const { socket, sentFrames, step, dialer } = await onAir("efficient", new VirtualClock());
  for (let count = 1; count <= 5; count += 1) await arrived(socket, frame(count * 40, avcFrame(count === 1, count)));
  expect([sentFrames(), dialer.latest(1).writes.length]).toEqual([0, 0]);
  await step();
  await expect.poll(sentFrames).toBe(5);
  expect(dialer.latest(1).writes).toHaveLength(1);
});

/** What brings a third read: a second one that brings less is the last before the next step. In bytes. */
const SECOND_READ_LEAST = 16 * 1024;

/** Waits until the kernel has handed over to a port all that was sent to it, or enough for a second read to be followed. */
async function handedOver(port: number): Promise<void> {
  const isHandedOver = async () => {
    const queues = (await established(port)).map((line) => / 01 ([0-9A-F]{8}):([0-9A-F]{8})/.exec(line) ?? []);
    const [unsent, unread] = [1, 2].map((at) =>
      queues.reduce((sum, each) => sum + Number.parseInt(each[at] ?? "0", 16), 0),
    );
    return unsent === 0 || (unread ?? 0) >= SECOND_READ_LEAST;
  };
  await expect.poll(isHandedOver, { interval: 5 }).toBe(true);
}

test.runIf(HAS_PROC)("efficient: an encoder that sends much is read again before the next step", async () => {
  const clock = new VirtualClock();
  const { port, socket, step, sentFrames } = await onAir("efficient", clock);
  const big = Array.from({ length: 6 }, (_, index) => frame(index * 20, avcFrame(index === 0, 1, 50_000)));
  await arrived(socket, Buffer.concat(big));
  await step();
  await arrived(socket, frame(120, avcFrame(false, 2)));
  // The tenth would be the next step.
  for (let followUp = 1; followUp < 10 && sentFrames() < 7; followUp += 1) {
    await handedOver(port);
    clock.advance(5);
    await nextTimers();
  }
  expect(sentFrames()).toBe(7);
});

test.runIf(HAS_PROC)(
  "efficient: an encoder that sends much and waits for no room is read again once, not after each step",
  async () => {
    const clock = new VirtualClock();
    const { port, socket, step, sentFrames } = await onAir("efficient", clock);
    const reads = vi.spyOn(DirectSocket.prototype, "read");
    let sent = 0;
    /** How often the encoder is read in a step that brings a frame of so many bytes. */
    const readsOf = async (bytes: number) => {
      await arrived(socket, frame(40 * sent, avcFrame(sent === 0, 1, bytes)));
      await handedOver(port);
      reads.mockClear();
      await step();
      await nextTimers();
      clock.advance(5);
      await nextTimers();
      sent += 1;
      return reads.mock.calls.length;
    };
    expect([await readsOf(50_000), await readsOf(50_000), await readsOf(30_000)]).toEqual([2, 1, 1]);
    expect([await readsOf(60_000), await readsOf(60_000), await readsOf(50_000)]).toEqual([2, 1, 1]);
    expect(sentFrames()).toBe(6);
    // A peer's window may have become smaller: after half a minute it is tried again.
    for (let count = 0; count < 600; count += 1) await step();
    expect(await readsOf(50_000)).toBe(2);
    reads.mockRestore();
  },
);

test("efficient: an encoder that had stopped before its key was changed ends its broadcast, without a hold", async () => {
  const held = { ...SPEC, revision: 2, holdSeconds: 60 };
  const { socket, step, engine, listener, waitForFact, facts, dialer } = await onAir("efficient", new VirtualClock());
  engine.apply(held);
  await arrived(socket, frame(40, avcFrame(true, 1)));
  await step();
  await nextTimers();
  const stop = encodeMessage(
    3,
    encodeCommand(0, { name: "deleteStream", transactionId: 4, object: null, args: [1] }),
    128,
  );
  await arrived(socket, stop);
  const { lastIngestId } = engine;
  listener.afterReads(() => engine.disconnectPublisher("ls-1", "main", lastIngestId));
  await step();
  expect(await waitForFact("ingest-ended")).toMatchObject({ end: "clean", isBroadcastOver: true });
  expect(facts.filter(({ kind }) => kind === "ingest-held")).toEqual([]);
  expect(dialer.latest(1).closedHow).toBe("end");
});

test.each(["low", "efficient"] as const)(
  "%s: an encoder whose channel's thread is behind is not read until that has caught up",
  async (latency) => {
    const clock = new VirtualClock();
    const way: TestedWay = { isFull: false, room: () => undefined };
    const { socket, step, sentFrames } = await onAir(latency, clock, way);
    way.isFull = true;
    await arrived(socket, frame(40, avcFrame(true, 1)));
    // The message that fills the gateway is read; then nothing more, however often the clock comes by.
    if (latency === "efficient") await step();
    else await expect.poll(sentFrames).toBe(1);
    const before = sentFrames();
    await arrived(socket, frame(80, avcFrame(false, 2)));
    for (let count = 0; count < 5; count += 1) await step();
    await nextTimers();
    expect(sentFrames()).toBe(before);
    way.isFull = false;
    way.room();
    await expect
      .poll(async () => {
        await step();
        return sentFrames();
      })
      .toBe(2);
  },
);

test("a drain does not wait for an encoder that cannot be asked to connect again", async () => {
  const { port, listener, waitForFact } = await listen(undefined, new VirtualClock());
  await publish(port, "key");
  await waitForFact("ingest-started");
  // No time passes on this clock: a drain that waits never ends.
  await listener.drain(2_500);
});
