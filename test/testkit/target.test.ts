import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { type EncoderOptions, KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import { KitTarget, type TargetOptions } from "../../src/testkit/target/target.ts";
import type { TargetBehaviour } from "../../src/testkit/target/target-behaviour.ts";
import type { TargetEvent } from "../../src/testkit/target/target-report.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const WAIT_MS = 10_000;

/** A target, and a wait for what happens at it. */
async function startTarget(options: TargetOptions = {}) {
  const events: TargetEvent[] = [];
  const waiting = new Set<() => void>();
  const target = await KitTarget.start({
    ...options,
    onEvent: (event) => {
      events.push(event);
      for (const look of waiting) look();
    },
  });
  onTestFinished(() => target.close());
  const until = (isIt: (event: TargetEvent) => boolean): Promise<TargetEvent> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = events.find(isIt);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  const fault = (name: string) => until((event) => event.event === "fault" && event.fault === name);
  return { target, events, until, fault };
}

function publish(url: string, options: Partial<EncoderOptions> = {}): KitEncoder {
  const encoder = new KitEncoder({ url, streamKey: "a-key", clip: syntheticClip(), ...options });
  onTestFinished(async () => void (await encoder.stop("reset")));
  return encoder;
}

/** What a plain socket gets until the other side closes, after it sent `greeting`. */
async function answerTo(port: number, greeting: Buffer): Promise<Buffer> {
  const socket = connect(port, "127.0.0.1");
  const parts: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => parts.push(bytes));
  socket.write(greeting);
  await once(socket, "close");
  return Buffer.concat(parts);
}

const C0_C1 = Buffer.concat([Buffer.from([3]), Buffer.alloc(1_536)]);

test("a good target takes everything, and its record is what was sent, message by message", async () => {
  const clip = syntheticClip({ seconds: 3 });
  const { target, until } = await startTarget({ messagesMax: 1_000 });
  const report = await publish(target.url, { clip, speed: Number.POSITIVE_INFINITY }).closed;
  expect(report.end).toEqual({ how: "finished" });
  await until((event) => event.event === "closed");
  const seen = target.connections[0]?.report;
  expect(seen).toMatchObject({ app: "live", streamName: "a-key", stage: "unpublished", state: "ended", index: 0 });
  expect(seen?.commands).toEqual([
    ...["connect", "releaseStream", "FCPublish", "createStream", "publish", "FCUnpublish", "deleteStream"],
  ]);
  const sent = [...clip.tags()];
  const kinds: Readonly<Record<number, string>> = { 8: "audio", 9: "video", 18: "data" };
  expect(seen?.messages.map(({ kind, timestamp, bytes }) => ({ kind, timestamp, bytes }))).toEqual(
    sent.map(({ type, timestamp, payload }) => ({ kind: kinds[type], timestamp, bytes: payload.length })),
  );
  expect(seen?.messages.filter((message) => message.isConfig).map((message) => message.kind)).toEqual([
    "video",
    "audio",
  ]);
  expect(seen?.messages.filter((message) => message.isKeyframe).map((message) => message.timestamp)).toEqual([
    0, 1_000, 2_000,
  ]);
  expect(seen?.messages[0]?.hash).toMatch(/^[0-9a-f]{64}$/);
  expect(seen?.mediaBytes).toBe(report.payloadBytes - (sent[0]?.payload.length ?? 0));
});

test("a target keeps no more messages than its option says, and counts the others", async () => {
  const { target } = await startTarget({ messagesMax: 10 });
  const { messagesSent } = await publish(target.url, {
    clip: syntheticClip({ seconds: 1 }),
    speed: Number.POSITIVE_INFINITY,
  }).closed;
  const report = await target.connections[0]?.closed;
  expect(report?.messages).toHaveLength(10);
  expect(report?.messagesDropped).toBe(messagesSent - 10);
});

