import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { parseCidrList } from "../../../src/net/cidr-list.ts";
import { createResolver } from "../../../src/net/dns/resolver.ts";
import { SrtListenerHandshake } from "../../../src/protocol/srt/listener.ts";
import { openPullLink } from "../../../src/sources/pull-links/open-pull-link.ts";
import { PullDialer } from "../../../src/sources/pull-links/pull-dialer.ts";

async function boundSocket() {
  const socket = createSocket("udp4");
  onTestFinished(() => void socket.close());
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

/** A source that takes this passphrase, and one at a port where nobody replies. */
async function sources(passphrase: string) {
  const [silent, socket] = [await boundSocket(), await boundSocket()];
  const handshake = new SrtListenerHandshake(Buffer.from("secret"), 0);
  const streamIds: string[] = [];
  socket.on("message", (datagram, from) => {
    const send = (packet: Buffer) => socket.send(packet, from.port, from.address);
    if (datagram.readUInt32BE(12) !== 0) return;
    const step = handshake.receive(datagram, from, 0);
    if (step.kind === "reply") send(step.packet);
    if (step.kind !== "request") return;
    streamIds.push(String(step.request.extensions.streamId));
    const accepted = handshake.accept(step.request, { localId: 9, passphrase, latencyMs: 20, nowUs: 0 });
    send(typeof accepted === "string" ? handshake.reject(step.request.handshake, accepted, 0) : accepted.response);
  });
  return { silent: silent.address().port, port: socket.address().port, streamIds };
}

const dialerTo = (...ports: readonly number[]) =>
  ({
    clock: systemClock,
    addresses: async () => ports.map((port) => ({ address: "127.0.0.1", family: 4, port })),
  }) as unknown as PullDialer;

test("of a source with several addresses the next one is called where nobody replies; a plus is a plus", async () => {
  const { silent, port, streamIds } = await sources("aB+c/9d+Ef==");
  const url = "srt://source.example:9000?streamid=live+1&passphrase=aB+c/9d+Ef==";
  const deps = { dialer: dialerTo(silent, port), randomBytes };
  const link = await openPullLink(url, deps, new AbortController().signal);
  expect([link.address, streamIds[0]]).toEqual(["127.0.0.1", "live+1"]);
  link.close();
});

test("an address that rejects is the source's: no other one is called, and nobody's silence is told", async () => {
  const { silent, port, streamIds } = await sources("another passphrase");
  const { signal } = new AbortController();
  const url = "srt://source.example:9000?passphrase=one-passphrase";
  await expect(openPullLink(url, { dialer: dialerTo(port, port), randomBytes }, signal)).rejects.toMatchObject({
    error: { code: "AUTH_FAILED" },
  });
  expect(streamIds).toHaveLength(1);
  await expect(openPullLink(url, { dialer: dialerTo(silent), randomBytes }, signal)).rejects.toMatchObject({
    error: { code: "TCP_TIMEOUT" },
  });
});

test("an IPv4 address that is written as IPv6 is called, and its reply is known as the source's", async () => {
  const { port } = await sources("one-passphrase");
  const policy = { allowed: parseCidrList("127.0.0.1/32"), ownPorts: [], ownHosts: [] };
  const dialer = new PullDialer({ clock: systemClock, resolver: createResolver(), policy, extraCa: "" });
  const url = `srt://[::ffff:127.0.0.1]:${port}?passphrase=one-passphrase`;
  const link = await openPullLink(url, { dialer, randomBytes }, new AbortController().signal);
  expect(link.address).toBe("127.0.0.1");
  link.close();
});
