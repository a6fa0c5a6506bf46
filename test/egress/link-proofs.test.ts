import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { expect, onTestFinished, test, vi } from "vitest";
import { DirectSockets } from "../../src/net/kernel/direct-sockets.ts";
import { SystemCalls } from "../../src/net/kernel/system-calls.ts";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import type { PathAnswer } from "../../src/relay/subscriber/rtmp-push/link.ts";
import type { KitTarget } from "../../src/testkit/target/target.ts";
import type { TargetBehaviour } from "../../src/testkit/target/target-behaviour.ts";
import { HAS_PROC } from "../support/processes/descriptors.ts";
import { certificate, fingerprintOf } from "../support/stages/certificates.ts";
import { dial, kitTarget, resolverOf, serve } from "../support/stages/dialling.ts";
import { tlsInFront } from "../support/targets/handmade-target.ts";

const media = (bytes: number) =>
  encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(bytes, 0x17) }, 4_096);
const urlOf = (target: KitTarget) => `rtmp://127.0.0.1:${target.port}/live`;

const pair = certificate("stalls.example");

async function behindTls(behaviour: TargetBehaviour): Promise<string> {
  const target = await kitTarget(behaviour);
  return `rtmps://stalls.example:${await tlsInFront(target.port, pair)}/live`;
}

test("a target that is asked to acknowledge each second of the stream does so, and acknowledges what it got", async () => {
  const target = await kitTarget();
  const { link, outcome } = dial(urlOf(target));
  await outcome;
  expect(link.acks).toBeUndefined();
  link.suit(8_000, 8_000);
  for (let second = 0; second < 10; second += 1) link.write(media(8_000));
  await expect.poll(() => link.acks?.count ?? 0).toBeGreaterThanOrEqual(1);
  expect(link.acks?.windowBytes).toBe(8_000);
  expect(link.acks?.bytes).toBeGreaterThan(70_000);
  expect(link.acks?.bytes).toBeLessThan(90_000);
});

test("a target that is slower than the stream is asked to acknowledge each second of what it takes", async () => {
  const target = await kitTarget();
  const { link, outcome } = dial(urlOf(target));
  await outcome;
  link.suit(800_000, 50_000);
  for (let second = 0; second < 10; second += 1) link.write(media(50_000));
  await expect.poll(() => link.acks?.windowBytes).toBe(50_000);
  await expect.poll(() => link.acks?.bytes ?? 0).toBeGreaterThan(400_000);
});

test.runIf(HAS_PROC).each([true, false])(
  "the kernel reports what a target took, and that nothing waits (direct system calls: %s)",
  async (isOn) => {
    const load = vi.spyOn(SystemCalls, "load");
    onTestFinished(() => load.mockRestore());
    const target = await kitTarget();
    const { link, outcome } = dial(urlOf(target), { directSockets: new DirectSockets(isOn) });
    await outcome;
    link.write(media(300_000));
    await expect.poll(() => link.kernelQueue?.ackedBytes ?? 0).toBeGreaterThan(300_000);
    await expect.poll(() => link.kernelQueue?.queuedBytes).toBe(0);
    expect(load).toHaveBeenCalledTimes(isOn ? 1 : 0);
  },
);

test.runIf(HAS_PROC).each(["plain", "over TLS"])(
  "the kernel gets no more than 2.5 s of media for a target %s that reads nothing",
  async (how) => {
    const stall = { afterBytes: 1 };
    const names = { resolver: resolverOf({ "stalls.example": ["127.0.0.1"] }) };
    const trust = { tls: { fingerprint: fingerprintOf(pair).replaceAll(":", "").toLowerCase() } };
    const { link, outcome } =
      how === "plain"
        ? dial(urlOf(await kitTarget({ stall })))
        : dial(await behindTls({ stall }), { ...names, ...trust });
    expect((await outcome).publishing).toBe(1);
    const perSecond = 400_000;
    // More than the target's own buffers take.
    for (let given = 0; given < 20_000_000; given += 200_000) link.write(media(200_000));
    link.suit(perSecond, perSecond);
    await expect.poll(() => link.creditBytes).toBeLessThan(0);
    expect(link.kernelQueue?.queuedBytes).toBeGreaterThan(2.5 * perSecond);
  },
);

test("a path works where the target replies, or refuses, and not where there is no host", async () => {
  const target = await kitTarget();
  const { link, outcome } = dial(urlOf(target));
  await outcome;
  const ask = () => new Promise<PathAnswer>((resolve) => link.probe(resolve));
  expect(await ask()).toBe("same");
  // It was probed by a connection that sends nothing, and is over.
  await expect.poll(() => target.connections[1]?.report.state).not.toBe("open");
  expect(target.connections[1]?.report.bytesReceived).toBe(0);
  link.close("cut");
  await target.close();
  const { link: gone } = dial("rtmp://127.0.0.1:1/live");
  expect(await new Promise<PathAnswer>((resolve) => gone.probe(resolve))).toBe("none");
});

test.each(["plain", "over TLS"])(
  "a link %s that is given up is reset: its peer learns at once, with everything that waits on the way",
  async (how) => {
    const target = await kitTarget({ stall: { afterBytes: 1 } });
    const ended = Promise.withResolvers<string>();
    // Reads nothing more once it has passed on the beginning of a publication.
    const relay = (socket: Socket) => {
      const behind = connect(target.port, "127.0.0.1").on("error", () => socket.destroy());
      socket.on("error", (error) => ended.resolve("code" in error ? String(error.code) : error.message));
      socket.on("end", () => ended.resolve("end"));
      socket.pipe(behind).pipe(socket);
    };
    const isPlain = how === "plain";
    const port = await serve(isPlain ? createServer(relay) : createTlsServer(pair, relay));
    const names = { resolver: resolverOf({ "stalls.example": ["127.0.0.1"] }) };
    const trust = { tls: { fingerprint: fingerprintOf(pair).replaceAll(":", "").toLowerCase() } };
    const { link, outcome, dialer } = dial(`${isPlain ? "rtmp" : "rtmps"}://stalls.example:${port}/live`, {
      ...names,
      ...(isPlain ? {} : trust),
    });
    expect((await outcome).publishing).toBe(1);
    for (let given = 0; given < 20_000_000; given += 200_000) link.write(media(200_000));
    link.close("abort");
    await dialer.idle();
    expect(await ended.promise).toBe("ECONNRESET");
  },
);