const refusals: readonly { refuse: NonNullable<TargetBehaviour["refuse"]>; failure: object }[] = [
  { refuse: "connect-rejected", failure: { kind: "connect-rejected", code: "NetConnection.Connect.Rejected" } },
  { refuse: "invalid-app", failure: { kind: "connect-rejected", code: "NetConnection.Connect.InvalidApp" } },
  {
    refuse: "login-demanded",
    failure: {
      kind: "login-demanded",
      code: "NetConnection.Connect.Rejected",
      demand: { kind: "name-wanted", scheme: "adobe" },
    },
  },
  { refuse: "bad-name", failure: { kind: "publish-rejected", code: "NetStream.Publish.BadName", isInUse: false } },
  { refuse: "key-in-use", failure: { kind: "publish-rejected", code: "NetStream.Publish.BadName", isInUse: true } },
  { refuse: "denied", failure: { kind: "publish-rejected", code: "NetStream.Publish.Denied", isInUse: false } },
];
test.each(refusals)("a target refuses with $refuse", async ({ refuse, failure }) => {
  const { target } = await startTarget({ behaviour: { refuse } });
  expect((await publish(target.url).closed).end).toEqual({ how: "refused", failure });
  expect((await target.connections[0]?.closed)?.state).toBe("closed-by-target");
});

test.each([
  { closeAt: "accept", commands: [] },
  { closeAt: "handshake", commands: [] },
  { closeAt: "connect", commands: ["connect"] },
  { closeAt: "publish", commands: ["connect", "releaseStream", "FCPublish", "createStream", "publish"] },
] as const)("a target closes at $closeAt without a goodbye", async ({ closeAt, commands }) => {
  const { target } = await startTarget({ behaviour: { closeAt } });
  expect((await publish(target.url).closed).end).toEqual({ how: "lost", isReset: false });
  expect(target.connections[0]?.report.commands).toEqual(commands);
});

test.each([
  { silentAt: "handshake", commands: [] },
  { silentAt: "connect", commands: ["connect"] },
  { silentAt: "create-stream", commands: ["connect", "releaseStream", "FCPublish", "createStream"] },
  { silentAt: "publish", commands: ["connect", "releaseStream", "FCPublish", "createStream", "publish"] },
] as const)("a target falls silent at $silentAt and stays connected", async ({ silentAt, commands }) => {
  const clock = new VirtualClock();
  const { target } = await startTarget({ behaviour: { silentAt } });
  const encoder = publish(target.url, { clock, acceptDeadlineMs: 15_000 });
  await waitFor("the encoder's last words", WAIT_MS, () => {
    const report = target.connections[0]?.report;
    return report?.commands.length === commands.length && report.bytesReceived >= 1_537 ? true : undefined;
  });
  clock.advance(14_999);
  expect(encoder.report.end).toBeUndefined();
  clock.advance(1);
  expect((await encoder.closed).end).toEqual({ how: "not-accepted" });
  expect(target.connections[0]?.report.commands).toEqual(commands);
});

test("a target replies with HTTP, or garbage, where its handshake belongs", async () => {
  const { target } = await startTarget({ behaviour: (index) => ({ answer: index === 0 ? "http" : "garbage" }) });
  expect((await answerTo(target.port, C0_C1)).toString("latin1")).toBe("HTTP/1.1 400 Bad Request\r\n\r\n");
  const garbage = await answerTo(target.port, C0_C1);
  expect(garbage).toHaveLength(4_096);
  expect(garbage[0]).toBe(0xbf);
});

test.each([
  { answer: "http", during: "handshake" },
  { answer: "garbage", during: "handshake" },
  { answer: "garbage-chunks", during: "connect" },
] as const)("an encoder sees a broken protocol where a target replies $answer", async ({ answer, during }) => {
  const { target } = await startTarget({ behaviour: { answer } });
  const { end } = await publish(target.url).closed;
  expect(end).toMatchObject({ how: "refused", failure: { kind: "protocol-error", during } });
});

test.each([
  { name: "start with publish's own number", behaviour: { answer: "start-with-transaction" } },
  { name: "a result and no status", behaviour: { answer: "result-only" } },
  { name: "the largest chunk size there is", behaviour: { chunkSize: 0x7f_ff_ff_ff } },
  { name: "the smallest one", behaviour: { chunkSize: 1 } },
  { name: "answers in pieces of 7 bytes", behaviour: { splitBytes: 7 } },
] satisfies readonly { name: string; behaviour: TargetBehaviour }[])(
  "an encoder that keeps to the rules is accepted with $name",
  async ({ behaviour }) => {
    const { target } = await startTarget({ behaviour, messagesMax: 1_000 });
    const clip = syntheticClip({ seconds: 1 });
    const encoder = publish(target.url, { clip, speed: Number.POSITIVE_INFINITY });
    expect((await encoder.closed).end).toEqual({ how: "finished" });
    expect((await target.connections[0]?.closed)?.messages).toHaveLength([...clip.tags()].length);
  },
);

