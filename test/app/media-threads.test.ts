import { hash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { type SyntheticOptions, syntheticClip } from "../../src/testkit/encoder/clip.ts";
import type { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import type { MessageRecord } from "../../src/testkit/message-record.ts";
import type { KitTarget } from "../../src/testkit/target/target.ts";
import type { ChannelSpec } from "../../src/thread-protocol/channel-spec.ts";
import type { Fact } from "../../src/thread-protocol/facts.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { PoolStage } from "../support/stages/pool-stage.ts";

const DEADLINE_MS = 20_000;
/**
 * The kernel decides which thread gets a connection: with three, two of three second ones come to another than the
 * first.
 */
const THREADS = 3;
const ATTEMPTS_MAX = 30;
/** Serial numbers that no other encoder of a test reaches. */
const SECOND_SERIAL = 1_000_000;
const VIDEO = 9;
const FRAMES_PER_SECOND = 25;

/** The hashes of a clip's video frames, without its sequence header. */
function frameHashes(options: SyntheticOptions, count: number): string[] {
  const hashes: string[] = [];
  for (const { type, payload } of syntheticClip(options).tags()) {
    if (type === VIDEO && payload[1] === 1) hashes.push(hash("sha256", payload));
    if (hashes.length === count) break;
  }
  return hashes;
}

const framesOf = (messages: readonly MessageRecord[]) =>
  messages.filter(({ kind, isConfig }) => kind === "video" && !isConfig).map((record) => record.hash);

type Pair = {
  readonly channel: ChannelSpec;
  readonly target: KitTarget;
  readonly first: KitEncoder;
  readonly second: KitEncoder;
};

/**
 * A channel whose first encoder is on air, and whose second, made by `come`, came to another thread. Tries new channels
 * until it is so.
 */
async function apart(
  stage: PoolStage,
  come: (channel: ChannelSpec, first: KitEncoder) => Promise<KitEncoder>,
  settings: Parameters<PoolStage["channel"]>[1] = {},
): Promise<Pair> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const target = await stage.target({ messagesMax: 100_000 });
    const channel = stage.channel([target], settings);
    const first = stage.encoder(channel.channelId, { clip: syntheticClip() });
    await onAir(stage, channel, target);
    const second = await come(channel, first);
    expect(await second.accepted).toBe(true);
    if (stage.remoteConnections(channel.channelId) === 1) return { channel, target, first, second };
    await Promise.all([first.stop("clean"), second.stop("clean")]);
  }
  throw new Error(`of ${ATTEMPTS_MAX} second encoders all came to the first one's thread`);
}

async function onAir(stage: PoolStage, channel: ChannelSpec, target: KitTarget): Promise<void> {
  await waitFor(
    `${channel.channelId} on air`,
    DEADLINE_MS,
    () => (framesOf(target.connections[0]?.report.messages ?? []).length > 5 ? true : undefined),
    () => stage.factsOf(channel.channelId).join(" "),
  );
}

async function waitForFact(stage: PoolStage, channel: ChannelSpec, kind: string, count = 1): Promise<void> {
  const found = () => stage.factsOf(channel.channelId).filter((each) => each === kind).length;
  await waitFor(
    kind,
    DEADLINE_MS,
    () => (found() >= count ? true : undefined),
    () => stage.factsOf(channel.channelId).join(" "),
  );
}

function lastOf(stage: PoolStage, { channelId }: ChannelSpec, kind: Fact["kind"]): Fact | undefined {
  return stage.facts.findLast((fact) => fact.kind === kind && "channelId" in fact && fact.channelId === channelId);
}

async function openStage(...[options, whenOver]: ConstructorParameters<typeof PoolStage>): Promise<PoolStage> {
  const stage = new PoolStage({ threads: THREADS, ...options }, whenOver);
  await stage.start();
  return stage;
}

/** For tests after which all threads still run: starting them takes more processor time than such a test. */
const shared = await openStage({}, afterAll);

