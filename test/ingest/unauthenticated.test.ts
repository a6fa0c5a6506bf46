import { once } from "node:events";
import { connect as connectTls, type SecureVersion } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { SERVER_DEADLINES } from "../../src/protocol/rtmp/server/server-state.ts";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import { certificate } from "../support/stages/certificates.ts";
import { listen, openConnection, pair, publishTime, SPEC } from "../support/stages/open-listener.ts";

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
    .poll(() => facts, { interval: 5 })
    .toMatchObject([{ kind: "internal-fault", where: "ingest", detail: expect.stringContaining("a fault of ours") }]);
  faulty.admission = false;
  await publishTime(port, facts);
});
