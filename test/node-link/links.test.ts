import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { frameOf, LinkError } from "../../src/node-link/frames.ts";
import { EncoderSideCodec, OwnerSideCodec } from "../../src/node-link/link-codec.ts";
import { type LinkAddress, LinkDialer } from "../../src/node-link/link-dialer.ts";
import type { Attach } from "../../src/node-link/link-handshake.ts";
import { type IncomingLink, LinkListener, type LinkListenerDeps } from "../../src/node-link/link-listener.ts";
import { clientTls, parseLinkSecrets } from "../../src/node-link/link-secret.ts";
import { openRemotePreview } from "../../src/remote-publish/remote-preview.ts";
import { RemotePublishers } from "../../src/remote-publish/remote-publisher.ts";
import { RemotePublisherHost } from "../../src/remote-publish/remote-publisher-host.ts";
import { SOURCE_KINDS } from "../../src/thread-protocol/channel-spec.ts";
import type { FromEncoder } from "../../src/thread-protocol/remote-publish.ts";
import { mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { SECRET, secretsOf } from "../support/stages/socket-pair.ts";
import { AVC_CONFIG, avcFrame, video } from "../support/streams/media-messages.ts";

const OTHER = "another cluster secret, also long enough";
const PUBLISHER = { what: "publisher", channelId: "ls-1", slot: "main", epoch: 7, revision: 3 } as const;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Taken = { attach: Attach; link: IncomingLink };

/** A node's listener that notes what came. */
async function listenAs(lines: readonly string[], deps: Partial<LinkListenerDeps> = {}) {
  const taken: Taken[] = [];
  const faults: unknown[] = [];
  const listener = new LinkListener({
    clock: systemClock,
    onFault: (error) => faults.push(error),
    onAttach: (attach, link) => taken.push({ attach, link }),
    ...deps,
  });
  closers.push(() => listener.close());
  const port = await listener.listen({ host: "127.0.0.1", port: 0, secrets: secretsOf(...lines) });
  return { taken, faults, port, address: { host: "127.0.0.1", port } };
}

function dialerWith(line: string): LinkDialer {
  const tls = { secrets: secretsOf(line), incarnation: "12" };
  return new LinkDialer({ clock: systemClock, onFault: () => undefined, tls });
}

/** An owner on virtual time, and the publishers of a node that dials it. */
async function relay(address: (listener: LinkListener) => Promise<LinkAddress>, dialer: LinkDialer) {
  const stage = new RelayStage(60);
  const host = new RemotePublisherHost({ clock: stage.clock, engine: stage.engine });
  const listener = new LinkListener({
    clock: systemClock,
    onFault: (error) => {
      throw error;
    },
    onAttach: (_attach, link) => host.take(stage.spec([target(1)]), "main", link.takePublisher()),
  });
  closers.push(() => listener.close());
  const where = await address(listener);
  const publishers = new RemotePublishers({
    clock: systemClock,
    afterReads: (run) => run(),
    onWait: () => undefined,
    onCount: () => undefined,
  });
  const outcome = await dialer.attach(where, PUBLISHER, 5_000);
  if (outcome.kind !== "attached") throw new Error(outcome.kind);
  const gateway = publishers.to({ channelId: "ls-1", latency: "efficient" }, outcome.transport);
  expect(await gateway.tryAdmit()).toBe("admitted");
  return { stage, gateway, publishers };
}

async function relaysEveryByte(...parts: Parameters<typeof relay>): Promise<void> {
  const { stage, gateway, publishers } = await relay(...parts);
  let dismissals = 0;
  const publisher = gateway.open({
    ...{ slot: "main", remoteAddress: "192.0.2.7", encoder: "OBS", keyRemoved: ["prefix"] },
    onDismissed: () => {
      dismissals += 1;
    },
    onRoom: () => undefined,
  });
  publisher?.push(video(0, AVC_CONFIG));
  const frames = Array.from({ length: 60 }, (_, at) => avcFrame(at % 20 === 0, at, 100 + 997 * at));
  publisher?.push(video(0, frames[0] ?? AVC_CONFIG));
  publishers.flush();
  await expect.poll(() => stage.dialer.links.length).toBe(1);
  const link = stage.dialer.latest(1);
  link.accept();
  for (const [at, frame] of frames.slice(1).entries()) {
    publisher?.push(video(40 * (at + 1), frame));
    if (at % 7 === 0) publishers.flush();
  }
  publishers.flush();
  await expect.poll(() => mediaOf(link).length).toBe(61);
  expect(mediaOf(link).map(({ payload }) => payload)).toEqual([AVC_CONFIG, ...frames]);
  expect(stage.facts[0]).toMatchObject({ remoteAddress: "192.0.2.7", encoder: "OBS", keyRemoved: ["prefix"] });
  publisher?.end("clean");
  await expect.poll(() => stage.facts.at(-1)).toMatchObject({ kind: "ingest-ended", end: "clean" });
  expect(dismissals).toBe(0);
}

test("a stream relayed over TLS reaches the targets of the other node byte for byte", async () => {
  const secrets = secretsOf(SECRET);
  await relaysEveryByte(
    async (listener) => ({ host: "127.0.0.1", port: await listener.listen({ host: "127.0.0.1", port: 0, secrets }) }),
    dialerWith(SECRET),
  );
});

test("the same over a Unix socket", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-link-"));
  closers.push(() => rm(folder, { recursive: true }));
  const path = join(folder, "link.sock");
  await relaysEveryByte(
    async (listener) => {
      await listener.listen({ path });
      return { path };
    },
    new LinkDialer({ clock: systemClock, onFault: () => undefined }),
  );
});

