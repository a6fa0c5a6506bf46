import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { RtmpDialer } from "../../src/egress/dialer.ts";
import type { AddressPolicy } from "../../src/net/address-check.ts";
import { parseCidrList } from "../../src/net/cidr-list.ts";
import type { Resolver } from "../../src/net/dns/resolver.ts";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { encodeControl } from "../../src/protocol/rtmp/control.ts";
import { KitTarget } from "../../src/testkit/target/target.ts";
import { targetError } from "../../src/thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../../src/thread-protocol/targets/target-status.ts";
import { certificate } from "../support/stages/certificates.ts";
import { ALLOWED, dial, failure, fastClock, kitTarget, resolverOf, serve } from "../support/stages/dialling.ts";

test("a target that accepts gets the key, what is written, and at the end the commands of a clean stop", async () => {
  const target = await kitTarget();
  const { link, outcome, dialer } = dial(target.url);
  expect(await outcome).toEqual({ publishing: 1, error: undefined });
  const frame = encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(3_000, 0x17) }, 4_096);
  link.write(frame);
  expect(link.takenBytes + link.pendingBytes).toBe(frame.length);
  link.close("end");
  link.close("abort");
  await dialer.idle();
  expect(target.connections.map((connection) => connection.report)).toMatchObject([
    {
      commands: ["connect", "releaseStream", "FCPublish", "createStream", "publish", "FCUnpublish", "deleteStream"],
      mediaBytes: 3_000,
      state: "ended",
    },
  ]);
});

test("a stored key with invisible characters is published without them, and otherwise unchanged", async () => {
  const target = await kitTarget();
  await dial(target.url, { streamKey: "\u00a0\u200bmp4:a%2Fb?x=%2F\ufeff " }).outcome;
  expect(target.connections[0]?.report.streamName).toBe("mp4:a%2Fb?x=%2F");
});

test("a link that is cut sends no goodbye, but what was written arrives", async () => {
  const target = await kitTarget();
  const { link, outcome, dialer } = dial(target.url);
  await outcome;
  link.write(encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(3_000, 0x17) }, 4_096));
  link.close("cut");
  await dialer.idle();
  expect(target.connections[0]?.report).toMatchObject({ mediaBytes: 3_000, state: "ended" });
  expect(target.connections[0]?.report.commands).not.toContain("FCUnpublish");
});

test("a link closed while it is still being made leaves nothing behind and reports nothing", async () => {
  const target = await kitTarget({ silentAt: "handshake" });
  const { link, dialer, outcome } = dial(target.url);
  link.close("end");
  await dialer.idle();
  const first = await Promise.race([outcome, Promise.resolve("nothing")]);
  expect(first).toBe("nothing");
});

test("a slow target's bytes are counted as they are taken, and the emptied queue is reported", async () => {
  const target = await kitTarget({ stall: { afterMs: 0 } });
  const { link, outcome } = dial(target.url);
  await outcome;
  const block = Buffer.alloc(1_000_000);
  let writes = 0;
  while (link.pendingBytes === 0 && writes < 100) {
    link.write(block);
    writes += 1;
  }
  expect(link.pendingBytes).toBeGreaterThan(0);
  expect(link.takenBytes + link.pendingBytes).toBe(writes * block.length);
});

test("a refused connection, a refused key, and a key that is refused fatally have a code each", async () => {
  const closing = createServer();
  const port = await serve(closing);
  closing.close();
  expect(await failure(`rtmp://127.0.0.1:${port}/live`)).toBe("TCP_REFUSED transient");
  expect(await failure((await kitTarget({ refuse: "bad-name" })).url)).toBe("PUBLISH_REJECTED fatal");
});

test("a target that never replies is given up at the handshake's deadline", async () => {
  const target = await kitTarget({ silentAt: "handshake" });
  expect(await failure(target.url, { clock: fastClock })).toBe("HANDSHAKE_FAILED transient");
});