test("an encoder that comes to another thread takes over at its keyframe, and the target gets every frame of both", async () => {
  const { channel, target, first, second } = await apart(shared, async ({ channelId }) =>
    shared.encoder(channelId, { clip: syntheticClip({ firstSerial: SECOND_SERIAL, seconds: 3 }) }),
  );
  // It would go on for ever: the second one displaced it.
  expect((await first.closed).end?.how).toBe("lost");
  expect((await second.closed).end?.how).toBe("finished");
  await waitForFact(shared, channel, "ingest-ended", 2);

  expect(target.connections).toHaveLength(1);
  const received = framesOf(target.connections[0]?.report.messages ?? []);
  // From the first keyframe on; a target that is there late begins with a later one.
  const ofFirst = frameHashes({}, 30 * FRAMES_PER_SECOND);
  const begin = ofFirst.indexOf(received[0] ?? "");
  expect(begin % FRAMES_PER_SECOND).toBe(0);
  const split = received.findIndex((each, at) => each !== ofFirst[begin + at]);
  expect(split).toBeGreaterThan(5);
  expect(received.slice(split)).toEqual(frameHashes({ firstSerial: SECOND_SERIAL, seconds: 3 }, 75));
  expect(shared.factsOf(channel.channelId)).toEqual([
    ...["ingest-started", "publisher-active", "CONNECTING", "PUBLISHING"],
    ...["ingest-started", "ingest-ended", "publisher-active", "READY", "ingest-ended"],
  ]);
});

test("a fourth takeover within half a minute is refused, whichever threads the encoders come to", async () => {
  const target = await shared.target();
  const channel = shared.channel([target]);
  const encoders: KitEncoder[] = [];
  for (let count = 0; count < 5; count += 1) {
    const encoder = shared.encoder(channel.channelId, { clip: syntheticClip() });
    encoders.push(encoder);
    expect(await encoder.accepted).toBe(count < 4);
    // It is in its slot: an encoder that sent nothing yet is replaced without counting as a takeover.
    if (count < 4) await waitForFact(shared, channel, "ingest-started", count + 1);
  }
  expect((await encoders[4]?.closed)?.end?.how).toBe("refused");
  await waitForFact(shared, channel, "encoders-fight");
});

test("a lost encoder's channel is held, and goes on from another thread over the same link", async () => {
  const { channel, target, second } = await apart(shared, async (spec, first) => {
    await first.stop("reset");
    await waitForFact(shared, spec, "ingest-held");
    return shared.encoder(spec.channelId, { clip: syntheticClip({ firstSerial: SECOND_SERIAL }) });
  });
  const wanted = frameHashes({ firstSerial: SECOND_SERIAL }, 20);
  await waitFor("the second encoder's frames", DEADLINE_MS, () => {
    const received = framesOf(target.connections[0]?.report.messages ?? []);
    return wanted.every((each) => received.includes(each)) ? true : undefined;
  });
  expect(target.connections).toHaveLength(1);
  // The remote encoder is lost like any other.
  await second.stop("reset");
  await waitForFact(shared, channel, "ingest-held", 2);
  expect(lastOf(shared, channel, "ingest-held")).toMatchObject({ end: "connection-lost" });
});

test("a backup encoder in another thread goes on when the main one is lost", async () => {
  const { channel, target, first } = await apart(shared, async ({ channelId }) =>
    shared.encoder(`${channelId}-backup`, { clip: syntheticClip({ firstSerial: SECOND_SERIAL }) }),
  );
  await first.stop("reset");
  await waitForFact(shared, channel, "publisher-active", 2);
  expect(lastOf(shared, channel, "publisher-active")).toMatchObject({ slot: "backup" });
  const backup = new Set(frameHashes({ firstSerial: SECOND_SERIAL }, 500));
  await waitFor("the backup's frames", DEADLINE_MS, () =>
    framesOf(target.connections[0]?.report.messages ?? []).filter((each) => backup.has(each)).length > 10
      ? true
      : undefined,
  );
  expect(target.connections).toHaveLength(1);
});

