import { once } from "node:events";
import { connect, createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { parseCidrList } from "../../../src/net/cidr-list.ts";
import { frame, listen, publish } from "../../support/encoders/ingest-stage.ts";
import { certificate } from "../../support/stages/certificates.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";
import { AVC_CONFIG, avcFrame } from "../../support/streams/media-messages.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const HEADER = Buffer.from(`${SIGNATURE}2111000ccb0071070a000001d431078f`, "hex");
const LOOPBACK = { proxies: parseCidrList("127.0.0.0/8") };

const behindLoopback = () => listen(undefined, undefined, undefined, LOOPBACK);

/** A proxy in front of a port: what it sends first is in one piece with the first bytes of its client. */
async function proxyTo(port: number, header: Buffer): Promise<number> {
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    for (const socket of [client, upstream]) socket.on("error", () => undefined);
    client.once("data", (bytes) => {
      upstream.write(Buffer.concat([header, bytes]));
      client.pipe(upstream);
    });
    upstream.pipe(client);
    upstream.on("close", () => client.destroy());
    client.on("close", () => upstream.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP address");
  return address.port;
}

test("an encoder behind a proxy of a listed network is known by its own address, and its media arrives", async () => {
  const { port, waitForFact, dialer } = await behindLoopback();
  const { socket } = await publish(await proxyTo(port, HEADER), "the-key");
  expect(await waitForFact("ingest-started")).toMatchObject({ remoteAddress: "203.0.113.7" });
  socket.write(Buffer.concat([frame(0, AVC_CONFIG), frame(0, avcFrame(true, 1))]));
  await waitForFact("target-status");
  expect(dialer.links).toHaveLength(1);
});

test.each([
  ["PROXY TCP4 203.0.113.7 10.0.0.1 1 2\r\n", "PROXY protocol version 1"],
  [`\x03${"\0".repeat(1_536)}`, "no PROXY header"],
])("from a listed network %j is refused, and the log says why", async (text, why) => {
  const { port, waitForFact } = await behindLoopback();
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(Buffer.from(text, "latin1"));
  await once(socket.resume(), "close");
  expect(await waitForFact("ingest-refused")).toMatchObject({
    ...{ remoteAddress: "127.0.0.1", reason: "protocol-error" },
    detail: expect.stringContaining(why),
  });
});

test("a proxy has five seconds for its header", async () => {
  const clock = new VirtualClock();
  const { port, facts } = await listen(undefined, clock, undefined, LOOPBACK);
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(HEADER.subarray(0, 10));
  const closed = once(socket.resume(), "close");
  // The connection is accepted by the system, then by the listener.
  await expect
    .poll(() => {
      clock.advance(1_000);
      return facts.map((fact) => (fact.kind === "ingest-refused" ? fact.detail : fact.kind));
    })
    .toEqual(["no PROXY header in time"]);
  await closed;
});

test("from other networks no header is taken: a direct encoder gets in, and one with a header does not", async () => {
  const clock = new VirtualClock();
  const { port, facts, waitForFact } = await listen(undefined, clock, undefined, {
    proxies: parseCidrList("10.0.0.0/8"),
  });
  await publish(port, "the-key");
  expect(await waitForFact("ingest-started")).toMatchObject({ remoteAddress: "127.0.0.1" });
  // To RTMP a header is a handshake that never becomes right.
  await publish(await proxyTo(port, HEADER), "the-key");
  const refused = () => facts.filter(({ kind }) => kind === "ingest-refused");
  await expect
    .poll(() => {
      clock.advance(1_000);
      return refused().length;
    })
    .toBeGreaterThan(0);
  expect(refused()).toMatchObject([{ remoteAddress: "127.0.0.1" }]);
  expect(facts.filter(({ kind }) => kind === "ingest-started")).toHaveLength(1);
});

test("the header comes before TLS", async () => {
  const { listener } = await behindLoopback();
  const pair = certificate("127.0.0.1");
  const { port } = await listener.listenTls({ host: "127.0.0.1", port: 0 }, pair);
  const socket = connectTls({ port: await proxyTo(port, HEADER), host: "127.0.0.1", ca: pair.cert });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1_536)]));
  const [bytes] = (await once(socket, "data")) as [Buffer];
  expect(bytes[0]).toBe(3);
  // Without a header nothing of TLS begins.
  const direct = connectTls({ port, host: "127.0.0.1", ca: pair.cert });
  direct.on("error", () => undefined);
  await new Promise((resolve) => direct.on("close", resolve));
  expect(direct.authorized).toBe(false);
});