const endings: readonly { name: string; serve: (socket: Socket) => void; code: string }[] = [
  { name: "closes at once", serve: (socket) => socket.end(), code: "HANDSHAKE_FAILED" },
  {
    name: "speaks HTTP",
    serve: (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
    code: "HANDSHAKE_FAILED",
  },
  {
    name: "resets",
    serve: (socket) => socket.once("data", () => socket.resetAndDestroy()),
    code: "HANDSHAKE_FAILED",
  },
  {
    name: "resets after the handshake",
    serve: (socket) => {
      socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(3_072)]));
      let received = 0;
      socket.on("data", (bytes) => {
        received += bytes.length;
        if (received > 3_073) socket.resetAndDestroy();
      });
    },
    code: "TCP_RESET",
  },
  {
    name: "closes after the handshake",
    serve: (socket) => {
      socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(3_072)]));
      let received = 0;
      socket.on("data", (bytes) => {
        received += bytes.length;
        if (received > 3_073) socket.end();
      });
    },
    code: "REMOTE_CLOSED",
  },
];
test.each(endings)("a target that $name ends as $code, and is tried again", async ({ serve: behave, code }) => {
  const port = await serve(createServer(behave));
  expect(await failure(`rtmp://127.0.0.1:${port}/live`)).toBe(`${code} transient`);
});

test.each([
  { name: "connect", answers: 0, code: "CONNECT_REJECTED" },
  { name: "publish", answers: 1, code: "PUBLISH_REJECTED" },
])("a target that never replies to $name is given up at that deadline", async ({ answers, code }) => {
  const connected = encodeMessage(
    3,
    { type: 20, timestamp: 0, streamId: 0, payload: Buffer.from("0200075f726573756c74003ff000000000000005", "hex") },
    128,
  );
  const port = await serve(
    createServer((socket) => {
      socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(3_072), ...(answers > 0 ? [connected] : [])]));
      socket.resume();
    }),
  );
  expect(await failure(`rtmp://127.0.0.1:${port}/live`, { clock: fastClock })).toBe(`${code} transient`);
});

test("the loss of a target on air is REMOTE_CLOSED by its close, TCP_RESET by a reset", async () => {
  for (const [how, code] of [
    ["end", "REMOTE_CLOSED"],
    ["resetAndDestroy", "TCP_RESET"],
  ] as const) {
    const target = await kitTarget();
    const proxied: Socket[] = [];
    const port = await serve(
      createServer((socket) => {
        proxied.push(socket);
        const behind = connect(target.port, "127.0.0.1");
        behind.on("error", () => undefined);
        socket.pipe(behind);
        behind.pipe(socket);
        socket.on("close", () => behind.destroy());
      }),
    );
    const { outcome, closed } = dial(`rtmp://127.0.0.1:${port}/live`);
    expect((await outcome).publishing).toBe(1);
    proxied[0]?.[how]();
    expect((await closed).code).toBe(code);
  }
});

test("a name that does not resolve is DNS_FAILED", async () => {
  expect(await failure("rtmp://nowhere.invalid/live")).toBe("DNS_FAILED transient");
});

test("a preset's name that is not found is blamed on DNS, not on a typing error", async () => {
  const known = dial("rtmp://nowhere.invalid/live", { isPresetHost: true });
  expect((await known.outcome).error).toEqual(targetError("known-name-unknown"));
  expect((await dial("rtmp://nowhere.invalid/live").outcome).error).toEqual(targetError("name-unknown"));
});

test.each(["studio", "studio.", "studio.local", "studio.local."])(
  "a short name, %s, is reported as one",
  async (host) => {
    const { error } = await dial(`rtmp://${host}/live`).outcome;
    expect(error).toEqual(targetError("name-not-full"));
  },
);

test("an address where clouds serve credentials is reported as one, although its network is allowed", async () => {
  const policy = { ...ALLOWED, allowed: parseCidrList("169.254.0.0/16") };
  const { error } = await dial("rtmp://169.254.169.254/live", { policy }).outcome;
  expect(error).toEqual(targetError("address-metadata"));
});

test("a target at the address of our public name and a port of ours is refused as our own", async () => {
  const policy = { ...ALLOWED, machineAddresses: () => [], ownPorts: [19_350], ownHosts: ["ingest.example"] };
  // No program listens there, and elsewhere it is refused for another reason.
  const resolver = resolverOf({ "ingest.example": ["198.51.100.7"], "other.example": ["198.51.100.7"] });
  const errors = await Promise.all(
    [19_350, 19_351].map(
      async (port) => (await dial(`rtmp://other.example:${port}/live`, { policy, resolver }).outcome).error,
    ),
  );
  expect(errors).toEqual([targetError("address-own"), targetError("address-not-public", "reserved")]);
});