test("a thread that dies ends its own channels, and the encoders it had for others, and those channels go on", async () => {
  const stage = await openStage();
  const { channel, target, second } = await apart(stage, async ({ channelId }) =>
    stage.encoder(channelId, { clip: syntheticClip({ firstSerial: SECOND_SERIAL }) }),
  );
  await waitForFact(stage, channel, "publisher-active", 2);
  const [remoteConnection] = stage.logged.filter(
    ({ event, fields }) => event === "remote encoder" && fields["channelId"] === channel.channelId,
  );
  const others: { readonly channel: ChannelSpec; readonly encoder: KitEncoder }[] = [];
  const byThread = () => new Map(others.map((other) => [stage.ownerOf(other.channel.channelId), other]));
  while (byThread().size < THREADS) {
    const other = stage.channel([await stage.target()]);
    others.push({ channel: other, encoder: stage.encoder(other.channelId, { clip: syntheticClip() }) });
    await waitForFact(stage, other, "PUBLISHING");
  }

  // A malformed spec makes the thread throw where nothing catches: the one that has the second encoder's connection.
  const accepting = byThread().get(remoteConnection?.fields["from"]);
  stage.pool.apply({ ...channel, channelId: accepting?.channel.channelId ?? "", revision: 2, targets: null as never });
  expect((await second.closed).end?.how).toBe("lost");
  await waitForFact(stage, channel, "ingest-held");
  const hasDied = (spec: ChannelSpec) => stage.factsOf(spec.channelId).includes("ingest-ended");
  await waitFor("its channel's end", DEADLINE_MS, () => accepting && (hasDied(accepting.channel) ? true : undefined));
  const dead = others.filter((other) => hasDied(other.channel));
  expect(dead.map((other) => stage.ownerOf(other.channel.channelId))).toEqual(
    dead.map(() => remoteConnection?.fields["from"]),
  );
  expect(target.connections).toHaveLength(1);

  // The other encoder's thread owns the channel: its encoders are dismissed, wherever they are, and the next one starts
  // anew.
  const again = stage.encoder(channel.channelId, { clip: syntheticClip({ firstSerial: 2 * SECOND_SERIAL }) });
  await waitForFact(stage, channel, "publisher-active", 3);
  stage.pool.apply({ ...channel, revision: 3, targets: null as never });
  expect((await again.closed).end?.how).toBe("lost");
  await waitFor("the end", DEADLINE_MS, () =>
    stage.view.live(channel.channelId)?.isPublishing === false ? true : undefined,
  );
  expect(lastOf(stage, channel, "ingest-ended")).toMatchObject({ end: "connection-lost", isBroadcastOver: true });
  stage.encoder(channel.channelId, { clip: syntheticClip() });
  await waitFor("a new link", DEADLINE_MS, () => (target.connections.length === 2 ? true : undefined));
});

test("an encoder in another thread whose key is changed is cut, and its channel is held", async () => {
  const { channel, second } = await apart(shared, async ({ channelId }) =>
    shared.encoder(channelId, { clip: syntheticClip({ firstSerial: SECOND_SERIAL }) }),
  );
  await waitForFact(shared, channel, "publisher-active", 2);
  shared.pool.disconnectPublisher(channel.channelId, "main");
  expect((await second.closed).end?.how).toBe("lost");
  await waitForFact(shared, channel, "ingest-held");
  expect(lastOf(shared, channel, "ingest-held")).toMatchObject({ end: "ended" });
});

test("an encoder in another thread that stops just before its key is changed has ended, and its channel is not held", async () => {
  const { channel, second } = await apart(shared, async ({ channelId }) =>
    shared.encoder(channelId, { clip: syntheticClip({ firstSerial: SECOND_SERIAL }) }),
  );
  await waitForFact(shared, channel, "publisher-active", 2);
  // Both are on their way before its thread reads its encoders again.
  const stopped = second.stop("clean");
  shared.pool.disconnectPublisher(channel.channelId, "main");
  await waitForFact(shared, channel, "ingest-ended", 2);
  expect(lastOf(shared, channel, "ingest-ended")).toMatchObject({ end: "clean", isBroadcastOver: true });
  expect(shared.factsOf(channel.channelId)).not.toContain("ingest-held");
  await stopped;
});

test("a broadcast that is ended ends its encoder in another thread, and so does a removed channel", async () => {
  for (const end of ["end", "remove"] as const) {
    const { channel, target, second } = await apart(shared, async ({ channelId }) =>
      shared.encoder(channelId, { clip: syntheticClip({ firstSerial: SECOND_SERIAL }) }),
    );
    await waitForFact(shared, channel, "publisher-active", 2);
    shared.pool[end](channel.channelId);
    expect((await second.closed).end?.how).toBe("lost");
    await waitFor("the target's farewell", DEADLINE_MS, () =>
      target.connections[0]?.report.stage === "unpublished" ? true : undefined,
    );
  }
});

