import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type SecureVersion } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { ConnectionLimits } from "../../src/ingest/connection-limiter.ts";
import { RtmpListener } from "../../src/ingest/rtmp/rtmp-listener.ts";
import { SERVER_DEADLINES } from "../../src/protocol/rtmp/server/server-state.ts";
import { Engine } from "../../src/relay/engine.ts";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import type { ChannelSpec } from "../../src/thread-protocol/channel-spec.ts";
import type { Fact } from "../../src/thread-protocol/facts.ts";
import { admissionTo, NO_LOGINS, type Verdict } from "../support/stages/admission.ts";
import { certificate } from "../support/stages/certificates.ts";
import { FakeDialer } from "../support/stages/fake-links.ts";

const SPEC: ChannelSpec = { channelId: "ls-1", revision: 1, holdSeconds: 0, targets: [] };
const pair = certificate("127.0.0.1");

/** A listener on two free ports, the second behind TLS. The key `good` may publish. */
async function listen(limits: ConnectionLimits = {}, admission: () => Verdict = () => ({ spec: SPEC, slot: "main" })) {
  const facts: Fact[] = [];
  const onFact = (fact: Fact) => void facts.push(fact);
  const engine = new Engine({
    ...{ clock: systemClock, random: Math.random, dialer: new FakeDialer(), onFact },
    report: () => undefined,
  });
  const admit = async (key: string) => admissionTo(engine, key === "good" ? admission() : "refused");
  const listener = new RtmpListener({
    clock: systemClock,
    randomBytes,
    flush: () => engine.flush(),
    onFact,
    ...NO_LOGINS,
    permitPlayer: async () => "refuse",
    admit,
    limits,
  });
  onTestFinished(() => {
    engine.shutDown("cut");
    listener.close();
  });
  const { port } = await listener.listen({ host: "127.0.0.1", port: 0 });
  const { port: tlsPort } = await listener.listenTls({ host: "127.0.0.1", port: 0 }, pair);
  return { listener, port, tlsPort, facts };
}

async function openConnection(port: number, localAddress = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => undefined);
  socket.resume();
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Publishes as an encoder does. Resolves with the time until it was on air, in milliseconds. */
async function publishTime(port: number, facts: readonly Fact[]): Promise<number> {
  const startedCount = () => facts.filter(({ kind }) => kind === "ingest-started").length;
  const before = startedCount();
  const startMs = performance.now();
  const clip = syntheticClip({ seconds: 60 });
  const encoder = new KitEncoder({ url: `rtmp://127.0.0.1:${port}/relay`, streamKey: "good", clip });
  onTestFinished(async () => void (await encoder.stop("reset")));
  await expect.poll(startedCount, { interval: 5, timeout: 20_000 }).toBe(before + 1);
  return performance.now() - startMs;
}

async function handshake(port: number, version: SecureVersion) {
  const socket = connectTls({ port, host: "127.0.0.1", ca: pair.cert, minVersion: version, maxVersion: version });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

test.each(["TLSv1.2", "TLSv1.3"] as const)("RTMP over %s works as without it", async (version) => {
  const { tlsPort } = await listen();
  const socket = await handshake(tlsPort, version);
  socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1_536)]));
  const [bytes] = (await once(socket, "data")) as [Buffer];
  expect(bytes[0]).toBe(3);
});

test("a changed certificate is for new connections, and existing ones stay", async () => {
  const { listener, tlsPort } = await listen();
  const before = await handshake(tlsPort, "TLSv1.3");
  const renewed = certificate("127.0.0.1");
  listener.setCertificate(renewed);
  const after = connectTls({ port: tlsPort, host: "127.0.0.1", ca: renewed.cert });
  onTestFinished(() => void after.destroy());
  await once(after, "secureConnect");
  expect(() => listener.setCertificate({ ...renewed, key: pair.key })).toThrow(/key values mismatch/);
  before.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1_536)]));
  const [bytes] = (await once(before, "data")) as [Buffer];
  expect(bytes[0]).toBe(3);
});