test("the second address of a name is tried where the first does not reply", async () => {
  const target = await kitTarget();
  const { outcome } = dial(`rtmp://two.example:${target.port}/live`, {
    resolver: resolverOf({ "two.example": ["127.9.9.9", "127.0.0.1"] }),
  });
  expect((await outcome).publishing).toBe(1);
});

test("IPv4 and IPv6 are tried in turn, however many of one there are", async () => {
  const target = await KitTarget.start({ host: "::1" });
  onTestFinished(() => target.close());
  const dead = [1, 2, 3, 4, 5].map((last) => `127.9.9.${last}`);
  const { outcome } = dial(`rtmp://many.example:${target.port}/live`, {
    resolver: resolverOf({ "many.example": [...dead, "::1"] }),
    policy: { ...ALLOWED, allowed: parseCidrList("127.0.0.0/8,::1/128") },
  });
  expect((await outcome).publishing).toBe(1);
});

const forbidden: readonly { name: string; url: string; policy?: AddressPolicy }[] = [
  { name: "loopback", url: "rtmp://127.0.0.1:PORT/live", policy: { allowed: [], ownPorts: [], ownHosts: [] } },
  { name: "our own listener", url: "rtmp://127.0.0.1:PORT/live" },
  { name: "a number for a host", url: "rtmp://2130706433:PORT/live" },
  { name: "an unreadable URL", url: "http://127.0.0.1:PORT/live" },
  { name: "a database's port", url: "rtmp://127.0.0.1:5432/live" },
];
test.each(forbidden)("$name is TARGET_FORBIDDEN, without a connection", async ({ name, url, policy }) => {
  const target = await kitTarget();
  const own = { ...ALLOWED, ownPorts: name === "our own listener" ? [target.port] : [] };
  expect(await failure(url.replace("PORT", `${target.port}`), { policy: policy ?? own })).toBe(
    "TARGET_FORBIDDEN fatal",
  );
  expect(target.connections).toEqual([]);
});

test("a name that changes to loopback between two attempts is refused at the second", async () => {
  const target = await kitTarget();
  const answers = [["127.0.0.1"], ["127.0.0.2"]];
  const changingResolver: Resolver = { resolve: async () => answers.shift() ?? [] };
  const policy = { ...ALLOWED, allowed: parseCidrList("127.0.0.1/32") };
  const url = `rtmp://changing.example:${target.port}/live`;
  expect((await dial(url, { resolver: changingResolver, policy }).outcome).publishing).toBe(1);
  expect(await failure(url, { resolver: changingResolver, policy })).toBe("TARGET_FORBIDDEN fatal");
  expect(target.connections).toHaveLength(1);
});

test("rtmps names the host in its greeting and does not accept a certificate without a known authority", async () => {
  const names: string[] = [];
  const port = await serve(
    createTlsServer({
      ...certificate("tls.example"),
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    }).on("tlsClientError", () => undefined),
  );
  const url = `rtmps://tls.example:${port}/live`;
  expect(await failure(url, { resolver: resolverOf({ "tls.example": ["127.0.0.1"] }) })).toBe("TLS_FAILED fatal");
  expect(names).toEqual(["tls.example"]);
});

