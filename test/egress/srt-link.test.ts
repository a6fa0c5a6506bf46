import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { RtmpDialer } from "../../src/egress/dialer.ts";
import { preflight } from "../../src/egress/preflight.ts";
import { callFailed, connectionEnded } from "../../src/egress/srt-errors.ts";
import { SrtLink } from "../../src/egress/srt-link.ts";
import type { DialTraceDeps } from "../../src/egress/traces/dial-trace.ts";
import { parseCidrList } from "../../src/net/cidr-list.ts";
import { createResolver } from "../../src/net/dns/resolver.ts";
import { SrtConnection } from "../../src/protocol/srt/connection.ts";
import { SrtListenerHandshake } from "../../src/protocol/srt/listener.ts";
import { REJECTIONS, type Rejection } from "../../src/protocol/srt/wire/rejections.ts";
import type { LinkEvents } from "../../src/relay/subscriber/rtmp-push/link.ts";
import type { TraceSpan } from "../../src/thread-protocol/traces/traces.ts";

const faults: unknown[] = [];

function dialerWith(allowed: string, traces?: DialTraceDeps): RtmpDialer {
  return new RtmpDialer({
    ...{ clock: systemClock, randomBytes, resolver: createResolver() },
    policy: { allowed: parseCidrList(allowed), ownPorts: [1], ownHosts: [] },
    onFault: (error) => void faults.push(error),
    ...(traces === undefined ? {} : { traces }),
  });
}

/** A listener on a loopback port; with `rejection` it rejects everybody. */
async function listener(rejection?: Rejection) {
  const socket = createSocket("udp4");
  onTestFinished(() => void socket.close());
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const handshake = new SrtListenerHandshake(Buffer.from("secret"), 0);
  const nowUs = () => systemClock.now() * 1_000;
  const payloads: Buffer[] = [];
  const streamIds: string[] = [];
  let connection: SrtConnection | undefined;
  socket.on("message", (datagram, from) => {
    const send = (packet: Buffer) => socket.send(packet, from.port, from.address);
    if (datagram.readUInt32BE(12) !== 0) return connection?.receive(datagram, nowUs());
    const step = handshake.receive(datagram, from, nowUs());
    if (step.kind === "reply") send(step.packet);
    if (step.kind !== "request") return;
    streamIds.push(String(step.request.extensions.streamId));
    if (rejection !== undefined) return send(handshake.reject(step.request.handshake, rejection, nowUs()));
    const options = { localId: 9, passphrase: undefined, latencyMs: 20, nowUs: nowUs() };
    const accepted = handshake.accept(step.request, options);
    if (typeof accepted === "string" || connection !== undefined) return;
    connection = new SrtConnection(accepted.agreement, nowUs(), {
      send,
      deliver: (payload) => void payloads.push(payload),
      onGap: () => undefined,
      onEnd: () => undefined,
      randomBytes,
    });
    send(accepted.response);
    const ticks = setInterval(() => connection?.tick(nowUs()), 10);
    onTestFinished(() => clearInterval(ticks));
  });
  return { url: `srt://127.0.0.1:${socket.address().port}`, payloads, streamIds };
}

const target = (url: string) => ({ targetId: 1, url, streamKey: "live/key", isEnabled: true });

test("a test of a target goes as far as confirmed data, which has no content, and is ended properly", async () => {
  const { url, payloads, streamIds } = await listener();
  const dialer = dialerWith("127.0.0.0/8");
  expect(await preflight(target(url), dialer, systemClock)).toMatchObject({ isOk: true, stage: "publish" });
  expect(streamIds[0]).toBe("live/key");
  expect(payloads.every((payload) => payload.length === 188 && payload.readUInt16BE(1) === 0x1fff)).toBe(true);
  await dialer.idle();
  expect(faults).toEqual([]);
});

test("a dial has a span for each stage of SRT, and none has the stream ID", async () => {
  const spans: TraceSpan[] = [];
  const sampling = { share: 1, followsParent: true };
  const onSpan = (span: TraceSpan) => spans.push(span);
  const traces = { clock: systemClock, randomBytes, sampling, onSpan, current: undefined };
  const { code } = callFailed({ kind: "rejected", code: 2_404 });
  for (const { url } of [await listener(), await listener("notFound")])
    await preflight(target(url), dialerWith("127.0.0.0/8", traces), systemClock);
  expect(spans.map(({ name, error }) => (error === undefined ? name : `${name}: ${error}`))).toEqual([
    ...["dns", "srt handshake", "srt publish", "target dial"],
    ...["dns", `srt handshake: ${code}`, `target dial: ${code}`],
  ]);
  expect(spans.at(3)?.attributes).toMatchObject({ "network.protocol.name": "srt", "fanfare.result": "publishing" });
  expect(JSON.stringify(spans)).not.toContain("live/key");
});