test("an owner may take the encoder, name the epoch that it knows, or give the channel away", async () => {
  const answers: ((link: IncomingLink) => void)[] = [
    (link) => link.notOwner(9),
    (link) => link.move({ epoch: 7, startTime: 1_700_000_000_000 }),
    (link) => link.takePublisher().post({ kind: "admit-result", isAdmitted: false }),
  ];
  const { address, taken } = await listenAs([SECRET], {
    onAttach: (attach, link) => {
      taken.push({ attach, link });
      answers[taken.length - 1]?.(link);
    },
  });
  const dialer = dialerWith(SECRET);
  expect(await dialer.attach(address, PUBLISHER, 5_000)).toEqual({ kind: "not-owner", epoch: 9 });
  const moved = await dialer.attach(address, PUBLISHER, 5_000);
  expect(moved).toEqual({ kind: "move", epoch: 7, startTime: 1_700_000_000_000 });
  const outcome = await dialer.attach(address, PUBLISHER, 5_000);
  if (outcome.kind !== "attached") throw new Error(outcome.kind);
  const heard: unknown[] = [];
  outcome.transport.listen(
    (message) => heard.push(message),
    () => undefined,
  );
  expect(heard).toEqual([{ kind: "admit-result", isAdmitted: false }]);
  outcome.transport.close();
  expect(taken.map(({ attach, link }) => [attach, link.incarnation])).toEqual(Array(3).fill([PUBLISHER, "12"]));
});

test("a player watches over a link, and its preview ends where nobody shows the channel", async () => {
  const heard: unknown[] = [];
  const { address } = await listenAs([SECRET], {
    onAttach: (attach, link) => {
      if (attach.channelId !== "ls-1") return link.notOwner(0);
      const transport = link.takePlayer();
      transport.listen(
        (message) => {
          heard.push(message);
          if (message.kind !== "start") return;
          transport.post({ kind: "started" });
          transport.post({ kind: "bytes", bytes: new Uint8Array([1, 2, 3]) });
        },
        () => heard.push("closed"),
      );
    },
  });
  const shown: number[] = [];
  let ends = 0;
  const watch = (channelId: string) => {
    const transport = dialerWith(SECRET).watch(address, { what: "player", channelId, epoch: 7 });
    const take = (bytes: Uint8Array) => shown.push(...bytes);
    return openRemotePreview(
      transport,
      systemClock,
      { kind: "rtmp", streamId: 1 },
      {
        take,
        end: () => {
          ends += 1;
        },
      },
    );
  };
  const preview = watch("ls-1");
  expect(await preview.started).toBe(true);
  await expect.poll(() => shown).toEqual([1, 2, 3]);
  preview.taken(3);
  preview.pause(true);
  preview.end();
  await expect
    .poll(() => heard)
    .toEqual([
      { kind: "start", format: { kind: "rtmp", streamId: 1 } },
      { kind: "taken", bytes: 3 },
      { kind: "pause", isPaused: true },
      "closed",
    ]);
  expect(ends).toBe(0);
  expect(await watch("ls-2").started).toBe(false);
  expect(ends).toBe(1);
});

test("a node gives an ownership up, and says so when its links are cut", async () => {
  const released: unknown[] = [];
  const { address } = await listenAs([SECRET], { onRelease: async (release) => void released.push(release) });
  const outcome = await dialerWith(SECRET).release(address, { channelId: "ls-1", epoch: 8 }, 5_000);
  expect([outcome, released]).toEqual([{ kind: "released" }, [{ channelId: "ls-1", epoch: 8 }]]);
});

test("while the secret changes both are accepted; a peer with another one, or none, gets no frame parsed", async () => {
  const { address, port, taken, faults } = await listenAs([SECRET, OTHER], {
    onAttach: (attach, link) => {
      taken.push({ attach, link });
      link.notOwner(0);
    },
  });
  for (const line of [SECRET, OTHER]) {
    expect(await dialerWith(line).attach(address, PUBLISHER, 5_000)).toEqual({ kind: "not-owner", epoch: 0 });
  }
  const stranger = dialerWith("a third secret that this cluster does not know");
  expect(await stranger.attach(address, PUBLISHER, 5_000)).toEqual({ kind: "broken" });
  const plain = connect(port, "127.0.0.1");
  plain.on("error", () => undefined);
  for (const part of frameOf("hello", Buffer.from('{"versions":[1]}'))) plain.write(part);
  await once(plain.resume(), "close");
  const withoutKey = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
  withoutKey.on("error", () => undefined);
  await new Promise((resolve) => withoutKey.on("close", resolve));
  expect(taken).toHaveLength(2);
  expect(faults).toHaveLength(3);
  for (const fault of faults) expect(fault).toBeInstanceOf(LinkError);
  expect(String(faults[1])).toContain("a connection that does not know the cluster's secret");
});