test("low latency applies to an encoder in another thread, and so does a change to it", async () => {
  const { channel, target } = await apart(
    shared,
    async ({ channelId }) => shared.encoder(channelId, { clip: syntheticClip({ firstSerial: SECOND_SERIAL }) }),
    { latency: "low" },
  );
  await waitForFact(shared, channel, "publisher-active", 2);
  const count = () => framesOf(target.connections[0]?.report.messages ?? []).length;
  for (const latency of ["efficient", "low"] as const) {
    const revision = latency === "efficient" ? 2 : 3;
    shared.pool.apply({ ...channel, latency, revision });
    const before = count();
    await waitFor("frames", DEADLINE_MS, () => (count() > before + 30 ? true : undefined));
  }
});

test("a port in use by another program fails the start, although threads would share it", async () => {
  const other = await openStage({ threads: 2 });
  const port = Number(new URL(other.url).port);
  const stage = new PoolStage({ threads: 2, rtmpPort: port });
  await expect(stage.start()).rejects.toThrow(/EADDRINUSE/);
});

test("connections of one address that show no key are as many as one thread would keep, whichever threads they come to", async () => {
  const stage = await openStage({ threads: 2, connectionLimits: { unauthenticatedPerAddressMax: 4 } });
  const port = Number(new URL(stage.url).port);
  // The kernel gives each thread some of them.
  const sockets = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      onTestFinished(() => void socket.destroy());
      await once(socket, "connect");
      return socket;
    }),
  );
  for (const socket of sockets) socket.resume();
  const turnedAway = () =>
    stage.facts
      .map((fact) => (fact.kind === "ingest-refused" && fact.reason === "too-many-connections" ? fact.count : 0))
      .reduce((total, count) => total + count, 0);
  await expect.poll(turnedAway).toBe(36);
});

test("a preview shows a channel that another thread owns, over either protocol", async () => {
  const target = await shared.target();
  const channel = shared.channel([target]);
  shared.encoder(channel.channelId, { clip: syntheticClip() });
  await waitForFact(shared, channel, "PUBLISHING");
  const shown = await new Promise<Uint8Array>((resolve) => {
    const watch = shared.pool.watch(channel.channelId, { take: resolve, end: () => undefined });
    onTestFinished(() => watch.leave());
  });
  expect(Buffer.from(shown).subarray(0, 3).toString()).toBe("FLV");
  await new Promise<void>((resolve) => {
    shared.pool.watch("ls-nowhere", { take: () => undefined, end: resolve });
  });
});

test("a channel off air is released, and owned by the thread of its next encoder, and its counters go on", async () => {
  const stage = await openStage({ channelKeptMs: 500 });
  const target = await stage.target({ messagesMax: 100_000 });
  const channel = stage.channel([target]);
  const { channelId } = channel;
  const placements = () =>
    stage.logged.filter(({ event, fields }) => event === "channel placed" && fields["channelId"] === channelId);
  const bytesTotal = () =>
    stage.samples.findLast((sample) => sample.channelId === channelId)?.targets[0]?.bytesTotal ?? 0;
  const moves = new Set<unknown>();
  let bytesBefore = 0;
  for (let lives = 1; moves.size < 2; lives += 1) {
    expect(lives).toBeLessThan(ATTEMPTS_MAX);
    const encoder = stage.encoder(channelId, { clip: syntheticClip() });
    await waitForFact(stage, channel, "PUBLISHING", lives);
    await waitFor("more bytes", DEADLINE_MS, () => (bytesTotal() > bytesBefore ? true : undefined));
    expect(placements()).toHaveLength(lives);
    moves.add(placements().at(-1)?.fields["thread"]);
    await encoder.stop("clean");
    await waitFor("the channel's release", DEADLINE_MS, () =>
      stage.logged.filter(({ event }) => event === "channel released").length === lives ? true : undefined,
    );
    bytesBefore = bytesTotal();
  }
  expect(stage.remoteConnections(channelId)).toBe(0);
});

test("when the process stops, an encoder in another thread reaches its targets until it has moved, or its time is over", async () => {
  const stage = await openStage();
  const { channel, target, first } = await apart(stage, async ({ channelId }) =>
    stage.encoder(channelId, {
      clip: syntheticClip({ firstSerial: SECOND_SERIAL }),
      followsReconnectRequests: true,
    }),
  );
  expect((await first.closed).end?.how).toBe("lost");
  await waitForFact(stage, channel, "publisher-active", 2);
  const count = () => framesOf(target.connections[0]?.report.messages ?? []).length;
  const before = count();
  await stage.pool.stop("cut");
  // It has two and a half seconds, and nowhere to go.
  expect(count() - before).toBeGreaterThan(12);
});