test("a target announces its Enhanced RTMP, or nothing, and remembers its peer's", async () => {
  const all = { capsEx: 15, fourCcs: ["*", "*", "*"] };
  for (const [isPlain, said] of [
    [false, all],
    [true, { capsEx: 0, fourCcs: [] }],
  ] as const) {
    const { target } = await startTarget({ behaviour: { isPlain } });
    const encoder = publish(target.url);
    expect(await encoder.accepted).toBe(true);
    expect(encoder.report.peer).toEqual(said);
    // Without the option to follow ReconnectRequests, it does not announce it.
    expect(target.connections[0]?.report.peer).toEqual({ capsEx: 14, fourCcs: ["*", "*"] });
  }
});

test("replies in pieces arrive in pieces", async () => {
  const { target } = await startTarget({ behaviour: { splitBytes: 100 } });
  const socket = connect(target.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  const sizes: number[] = [];
  socket.write(C0_C1);
  await new Promise<void>((resolve) => {
    socket.on("data", (bytes: Buffer) => {
      sizes.push(bytes.length);
      if (sizes.reduce((sum, size) => sum + size, 0) === 3_073) resolve();
    });
  });
  expect(sizes.length).toBeGreaterThan(5);
});

test("a target stalls at its moment, resumes at the next, and has lost nothing", async () => {
  const clock = new VirtualClock();
  const { target, fault } = await startTarget({
    clock,
    behaviour: { stall: { afterMs: 10_000, resumeAfterMs: 5_000 } },
  });
  const encoder = publish(target.url, { clip: syntheticClip({ kilobits: 200_000 }), speed: Number.POSITIVE_INFINITY });
  await encoder.accepted;
  clock.advance(10_000);
  await fault("stalled");
  const before = target.connections[0]?.report.bytesReceived;
  // More than any kernel takes: the encoder sends and nothing reads.
  await waitFor("a full queue", WAIT_MS, () => (encoder.pendingBytes > 1_000_000 ? true : undefined));
  expect(target.connections[0]?.report.bytesReceived).toBe(before);
  clock.advance(5_000);
  await fault("resumed");
  await encoder.stop("clean");
  const after = await target.connections[0]?.closed;
  expect(after?.state).toBe("ended");
  expect(after?.mediaBytes).toBeGreaterThan(before ?? 0);
});

test("a target that is set to stall at once reads nothing after publish", async () => {
  const { target, fault } = await startTarget({ behaviour: { stall: { afterMs: 0 } } });
  const encoder = publish(target.url, { speed: Number.POSITIVE_INFINITY });
  expect(await encoder.accepted).toBe(true);
  await fault("stalled");
  expect(target.connections[0]?.report.mediaBytes).toBe(0);
});

test.each([
  { name: "closes", behaviour: { close: { afterBytes: 100_000 } }, fault: "closed", state: "closed-by-target" },
  { name: "resets", behaviour: { reset: { afterBytes: 100_000 } }, fault: "reset", state: "reset-by-target" },
  { name: "stalls", behaviour: { stall: { afterBytes: 100_000 } }, fault: "stalled", state: "open" },
] as const)("a target $name after so many bytes", async ({ behaviour, fault: name, state }) => {
  const { target, fault } = await startTarget({ behaviour });
  publish(target.url, { clip: syntheticClip({ kilobits: 8_000 }), speed: 20 });
  await fault(name);
  const report = target.connections[0]?.report;
  expect(report?.state).toBe(state);
  expect(report?.bytesReceived).toBeGreaterThanOrEqual(100_000);
  // Two reads at most: the dialogue before the publication, and what came in one piece with the last byte.
  expect(report?.bytesReceived).toBeLessThan(100_000 + 140_000);
});

test.each([
  { name: "closes", behaviour: { close: { afterMs: 3_000 } }, end: { how: "lost", isReset: false } },
  { name: "resets", behaviour: { reset: { afterMs: 3_000 } }, end: { how: "lost", isReset: true } },
] as const)("a target $name after so much time on air, and not before", async ({ behaviour, end }) => {
  const clock = new VirtualClock();
  const { target, fault } = await startTarget({ clock, behaviour });
  const encoder = publish(target.url);
  await encoder.accepted;
  clock.advance(2_999);
  expect(target.connections[0]?.report.state).toBe("open");
  clock.advance(1);
  await fault(end.isReset ? "reset" : "closed");
  expect((await encoder.closed).end).toEqual(end);
});

test("a slow target reads at its rate", async () => {
  const { target, until } = await startTarget({ behaviour: { bytesPerSecond: 200_000 } });
  const startedMs = performance.now();
  publish(target.url, { clip: syntheticClip({ kilobits: 50_000 }), speed: Number.POSITIVE_INFINITY });
  const connection = await until((event) => event.event === "publishing").then(() => target.connections[0]);
  await waitFor("bytes of a second", WAIT_MS, () =>
    (connection?.report.bytesReceived ?? 0) > 200_000 ? true : undefined,
  );
  const rate = ((connection?.report.bytesReceived ?? 0) * 1_000) / (performance.now() - startedMs);
  expect(rate).toBeLessThan(200_000 * 1.5);
});

test("a target acknowledges each window, each so many bytes, or nothing, as its options say", async () => {
  const behaviours: readonly TargetBehaviour[] = [{}, { acknowledge: 10_000 }, { acknowledge: "never" }];
  const { target } = await startTarget({ behaviour: (index) => behaviours[index] ?? {} });
  const leastAcknowledged = [2_500_000, 3_500_001, undefined];
  const acknowledged: (number | undefined)[] = [];
  for (const [index, least] of leastAcknowledged.entries()) {
    const clip = syntheticClip({ kilobits: 8_000 });
    const encoder = publish(target.url, { clip, speed: Number.POSITIVE_INFINITY });
    await waitFor("bytes of more than a window", WAIT_MS, () =>
      (target.connections[index]?.report.bytesReceived ?? 0) > 4_000_000 ? true : undefined,
    );
    // What the target has sent may still be on its way to the encoder.
    if (least !== undefined) {
      await waitFor("the acknowledgement", WAIT_MS, () =>
        (encoder.report.acknowledgedBytes ?? 0) >= least ? true : undefined,
      );
    }
    acknowledged.push(encoder.report.acknowledgedBytes);
    await encoder.stop("reset");
  }
  expect(acknowledged[2]).toBeUndefined();
});

test("a clean end and a new publication on other connections: the behaviour may change from one to the next", async () => {
  const { target } = await startTarget({ behaviour: { refuse: "key-in-use" } });
  expect(await publish(target.url).accepted).toBe(false);
  target.behave({});
  expect(await publish(target.url).accepted).toBe(true);
});

test("a test may stall, resume, end and reset a connection itself", async () => {
  const { target, fault } = await startTarget();
  const encoders = [publish(target.url), publish(target.url)];
  for (const encoder of encoders) expect(await encoder.accepted).toBe(true);
  const [first, second] = target.connections;
  first?.stall();
  await fault("stalled");
  first?.resume();
  await fault("resumed");
  first?.end();
  second?.reset();
  const ends = await Promise.all(encoders.map(async (encoder) => (await encoder.closed).end));
  expect(ends).toContainEqual({ how: "lost", isReset: false });
  expect(ends).toContainEqual({ how: "lost", isReset: true });
});

test("closing the target ends every connection, and closing it again does nothing", async () => {
  const { target } = await startTarget();
  const encoder = publish(target.url);
  await encoder.accepted;
  await target.close();
  await target.close();
  expect((await encoder.closed).end).toMatchObject({ how: "lost" });
  expect(target.connections[0]?.report.state).toBe("closed-by-target");
  expect((await publish(target.url).closed).end).toEqual({ how: "unreachable", code: "ECONNREFUSED" });
});

test("a peer that breaks the protocol is closed, with the fault", async () => {
  const { target, until } = await startTarget();
  const encoder = publish(target.url, { garbageAtMessage: 10, speed: 20 });
  const problem = await until((event) => event.event === "problem");
  expect(problem).toMatchObject({ detail: expect.stringContaining("no-previous-header") });
  expect((await target.connections[0]?.closed)?.state).toBe("protocol-error");
  expect((await encoder.closed).end).toMatchObject({ how: "lost" });
});
