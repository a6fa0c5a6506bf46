import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { expect, test } from "vitest";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import type { KitTarget } from "../../src/testkit/target/target.ts";
import type { TargetBehaviour } from "../../src/testkit/target/target-behaviour.ts";
import { targetError } from "../../src/thread-protocol/targets/target-errors.ts";
import { certificate } from "../support/stages/certificates.ts";
import { dial, kitTarget, resolverOf, serve } from "../support/stages/dialling.ts";
import { trustDuringFile } from "../support/stages/trusted.ts";
import { tlsInFront } from "../support/targets/handmade-target.ts";

const HOST = "secure.example";
const pair = certificate(HOST);

trustDuringFile(pair.cert);

/** A kit target behind TLS. */
async function secureTarget(behaviour: TargetBehaviour = {}): Promise<{ target: KitTarget; url: string }> {
  const target = await kitTarget(behaviour);
  return { target, url: `rtmps://${HOST}:${await tlsInFront(target.port, pair)}/live` };
}

const overLoopback = { resolver: resolverOf({ [HOST]: ["127.0.0.1"] }) };
const media = (bytes: number) =>
  encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(bytes, 0x17) }, 4_096);

test("a target behind TLS gets the key, what is written, and the commands of a clean stop", async () => {
  const { target, url } = await secureTarget();
  const { link, outcome, dialer } = dial(url, overLoopback);
  expect(await outcome).toEqual({ publishing: 1, error: undefined });
  const frame = media(500_000);
  link.write(frame);
  await expect.poll(() => link.takenBytes).toBe(frame.length);
  link.close("end");
  await dialer.idle();
  await expect.poll(() => target.connections[0]?.report.mediaBytes).toBe(500_000);
  expect(target.connections[0]?.report.commands.slice(-2)).toEqual(["FCUnpublish", "deleteStream"]);
});

test("a link over TLS is not behind while the kernel takes what it is given", async () => {
  const { url } = await secureTarget();
  const { link, outcome, dialer } = dial(url, overLoopback);
  await outcome;
  await expect.poll(() => link.pendingBytes).toBe(0);
  link.write(media(1_000));
  expect(link.pendingBytes).toBeGreaterThan(0);
  expect(link.isBehind).toBe(false);
  link.close("cut");
  await dialer.idle();
});

test("a buffer given to a link over TLS may be overwritten at once, and a stuck target still gets the original", async () => {
  const { target, url } = await secureTarget();
  const { link, outcome, dialer } = dial(url, overLoopback);
  await outcome;
  // More than all buffers on the way hold; the target reads none of it before it is overwritten.
  const frames = Array.from({ length: 40 }, () => media(200_000));
  const sent = Buffer.concat(frames);
  for (const frame of frames) {
    link.write(frame);
    expect(link.isHolding).toBe(false);
    frame.fill(0xee);
  }
  await expect.poll(() => link.takenBytes).toBe(sent.length);
  // Before the end: a link that is closed waits for its target for 3 s, and this one has much to read.
  await expect.poll(() => target.connections[0]?.report.mediaBytes).toBe(40 * 200_000);
  link.close("cut");
  await dialer.idle();
  await expect.poll(() => target.connections[0]?.report.state).toBe("ended");
});

test("a link over TLS that is cut sends no goodbye, but what was written arrives", async () => {
  const { target, url } = await secureTarget();
  const { link, outcome, dialer } = dial(url, overLoopback);
  await outcome;
  link.write(media(500_000));
  link.close("cut");
  await dialer.idle();
  await expect.poll(() => target.connections[0]?.report.mediaBytes).toBe(500_000);
  expect(target.connections[0]?.report.commands).not.toContain("FCUnpublish");
});

test("a link over TLS that is stuck can be broken off", async () => {
  const { url } = await secureTarget({ stall: { afterBytes: 1 } });
  const { link, outcome, dialer } = dial(url, overLoopback);
  await outcome;
  for (let count = 0; !link.isBehind && count < 50; count += 1) {
    link.write(media(1_000_000));
    // The kernel is given the next write once this one is reported.
    await nextTurn();
  }
  expect(link.isBehind).toBe(true);
  const before = link.takenBytes;
  link.close("abort");
  await dialer.idle();
  expect(link.takenBytes).toBeGreaterThanOrEqual(before);
});

test("a target behind TLS that closes its side has closed the connection, and is not left half open", async () => {
  const target = await kitTarget();
  const { promise: secured, resolve } = Promise.withResolvers<Socket>();
  const port = await serve(
    createTlsServer({ ...pair, allowHalfOpen: true }, (socket) => {
      const behind = connect(target.port, "127.0.0.1");
      socket.pipe(behind).pipe(socket, { end: false });
      resolve(socket);
    }),
  );
  const { outcome, closed } = dial(`rtmps://${HOST}:${port}/live`, overLoopback);
  expect((await outcome).publishing).toBe(1);
  const socket = await secured;
  const gone = once(socket, "close");
  socket.end();
  expect(await closed).toMatchObject({ code: "REMOTE_CLOSED", severity: "transient" });
  await gone;
});

test("a redirection out of TLS is not followed, one within TLS and into it is", async () => {
  const plain = await kitTarget();
  const out = await secureTarget({ redirect: plain.url });
  const { error } = await dial(out.url, overLoopback).outcome;
  expect(error).toEqual(targetError("redirect-refused"));
  expect(plain.connections).toHaveLength(0);
  const { url } = await secureTarget();
  const within = await secureTarget({ redirect: url });
  const into = await kitTarget({ redirect: within.url });
  expect((await dial(into.url, overLoopback).outcome).publishing).toBe(1);
  // A link that was redirected into TLS is not redirected out of it again.
  const inAndOut = await kitTarget({ redirect: out.url });
  expect((await dial(inAndOut.url, overLoopback).outcome).error).toEqual(targetError("redirect-refused"));
  expect(plain.connections).toHaveLength(0);
});