test("plain bytes on the TLS port are refused, with the reason", async () => {
  const { tlsPort, facts } = await listen();
  const socket = await openConnection(tlsPort);
  socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1_536)]));
  await once(socket, "close");
  await expect
    .poll(() => facts)
    .toMatchObject([
      { kind: "ingest-refused", reason: "protocol-error", detail: expect.stringMatching(/^TLS: ERR_SSL_/) },
    ]);
});

test("an address that tries many keys waits for each refusal, and a good key from there does not", async () => {
  const { port, facts } = await listen();
  /** How long a wrong key's refusal took, in milliseconds. */
  const refusalTime = async () => {
    const startMs = performance.now();
    const clip = syntheticClip({ seconds: 60 });
    const encoder = new KitEncoder({ url: `rtmp://127.0.0.1:${port}/relay`, streamKey: "bad", clip });
    expect(await encoder.accepted).toBe(false);
    return performance.now() - startMs;
  };
  for (let count = 0; count < 6; count += 1) await refusalTime();
  const { promise: tried, resolve } = Promise.withResolvers<number>();
  void refusalTime().then(resolve);
  let isTried = false;
  void tried.then(() => {
    isTried = true;
  });
  await publishTime(port, facts);
  expect(isTried).toBe(false);
  // The seventh: the sixth waited for one second.
  expect(await tried).toBeGreaterThanOrEqual(1_990);
});

test("a peer that connects and sends nothing, or no more than TLS, is closed in time", async () => {
  const { port, tlsPort } = await listen();
  const startMs = performance.now();
  const [plain, raw, secure] = [
    await openConnection(port),
    await openConnection(tlsPort),
    await handshake(tlsPort, "TLSv1.3"),
  ];
  secure.resume();
  await Promise.all([plain, raw, secure].map((socket) => once(socket, "close")));
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(SERVER_DEADLINES.publishMs - 100);
});

test("1,000 connections that send nothing do not delay an encoder, of their address or another", async () => {
  const { port, tlsPort, facts } = await listen({ connectionsMax: 500 });
  const aloneMs = await publishTime(port, facts);
  const addresses = ["127.0.0.1", ...Array.from({ length: 24 }, (_, index) => `127.0.1.${index + 1}`)];
  const connections = Array.from({ length: 1_000 }, (_, index) =>
    openConnection(index % 2 === 0 ? port : tlsPort, addresses[index % addresses.length]),
  );
  await Promise.all(connections);
  const crowdedMs = await publishTime(port, facts);
  // A lower bound, since the first may take almost no time.
  expect(crowdedMs).toBeLessThan(5 * Math.max(aloneMs, 200));
  // The first encoder stays until the second one's keyframe takes its place.
  const ends = () => facts.flatMap((fact) => (fact.kind === "ingest-ended" ? [fact.end] : []));
  await expect.poll(ends, { timeout: 10_000 }).toEqual(["replaced"]);
  await expect
    .poll(() => facts.some((fact) => fact.kind === "ingest-refused" && fact.reason === "too-many-connections"))
    .toBe(true);
});

test("an error while a key is looked up ends that connection alone, and is reported", async () => {
  const faulty = { admission: true };
  const { port, facts } = await listen({}, () => {
    if (faulty.admission) throw new Error("a fault of ours");
    return { spec: SPEC, slot: "main" };
  });
  const encoder = new KitEncoder({
    url: `rtmp://127.0.0.1:${port}/relay`,
    streamKey: "good",
    clip: syntheticClip({ seconds: 1 }),
  });
  onTestFinished(async () => void (await encoder.stop("reset")));
  await expect
    .poll(() => facts, { interval: 5, timeout: 20_000 })
    .toMatchObject([{ kind: "internal-fault", where: "ingest", detail: expect.stringContaining("a fault of ours") }]);
  faulty.admission = false;
  await publishTime(port, facts);
});