test("a connection that says nothing and goes, as another node's that looks for this host, is no fault", async () => {
  const { port, faults } = await listenAs([SECRET]);
  for (const leave of ["destroy", "resetAndDestroy", "end"] as const) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket[leave]();
    await new Promise((resolve) => socket.resume().on("close", resolve));
  }
  // It takes those that came before this one first.
  await dialerWith("a third secret that this cluster does not know").attach(
    { host: "127.0.0.1", port },
    PUBLISHER,
    5_000,
  );
  await expect.poll(() => faults.map(String)).toEqual([expect.stringContaining("does not know the cluster's secret")]);
});

test("a peer of another version, and one that asks without a greeting, are turned away", async () => {
  const { port, taken, faults } = await listenAs([SECRET]);
  const sends = [frameOf("hello", Buffer.from('{"versions":[2,3]}')), frameOf("attach", Buffer.from("{}"))];
  for (const parts of sends) {
    const socket = connectTls({ port, host: "127.0.0.1", ...clientTls(secretsOf(SECRET), "1") });
    socket.on("error", () => undefined);
    for (const part of parts) socket.write(part);
    await once(socket.resume(), "close");
  }
  expect(faults.map(String)).toEqual([
    "LinkError: the peer speaks the versions 2, 3, this release 1",
    "LinkError: a frame of the kind attach instead of hello",
  ]);
  expect(taken).toEqual([]);
});

test("nobody listens: refused at once. An owner that does not reply: silent at the deadline", async () => {
  const { address, port } = await listenAs([SECRET]);
  expect(await dialerWith(SECRET).attach(address, PUBLISHER, 100)).toEqual({ kind: "silent" });
  const gone = { path: join(tmpdir(), `fanfare-no-such-${port}.sock`) };
  expect(await dialerWith(SECRET).attach(gone, PUBLISHER, 5_000)).toEqual({ kind: "refused" });
});

test("a newer process at the address says that the one that was asked has ended; one that is that one answers", async () => {
  const onAttach = (_attach: Attach, link: IncomingLink) => link.owner({ epoch: 3, isOnAir: true, isDraining: false });
  const { address } = await listenAs([SECRET], { self: 8, onAttach });
  const ask = (incarnation: number) =>
    dialerWith(SECRET).question(address, { what: "question", channelId: "ls-1", incarnation }, 5_000);
  expect(await ask(7)).toEqual({ kind: "replaced" });
  expect(await ask(8)).toEqual({ kind: "owner", epoch: 3, isOnAir: true, isDraining: false });
  // Not a newer one: two nodes have one address by mistake.
  expect(await ask(9)).toMatchObject({ kind: "owner" });
  // One of an older version does not say which process it is.
  const older = await listenAs([SECRET], { onAttach: (_attach, link) => link.end() });
  const question = { what: "question", channelId: "ls-1", incarnation: 7 } as const;
  expect(await dialerWith(SECRET).question(older.address, question, 5_000)).toEqual({ kind: "broken" });
});

test.each([
  ["", "it holds no secret."],
  ["short", "a secret in it is shorter than 32 characters."],
  [`${SECRET}\n${OTHER}\n${SECRET}`, "it holds 3 lines; one secret is a line, two while it changes."],
])("a secret file %j is refused in words", (text, why) => {
  expect(parseLinkSecrets(text)).toBe(why);
});

test("an encoder whose own node stops is lost to the channel's node, not ended: it comes back to another node", () => {
  const end = (how: string) =>
    new OwnerSideCodec().decode({ kind: "end", body: Buffer.from(JSON.stringify({ end: how })) });
  expect(end("shutdown")).toEqual({ kind: "end", end: "connection-lost" });
  expect(end("clean")).toEqual({ kind: "end", end: "clean" });
});

test("that a stream goes on, and that it is a source's, crosses a link, and other nodes need not say it", () => {
  const codec = new OwnerSideCodec();
  const open = { kind: "open", remoteAddress: "192.0.2.7", encoder: "OBS", keyRemoved: [] } as const;
  const crossed = (message: Extract<FromEncoder, { kind: "open" }>) => {
    const [kind, ...body] = new EncoderSideCodec().encode(message);
    return codec.decode({ kind, body: Buffer.concat(body) });
  };
  expect(crossed(open)).toEqual(open);
  expect(crossed({ ...open, isGoingOn: true })).toEqual({ ...open, isGoingOn: true });
  for (const sourceKind of SOURCE_KINDS) expect(crossed({ ...open, sourceKind })).toEqual({ ...open, sourceKind });
  const odd = Buffer.from(JSON.stringify({ ...open, isGoingOn: "perhaps", sourceKind: "satellite", later: 1 }));
  expect(codec.decode({ kind: "open", body: odd })).toEqual(open);
});