test("a pause of 6 s of the process, before the target could confirm anything, ends no call", async () => {
  const { url, payloads } = await listener();
  let pausedMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + pausedMs };
  const { port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<string>();
  const { promise: gone, resolve: isGone } = Promise.withResolvers<void>();
  const events = {
    onPublishing: () => resolve("publishing"),
    onClosed: ({ message }: { message: string }) => resolve(message),
  };
  const link = new SrtLink(target(url), events as unknown as LinkEvents, {
    ...{ clock, randomBytes, onTrouble: () => undefined, onFault: (error: unknown) => void faults.push(error) },
    resolve: async () => [{ address: "127.0.0.1", family: 4, port: Number(port) }],
    onStage: (stage) => {
      if (stage === "publish") queueMicrotask(() => (pausedMs = 6_000));
    },
    onGone: () => isGone(),
  });
  expect(await promise).toBe("publishing");
  expect([pausedMs, payloads.length > 0]).toEqual([6_000, true]);
  link.close("abort");
  await gone;
});

test("a rejection is said in words, and where it happened", async () => {
  const { url } = await listener("notFound");
  expect(await preflight(target(url), dialerWith("127.0.0.0/8"), systemClock)).toMatchObject({
    isOk: false,
    stage: "handshake",
    error: callFailed({ kind: "rejected", code: 2_404 }),
  });
});

test("nobody at the port: said after the three seconds that SRT waits", async () => {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  onTestFinished(() => void socket.close());
  const result = await preflight(
    target(`srt://127.0.0.1:${socket.address().port}`),
    dialerWith("127.0.0.0/8"),
    systemClock,
  );
  expect(result).toMatchObject({ isOk: false, stage: "handshake", error: callFailed({ kind: "no-answer" }) });
});

test("a name whose first addresses do not reply: the next one is called", async () => {
  const { url, payloads } = await listener();
  const { port } = new URL(url);
  const silent = createSocket("udp4");
  silent.bind(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => void silent.close());
  const { promise, resolve } = Promise.withResolvers<string>();
  const stages: string[] = [];
  let gone = 0;
  const events = {
    onPublishing: () => resolve("publishing"),
    onClosed: ({ message }: { message: string }) => resolve(message),
  };
  const link: SrtLink = new SrtLink(target(url), events as unknown as LinkEvents, {
    ...{ clock: systemClock, randomBytes, onTrouble: () => undefined },
    onFault: (error: unknown) => void faults.push(error),
    resolve: async () => [
      { address: "127.0.0.1", family: 4, port: silent.address().port },
      { address: "127.0.0.1", family: 4, port: Number(port) },
    ],
    onStage: (stage) => void stages.push(stage),
    onGone: () => {
      gone += 1;
    },
  });
  expect(await promise).toBe("publishing");
  expect([stages, payloads.length > 0, faults]).toEqual([["handshake", "publish"], true, []]);
  link.close("abort");
  await expect.poll(() => gone, { timeout: 20_000 }).toBe(1);
});

test("an address of a name that rejects is the target's: no other one is called", async () => {
  const [rejecting, other] = [await listener("notFound"), await listener()];
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const events = { onPublishing: () => resolve("publishing"), onClosed: resolve };
  const portOf = ({ url }: { url: string }) => Number(new URL(url).port);
  new SrtLink(target(rejecting.url), events as unknown as LinkEvents, {
    ...{ clock: systemClock, randomBytes, onTrouble: () => undefined, onStage: () => undefined },
    ...{ onFault: (error: unknown) => void faults.push(error), onGone: () => undefined },
    resolve: async () => [
      { address: "127.0.0.1", family: 4, port: portOf(rejecting) },
      { address: "127.0.0.1", family: 4, port: portOf(other) },
    ],
  });
  expect(await promise).toMatchObject(callFailed({ kind: "rejected", code: 2_404 }));
  expect([rejecting.streamIds.length, other.streamIds, faults]).toEqual([1, [], []]);
});

test("an address that targets may not have is not called", async () => {
  const { url, streamIds } = await listener();
  const result = await preflight(target(url), dialerWith(""), systemClock);
  expect(result).toMatchObject({ isOk: false, stage: "resolve", error: { code: "TARGET_FORBIDDEN" } });
  expect(streamIds).toEqual([]);
});

test("every rejection has words of its own kind", () => {
  const codes = Object.values(REJECTIONS).map((code) => callFailed({ kind: "rejected", code }));
  expect(codes.every(({ message }) => message.includes("SRT"))).toBe(true);
  expect(callFailed({ kind: "rejected", code: 1_010 })).toMatchObject({ code: "AUTH_FAILED", severity: "fatal" });
  expect(callFailed({ kind: "rejected", code: 2_409 })).toMatchObject({ code: "STREAM_KEY_IN_USE" });
  expect(callFailed({ kind: "rejected", code: 3_000 })).toMatchObject({ code: "PUBLISH_REJECTED" });
  expect(callFailed({ kind: "old-version" }).message).toContain("SRT older than 1.3");
  expect(connectionEnded({ kind: "silent" }, 9_000)).toMatchObject({ code: "TCP_TIMEOUT" });
  expect(connectionEnded({ kind: "shutdown" }, 9_000)).toMatchObject({ code: "REMOTE_CLOSED" });
});