test("rtmps to a plain port, and to one that never replies, is TLS_FAILED", async () => {
  const plain = await serve(createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")));
  expect(await failure(`rtmps://127.0.0.1:${plain}/live`)).toBe("TLS_FAILED transient");
  const silent = await serve(createServer((socket) => socket.resume()));
  expect(await failure(`rtmps://127.0.0.1:${silent}/live`, { clock: fastClock })).toBe("TLS_FAILED transient");
});

test("no message of a failure contains the key or a query of the URL", async () => {
  const target = await kitTarget({ refuse: "bad-name" });
  const { error } = await dial(`${target.url}?token=canary-token`, { streamKey: "canary-key" }).outcome;
  expect(error?.code).toBe("PUBLISH_REJECTED");
  expect(error?.message).not.toMatch(/canary/);
});

test("a target whose machine does not reply at all is TCP_TIMEOUT", async () => {
  // A stopped program accepts no connection: once its queue is full, the kernel replies no more.
  const listen =
    "const s=require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},()=>console.log(s.address().port))";
  const child = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(line.toString());
  child.kill("SIGSTOP");
  const fillers = Array.from({ length: 8 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  onTestFinished(() => {
    for (const filler of fillers) filler.destroy();
  });
  await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, "connect")));
  expect(await failure(`rtmp://127.0.0.1:${port}/live`, { clock: fastClock })).toBe("TCP_TIMEOUT transient");
});

/** A path to a target that a test can break once media flows. */
async function bentWay(): Promise<{ url: string; peer: () => Socket }> {
  const target = await kitTarget();
  const peers: Socket[] = [];
  const port = await serve(
    createServer((socket) => {
      peers.push(socket);
      const behind = connect(target.port, "127.0.0.1").on("error", () => undefined);
      socket.pipe(behind).pipe(socket);
      socket.on("close", () => behind.destroy());
    }),
  );
  const peer = () => {
    const [socket] = peers;
    if (socket === undefined) throw new Error("no connection");
    return socket;
  };
  return { url: `rtmp://127.0.0.1:${port}/live`, peer };
}

const PING = encodeMessage(2, encodeControl({ kind: "ping-request", timestamp: 1 }), 128);

test("the number of taken bytes never goes down, although our replies to pings wait in the same queue", async () => {
  const { url, peer } = await bentWay();
  const { link, outcome } = dial(url);
  await outcome;
  peer().unpipe();
  peer().pause();
  const block = Buffer.alloc(1_000_000);
  while (link.pendingBytes === 0) link.write(block);
  const before = link.takenBytes;
  const pending = link.pendingBytes;
  for (let count = 0; count < 40; count += 1) peer().write(PING);
  await expect.poll(() => link.pendingBytes).toBeGreaterThan(pending);
  expect(link.takenBytes).toBe(before);
});

test("a target that sends pings and never reads is given up, and does not fill our memory", async () => {
  const { url, peer } = await bentWay();
  const { link, outcome, closed } = dial(url);
  await outcome;
  peer().unpipe();
  peer().pause();
  while (link.pendingBytes === 0) link.write(Buffer.alloc(1_000_000));
  const flood = Buffer.concat(Array.from({ length: 2_000 }, () => PING));
  for (let count = 0; count < 20; count += 1) peer().write(flood);
  expect(await closed).toEqual(targetError("sent-too-much"));
});

test("a ping that arrives while a link closes loses nothing of what was written", async () => {
  const target = await kitTarget();
  const { link, outcome, dialer } = dial(target.url);
  await outcome;
  link.write(encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(2_000_000, 0x17) }, 4_096));
  link.close("cut");
  await dialer.idle();
  expect(target.connections[0]?.report.mediaBytes).toBe(2_000_000);
});

test("an error while a link reports room ends that link alone, and is reported", async () => {
  const target = await kitTarget();
  const faults: unknown[] = [];
  const { promise: accepted, resolve: accept } = Promise.withResolvers<number>();
  const { promise: closed, resolve: close } = Promise.withResolvers<TargetError>();
  const dialer = new RtmpDialer({
    ...{ clock: systemClock, randomBytes, resolver: resolverOf(), policy: ALLOWED },
    onFault: (error) => faults.push(error),
  });
  const mistake = new Error("a fault of ours");
  const link = dialer.dial(
    { targetId: 1, url: target.url, streamKey: "the-key", isEnabled: true },
    {
      onPublishing: accept,
      onDrained: () => {
        throw mistake;
      },
      onClosed: close,
    },
  );
  onTestFinished(() => link.close("abort"));
  await accepted;
  const payload = Buffer.alloc(1_000_000, 0x17);
  const block = encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload }, 4_096);
  while (link.pendingBytes === 0) link.write(block);
  expect(await closed).toEqual(targetError("server-fault"));
  expect(faults).toEqual([mistake]);
});
