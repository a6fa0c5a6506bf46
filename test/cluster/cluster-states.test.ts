import { expect, test } from "vitest";
import { ClusterStates } from "../../src/cluster/cluster-states.ts";
import type { ChannelHint } from "../../src/cluster/hints.ts";
import { NodeRpc } from "../../src/cluster/node-rpc.ts";
import { type Channel, channelSpec } from "../../src/control/channels/channel.ts";
import type { SourceStatus } from "../../src/control/channels/source.ts";
import type { ChannelEvent } from "../../src/control/events/events.ts";
import type { RefusedEncoder } from "../../src/control/facts/refusal-list.ts";
import { LiveState } from "../../src/control/live/live-state.ts";
import { DomainError, OwnerUnavailableError } from "../../src/control/ports/errors.ts";
import type { NodeState } from "../../src/control/ports/ownership-store.ts";
import type { SlateState } from "../../src/control/ports/slate-maker.ts";
import { FREEZE_TIMES } from "../../src/thread-protocol/freeze-times.ts";
import { TARGET_ERROR_NAMES, targetError } from "../../src/thread-protocol/targets/target-errors.ts";
import { FakeRuntime } from "../control/fake-runtime.ts";
import { MemoryNetwork } from "../support/stages/memory-bus.ts";
import { channelSample, targetSample } from "../support/stages/sample.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const ID = "ls-20260102030405-aB3dE";
const GATHER_MS = 100;

/** The nodes 1, 2, … of one cluster. */
function cluster(count: number) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork();
  const states = new Map<number, NodeState>();
  const owners = new Map<string, number>();
  const stored = new Map<string, Channel>();
  const nodes = Array.from({ length: count }, (_, index) => {
    const self = index + 1;
    const bus = network.newBus();
    const view = new LiveState(clock);
    const own = new FakeRuntime(view);
    const owned = new Map<string, number>();
    const sources = new Map<string, SourceStatus>();
    const slates = new Map<string, SlateState>();
    const asked: unknown[] = [];
    const runSource = { now: async () => true };
    const changed: string[] = [];
    const hints: ChannelHint[] = [];
    const sampled: string[] = [];
    const events: ChannelEvent[] = [];
    const refusals: RefusedEncoder[] = [];
    const heardFirst: number[] = [];
    const read: string[] = [];
    let requests = 0;
    const cluster: ClusterStates = new ClusterStates({
      ...{ self, bus, rpc: new NodeRpc(bus, self), clock, log, own },
      elsewhere: { watch: own.watch, keyframe: async () => ({ found: "too-large" }) },
      newRequestId: () => {
        requests += 1;
        return `${self}-${requests}`;
      },
      ownChecks: { warnings: () => [], state: () => "done" },
      sources: {
        channelIds: () => sources.keys(),
        status: (channelId) => sources.get(channelId),
        slate: (channelId) => slates.get(channelId),
      },
      runSource: async (channelId, command) => {
        asked.push([channelId, command]);
        return await runSource.now();
      },
      ...{ takers: () => [], isDraining: () => false },
      owned: () => owned,
      nodeState: (incarnation) => states.get(incarnation),
      onNew: (incarnation) => void heardFirst.push(incarnation),
      storedOwner: async (channelId) => owners.get(channelId),
      report: () => ({
        ...{ nodeId: `n${self}`, state: "serving", version: "1" },
        load: { channels: owned.size, egressBitsPerSecond: 0, loopDelayMs: 1, relayed: 0 },
      }),
      readChannel: async (channelId) => {
        read.push(channelId);
        return stored.get(channelId);
      },
      concerns: (channelId) => owned.has(channelId),
      hasReaders: () => false,
      onChanged: (ids) => void changed.push(...ids),
      onSamples: (channels) => void sampled.push(...channels.map(({ channelId }) => channelId)),
      onHint: (hint) => void hints.push(hint),
      ...{ onKeys: () => undefined, onDeliveries: () => undefined },
      onHeardEvent: (event) => void events.push(event),
      onHeardRefusals: (attempts) => void refusals.push(...attempts),
    });
    cluster.start();
    /** The channel goes on air here, with one target that is on air. */
    const goOnAir = (channelId: string, epoch: number) => {
      owned.set(channelId, epoch);
      owners.set(channelId, self);
      own.start(channelId, 7);
      own.status(channelId, 5, { status: "PUBLISHING", sinceTime: 9 });
      cluster.feed.changed(channelId);
      clock.advance(GATHER_MS);
    };
    /** What the source of a channel does here from now on; undefined: nothing is known of it. */
    const setSource = (channelId: string, status: SourceStatus | undefined) => {
      if (status === undefined) sources.delete(channelId);
      else sources.set(channelId, status);
      const what = { kind: "source-changed", time: 1, channelId, from: "stopped" } as const;
      cluster.fact({ ...what, status: status ?? { state: "stopped", sinceTime: 1 } });
      clock.advance(GATHER_MS);
    };
    const parts = { self, bus, view, own, owned, cluster, changed, hints, read, sampled, events, refusals, goOnAir };
    return { ...parts, setSource, slates, asked, runSource, heardFirst };
  });
  return { clock, network, states, owners, stored, nodes };
}

const STORED = {
  ...{ channelId: ID, revision: 3, holdSeconds: 0, latency: "efficient", freeze: FREEZE_TIMES, targets: [] },
  state: "live",
} as unknown as Channel;

/** Lets promises settle that wait for nothing but each other. */
const settled = async () => {
  for (let turn = 0; turn < 500; turn += 1) await Promise.resolve();
};

test("a node that says for the first time that it lives is told once", () => {
  const { clock, nodes } = cluster(3);
  clock.advance(20_000);
  expect(nodes.map(({ heardFirst }) => heardFirst.toSorted())).toEqual([
    [2, 3],
    [1, 3],
    [1, 2],
  ]);
});

test("a change is told at once, and those that follow within 5 ms are told together", () => {
  const { clock, nodes } = cluster(2);
  const [first, second] = nodes;
  first?.goOnAir(ID, 4);
  const shows = () => second?.cluster.runtime.live(ID)?.targets.get(5)?.status.status;
  const change = (status: "PUBLISHING" | "READY") => {
    first?.own.status(ID, 5, { status, sinceTime: 10 });
    first?.cluster.feed.changed(ID);
  };
  change("READY");
  clock.advance(1);
  expect(shows()).toBe("READY");
  change("PUBLISHING");
  clock.advance(4);
  change("READY");
  expect(shows()).toBe("READY");
  change("PUBLISHING");
  clock.advance(1);
  expect(shows()).toBe("PUBLISHING");
});

test("every node shows a channel that one of them owns, until its owner releases it", async () => {
  const { clock, nodes } = cluster(3);
  const [first, second, third] = nodes;
  first?.goOnAir(ID, 4);
  await settled();
  for (const node of [second, third]) {
    const live = node?.cluster.runtime.live(ID);
    expect(live).toMatchObject({ isPublishing: true, startTime: 7, owner: { state: "SERVING", ageMs: 0 } });
    expect(live?.targets.get(5)?.status).toEqual({ status: "PUBLISHING", sinceTime: 9 });
    expect(node?.cluster.runtime.publishingChannels()).toEqual([ID]);
    expect(node?.changed).toContain(ID);
    expect(node?.cluster.ingestChecks.state(ID)).toBe("done");
  }
  first?.own.leave(ID, 8);
  first?.cluster.feed.changed(ID);
  clock.advance(GATHER_MS);
  expect(third?.cluster.runtime.live(ID)?.isPublishing).toBe(false);
  first?.owned.delete(ID);
  first?.cluster.feed.changed(ID, 4);
  clock.advance(GATHER_MS);
  expect([first, second, third].map((node) => node?.cluster.runtime.live(ID))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("a node that starts later, or that missed a message, reads everything again, also in parts", async () => {
  const { clock, network, nodes } = cluster(2);
  const [first, second] = nodes;
  // More than fits into one message.
  const ids = Array.from({ length: 400 }, (_, index) => `ls-${index}`);
  network.isLost = (subject) => subject.endsWith(".state");
  for (const id of ids) first?.goOnAir(id, 1);
  expect(second?.cluster.runtime.publishingChannels()).toEqual([]);
  network.isLost = () => false;
  await settled();
  clock.advance(2_000);
  await settled();
  expect(second?.cluster.runtime.publishingChannels().toSorted()).toEqual(ids.toSorted());
  // A release that is lost is noticed by the next heartbeat.
  network.isLost = (subject) => subject.endsWith(".state");
  first?.owned.delete("ls-7");
  first?.cluster.feed.changed("ls-7", 1);
  clock.advance(GATHER_MS);
  network.isLost = () => false;
  clock.advance(2_000);
  await settled();
  expect(second?.cluster.runtime.live("ls-7")).toBeUndefined();
  expect(second?.cluster.runtime.publishingChannels()).toHaveLength(399);
});

test("a channel that is too long for one message is told without its counters, and with the begin of its sentences", async () => {
  const { clock, nodes } = cluster(2);
  const [first, second] = nodes;
  const targetIds = Array.from({ length: 100 }, (_, index) => 1_000 + index);
  const counters = { bytesPerSecond: 750_000, bytesTotal: 98_765_432_109, playMs: 86_400_000, unackedBytes: 100_000 };
  const byLength = TARGET_ERROR_NAMES.map((name) => targetError(name)).toSorted(
    (left, right) => right.messageKo.length - left.messageKo.length,
  );
  const [longest = targetError("connection-failed")] = byLength;
  const fail = (message: string) => {
    for (const targetId of targetIds) {
      const lastError = { ...longest, message, time: 1_800_000_000_000 };
      first?.own.status(ID, targetId, { status: "FAIL", sinceTime: 1_800_000_000_000, lastError, retryAttempt: 5 });
    }
    first?.view.samples([
      channelSample(
        ID,
        targetIds.map((targetId) => targetSample(targetId, counters)),
      ),
    ]);
    first?.cluster.feed.changed(ID);
    clock.advance(GATHER_MS);
  };
  const shown = (targetId: number) => second?.cluster.runtime.live(ID)?.targets.get(targetId);
  first?.goOnAir(ID, 4);
  for (const message of [longest.message, "x".repeat(1_000)]) {
    fail(message);
    for (const targetId of targetIds) {
      const { lastError } = shown(targetId)?.status ?? {};
      expect(lastError).toMatchObject({ code: longest.code, message: `${message.slice(0, 79)}…` });
    }
  }
  // A node that starts now reads it too, with those behind it.
  first?.goOnAir("ls-behind", 1);
  first?.goOnAir("ls-0-before", 1);
  const late = second?.cluster.others;
  second?.bus.publish("node.1.state", { no: 900, channels: [] });
  await settled();
  clock.advance(2_000);
  await settled();
  expect(late?.publishingChannels().toSorted()).toEqual([ID, "ls-behind", "ls-0-before"].toSorted());
  expect(shown(1_099)?.status.status).toBe("FAIL");
});

test("the newest ownership counts, whoever tells last", async () => {
  const { nodes } = cluster(3);
  const [first, second, third] = nodes;
  first?.goOnAir(ID, 4);
  second?.goOnAir(ID, 5);
  first?.cluster.feed.changed(ID);
  await settled();
  expect(third?.cluster.others.ownerOf(ID)).toEqual({ incarnation: 2, epoch: 5 });
});

test("an event that one node stored reaches each other node once", () => {
  const { nodes } = cluster(3);
  const event: ChannelEvent = {
    eventId: 1,
    channelId: ID,
    code: "PUBLISH_START",
    level: "INFO",
    time: 5,
    description: "",
  };
  nodes[0]?.cluster.hints.eventStored(event);
  expect(nodes.map(({ events }) => events)).toEqual([[], [event], [event]]);
});

test("encoders that one node rejected reach each other node, without what that does not understand", () => {
  const { network, nodes } = cluster(3);
  const attempt: RefusedEncoder = {
    ...{ remoteAddress: "192.0.2.1", reason: "unknown-key", firstTime: 5, lastTime: 6, count: 2 },
  };
  const ofChannel: RefusedEncoder = { ...attempt, reason: "auth-failed", channelId: ID };
  nodes[0]?.cluster.hints.refused([attempt, ofChannel]);
  expect(nodes.map(({ refusals }) => refusals)).toEqual([[], [attempt, ofChannel], [attempt, ofChannel]]);
  for (const attempts of [
    ["text", null, { ...attempt, reason: "bad-weather" }, { ...attempt, count: 0 }, { ...attempt, colour: "red" }],
    Array.from({ length: 200 }, () => attempt),
    "none",
  ])
    network.send("hint.refusals", { attempts });
  expect(nodes[0]?.refusals).toEqual(Array.from({ length: 101 }, () => attempt));
});

test("a silent owner is told as such with the age of what is known, and a lost one is off air", async () => {
  const { clock, states, nodes } = cluster(2);
  const [first, second] = nodes;
  first?.goOnAir(ID, 4);
  await settled();
  if (first !== undefined) first.bus.isConnected = false;
  clock.advance(7_000);
  expect(second?.cluster.runtime.live(ID)).toMatchObject({ isPublishing: true, owner: { state: "SILENT" } });
  const ageMs = second?.cluster.runtime.live(ID)?.owner?.ageMs ?? 0;
  expect(ageMs).toBeGreaterThanOrEqual(7_000);
  expect(ageMs).toBeLessThanOrEqual(7_000 + 2_000);

  states.set(1, "lost");
  second?.changed.splice(0);
  clock.advance(1_000);
  const lost = second?.cluster.runtime.live(ID);
  expect(lost).toMatchObject({ isPublishing: false, owner: { state: "LOST" } });
  expect(lost?.targets.get(5)?.status).toEqual({
    ...{ status: "READY", sinceTime: 9, lastError: { ...targetError("node-lost"), time: 9 } },
  });
  expect(second?.cluster.runtime.publishingChannels()).toEqual([]);
  expect(second?.changed).toEqual([ID]);
  clock.advance(700_000);
  expect(second?.cluster.runtime.live(ID)).toBeUndefined();
});

test("a node that left, and that no list has any more, is forgotten; its age is that of no living node", async () => {
  const { clock, nodes } = cluster(2);
  const [first, second] = nodes;
  first?.goOnAir(ID, 4);
  await settled();
  if (first !== undefined) first.bus.isConnected = false;
  clock.advance(29_000);
  expect(second?.cluster.runtime.live(ID)?.owner?.state).toBe("SILENT");
  expect(second?.cluster.others.ageMs()).toBeGreaterThanOrEqual(28_000);
  clock.advance(3_000);
  expect(second?.cluster.runtime.live(ID)?.owner?.state).toBe("LOST");
  expect(second?.cluster.others.ageMs()).toBe(0);
  clock.advance(602_000);
  expect(second?.cluster.others.nodes()).toEqual([]);
});

test("a node that comes back serves again", async () => {
  const { clock, nodes } = cluster(2);
  const [first, second] = nodes;
  first?.goOnAir(ID, 4);
  await settled();
  if (first !== undefined) first.bus.isConnected = false;
  clock.advance(10_000);
  if (first !== undefined) first.bus.isConnected = true;
  clock.advance(2_000);
  await settled();
  const owner = second?.cluster.runtime.live(ID)?.owner;
  expect(owner?.state).toBe("SERVING");
  expect(owner?.ageMs).toBeLessThan(2_000);
});

test("commands are done by the owner, once, and its absence is told", async () => {
  const { network, owners, nodes } = cluster(3);
  const [first, second, third] = nodes;
  first?.goOnAir(ID, 4);
  await settled();
  await second?.cluster.runtime.retryTarget(ID, 5);
  await third?.cluster.runtime.disconnectPublisher(ID, "backup");
  await third?.cluster.runtime.changeHold(ID, "extend");
  await second?.cluster.runtime.end(ID);
  expect(first?.own).toMatchObject({ retried: [[ID, 5]], cut: [[ID, "backup"]], holdChanges: ["extend"], ended: [ID] });
  expect(second?.own.ended).toEqual([]);

  const repeated = { op: "command", requestId: "r", do: "end", channelId: ID };
  await second?.bus.request("node.1.rpc", repeated);
  await second?.bus.request("node.1.rpc", repeated);
  expect(first?.own.ended).toEqual([ID, ID]);

  // The channel moved, and the node that asks has not heard of it.
  first?.owned.delete(ID);
  third?.owned.set(ID, 5);
  owners.set(ID, 3);
  await second?.cluster.runtime.end(ID);
  expect(third?.own.ended).toEqual([ID]);
  owners.set(ID, 1);
  await expect(second?.cluster.runtime.end(ID)).rejects.toThrow(OwnerUnavailableError);
  network.isLost = () => true;
  await expect(second?.cluster.runtime.end(ID)).rejects.toThrow("the node 1 does not respond: timed-out");
});

test("a test pattern of a channel that another node owns begins there", async () => {
  const { stored, nodes } = cluster(2);
  const [first, second] = nodes;
  const spec = channelSpec(STORED);
  stored.set(ID, STORED);
  first?.goOnAir(ID, 4);
  await settled();
  const read = async () => spec;
  expect(await second?.cluster.runtime.startTestPattern(ID, read, { endTime: 90, forMs: 10 })).toBe("started");
  expect(first?.own.testPatterns).toEqual([[spec, 10]]);
  // Without an owner it runs where it was asked for.
  expect(await second?.cluster.runtime.startTestPattern("ls-2", read, { endTime: 90, forMs: 10 })).toBe("started");
  expect(second?.own.testPatterns).toHaveLength(1);
});

test("a test pattern for chosen targets is not sent to others because another node begins it", async () => {
  const { stored, nodes } = cluster(2);
  const [first, second] = nodes;
  const spec = channelSpec(STORED);
  stored.set(ID, STORED);
  first?.goOnAir(ID, 4);
  await settled();
  const how = { endTime: 90, forMs: 10, targetIds: [5, 6] };
  expect(await second?.cluster.runtime.startTestPattern(ID, async () => spec, how)).toBe("started");
  expect(first?.own.testPatterns).toEqual([[spec, 10, [5, 6]]]);
});

test("a command for a channel of a lost node is done where it was given: nothing of it runs anywhere", async () => {
  const { clock, states, nodes } = cluster(2);
  const [first, second] = nodes;
  first?.goOnAir(ID, 4);
  await settled();
  if (first !== undefined) first.bus.isConnected = false;
  clock.advance(7_000);
  // It may go on.
  await expect(second?.cluster.runtime.end(ID)).rejects.toThrow(OwnerUnavailableError);
  states.set(1, "lost");
  await second?.cluster.runtime.end(ID);
  expect(second?.own.ended).toEqual([ID]);
});

const FAILED: SourceStatus = {
  ...{ state: "failed", sinceTime: 5 },
  link: {
    ...{ status: "FAIL", sinceTime: 5, retryAttempt: 2, nextRetryTime: 9, isUnstable: false },
    lastError: { ...targetError("connection-refused"), time: 5 },
  },
};

test("every node knows what the source of a channel does, also of a channel that none owns, until its node says more", async () => {
  const { clock, network, nodes } = cluster(3);
  const [first, second, third] = nodes;
  first?.setSource(ID, FAILED);
  await settled();
  for (const node of [second, third]) {
    expect(node?.cluster.others.source(ID)).toEqual({ node: 1, status: FAILED });
    expect(node?.cluster.runtime.live(ID)).toBeUndefined();
    expect(node?.changed).toContain(ID);
  }
  // It is on air with it, then released with it.
  first?.goOnAir(ID, 4);
  expect(second?.cluster.others.source(ID)).toEqual({ node: 1, status: FAILED });
  expect(second?.cluster.runtime.live(ID)?.isPublishing).toBe(true);
  first?.owned.delete(ID);
  first?.cluster.feed.changed(ID, 4);
  clock.advance(GATHER_MS);
  expect(second?.cluster.runtime.live(ID)).toBeUndefined();
  expect(second?.cluster.others.source(ID)).toEqual({ node: 1, status: FAILED });
  // A source that runs counts more than one that stopped later.
  third?.setSource(ID, { state: "stopped", sinceTime: 99, reason: "elsewhere" });
  expect(second?.cluster.others.source(ID)?.node).toBe(1);
  first?.setSource(ID, { state: "stopped", sinceTime: 6, reason: "stopped-by-person" });
  expect(second?.cluster.others.source(ID)?.node).toBe(3);
  for (const node of [first, third]) node?.setSource(ID, undefined);
  expect(second?.cluster.others.source(ID)).toBeUndefined();
  // One that missed everything reads it.
  network.isLost = (subject) => subject.endsWith(".state");
  first?.setSource(ID, FAILED);
  network.isLost = () => false;
  clock.advance(2_000);
  await settled();
  expect(second?.cluster.others.source(ID)?.status).toEqual(FAILED);
  // A silent node says nothing any more.
  if (first !== undefined) first.bus.isConnected = false;
  clock.advance(7_000);
  expect(second?.cluster.others.source(ID)).toBeUndefined();
});

test("what FFmpeg says is told shortened, and a source that is none is ignored", async () => {
  const { network, nodes } = cluster(2);
  const [first, second] = nodes;
  const detail = "x".repeat(5_000);
  first?.setSource(ID, { state: "stopped", sinceTime: 5, reason: "not-playable", detail });
  await settled();
  expect(second?.cluster.others.source(ID)?.status).toMatchObject({ detail: "x".repeat(1_000) });
  first?.setSource(ID, { state: "failed", sinceTime: 6, reason: "files-away", detail });
  await settled();
  expect(second?.cluster.others.source(ID)?.status).toEqual({
    ...{ state: "failed", sinceTime: 6, reason: "files-away", detail: "x".repeat(1_000) },
  });
  const wrong = [
    { state: "failed", sinceTime: 5 },
    { state: "stopped" },
    { state: "stopped", sinceTime: 1, reason: detail },
  ];
  network.send("node.9.state", {
    no: 1,
    channels: [...wrong.map((source, no) => ({ channelId: `ls-${no}`, epoch: 0, source }))],
  });
  expect(wrong.map((_, no) => second?.cluster.others.source(`ls-${no}`))).toEqual([undefined, undefined, undefined]);
});

test("a source and a slate in words of a newer node are left out, and the rest of the channel counts", async () => {
  const { network, nodes } = cluster(1);
  const [first] = nodes;
  const channel = { channelId: ID, epoch: 1, live: { isPublishing: true, targets: [] } };
  const news = { source: { state: "rewinding", sinceTime: 5 }, slate: { at: "unfit", why: "mood" } };
  network.send("node.9.state", { no: 1, channels: [{ ...channel, ...news }] });
  await settled();
  expect(first?.cluster.runtime.live(ID)?.isPublishing).toBe(true);
  expect([first?.cluster.others.source(ID), first?.cluster.others.slate(ID)]).toEqual([undefined, undefined]);
});

test("the slate of a channel is as its owner says", async () => {
  const { nodes } = cluster(2);
  const [first, second] = nodes;
  first?.slates.set(ID, { at: "other-codec", codecs: "hevc" });
  first?.goOnAir(ID, 4);
  await settled();
  expect(second?.cluster.sourcePeers.slate(ID)).toEqual({ at: "other-codec", codecs: "hevc" });
  expect(first?.cluster.sourcePeers.slate(ID)).toBeUndefined();
  expect([first, second].map((node) => node?.cluster.sourcePeers.owner(ID))).toEqual([undefined, 1]);
});

test("a node asks another one to start a source, and gets its reasons against it", async () => {
  const { network, nodes } = cluster(2);
  const [first, second] = nodes;
  const ask = () => second?.cluster.sourcePeers.ask(1, ID, "start");
  expect(await ask()).toBe(true);
  expect(first?.asked).toEqual([[ID, "start"]]);
  if (first === undefined) throw new Error("no node");
  first.runSource.now = async () => false;
  expect(await ask()).toBe(false);
  first.runSource.now = () => Promise.reject(new DomainError({ kind: "source-encoder-on-air" }));
  await expect(ask()).rejects.toEqual(new DomainError({ kind: "source-encoder-on-air" }));
  network.isLost = () => true;
  await expect(ask()).rejects.toThrow(OwnerUnavailableError);
  network.isLost = () => false;
  // A program that does not know the command.
  const unknown = { op: "source", channelId: ID, do: "dance" };
  expect(await second?.bus.request("node.1.rpc", unknown)).toMatchObject({ message: { isUnknown: true } });
});

test("a change that another node stored is read and applied by the owner alone", async () => {
  const { stored, nodes } = cluster(3);
  const [first, second, third] = nodes;
  first?.owned.set(ID, 4);
  const spec = channelSpec(STORED);
  stored.set(ID, STORED);
  const changed = { kind: "channel-changed", time: 1, channelId: ID, channelName: "c" } as const;
  second?.cluster.fact({ ...changed, change: "target-added" });
  await settled();
  expect(first?.own.applied).toEqual([spec]);
  expect([second, third].map((node) => node?.own.applied)).toEqual([[], []]);
  expect([first, second, third].map((node) => node?.read)).toEqual([[ID], [], []]);
  second?.cluster.fact({ ...changed, change: "deleted" });
  await settled();
  expect(first?.own.removed).toEqual([ID]);
  for (const node of [first, third]) {
    expect(node?.hints).toEqual([{ channelId: ID }, { channelId: ID, isDeleted: true }]);
  }
});

test("a channel that another node turned off ends at its owner, which no other question reaches; one that is gone is forgotten", async () => {
  const { stored, nodes } = cluster(2);
  const [first, second] = nodes;
  first?.owned.set(ID, 4);
  const changed = { kind: "channel-changed", time: 1, channelId: ID, channelName: "c" } as const;
  stored.set(ID, { ...STORED, state: "blocked" });
  second?.cluster.fact({ ...changed, change: "blocked" });
  await settled();
  expect([first?.own.applied, first?.own.ended]).toEqual([[channelSpec(STORED)], [ID]]);
  // It was deleted behind the change that this hint tells of.
  stored.delete(ID);
  second?.cluster.fact({ ...changed, change: "renamed" });
  await settled();
  expect(first?.own.removed).toEqual([ID]);
});

test("what was only asked of the owner is no change that other nodes read", async () => {
  const { nodes } = cluster(2);
  const [first, second] = nodes;
  first?.owned.set(ID, 4);
  const changed = { kind: "channel-changed", time: 1, channelId: ID, channelName: "c" } as const;
  for (const change of ["end-requested", "hold-extended", "target-tested"] as const) {
    second?.cluster.fact({ ...changed, change });
  }
  await settled();
  expect([first?.hints, first?.read]).toEqual([[], []]);
});

test("counters are asked for where nobody follows them, and followed for a minute after that", async () => {
  const { clock, nodes } = cluster(2);
  const [first, second] = nodes;
  first?.goOnAir(ID, 4);
  await settled();
  first?.view.samples([channelSample(ID, [])]);
  clock.advance(1_000);
  expect(second?.sampled).toEqual([]);
  second?.changed.splice(0);
  await second?.cluster.runtime.freshen([ID, "ls-unknown"]);
  expect(second?.cluster.runtime.live(ID)?.ingest?.bytesPerSecond).toBe(first?.view.live(ID)?.ingest?.bytesPerSecond);
  expect([second?.changed, second?.sampled]).toEqual([[], []]);
  clock.advance(5_000);
  expect(second?.sampled).toHaveLength(5);
  clock.advance(60_000);
  const count = second?.sampled.length;
  clock.advance(10_000);
  expect(second?.sampled).toHaveLength(count ?? 0);
});

test("all channels that somebody asks for are freshened, also where one reply has no room for them", async () => {
  const { nodes } = cluster(2);
  const [first, second] = nodes;
  const ids = Array.from({ length: 100 }, (_, index) => `ls-20260102030405-${10_000 + index}`);
  const targetIds = Array.from({ length: 10 }, (_, index) => index);
  for (const channelId of ids) first?.goOnAir(channelId, 1);
  const samples = ids.map((channelId, index) => {
    const { ingest } = channelSample(channelId, []);
    const counters = { bytesPerSecond: 750_000, bytesTotal: 98_765_432_109, playMs: 86_400_000 };
    const targets = targetIds.map((targetId) => targetSample(targetId, counters));
    return { channelId, ingest: { ...ingest, bytesPerSecond: index + 1 }, targets };
  });
  for (const { channelId } of samples)
    for (const targetId of targetIds) first?.own.status(channelId, targetId, { status: "PUBLISHING", sinceTime: 9 });
  first?.view.samples(samples);
  const shown = () => ids.map((channelId) => second?.cluster.runtime.live(channelId)?.ingest?.bytesPerSecond ?? 0);
  expect(Math.max(...shown())).toBe(0);
  await second?.cluster.runtime.freshen(ids);
  expect(shown()).toEqual(samples.map(({ ingest }) => ingest.bytesPerSecond));
});

test("a node that answers with other channels than it was asked for is asked once", async () => {
  const { network, nodes } = cluster(2);
  const [first, second] = nodes;
  first?.goOnAir(ID, 1);
  let count = 0;
  const answer = async () => {
    count += 1;
    return { channels: [{ channelId: "ls-other", epoch: 1 }] };
  };
  network.servers.set("node.1.rpc", { bus: network.newBus(), answer });
  await second?.cluster.runtime.freshen([ID]);
  expect(count).toBe(1);
});

test("what is no state of a node is ignored, and unknown fields are too", async () => {
  const { network, nodes } = cluster(1);
  const [first] = nodes;
  const target = { targetId: 5, status: { status: "PUBLISHING", sinceTime: 9, mood: "good" } };
  const right = { channelId: ID, epoch: 1, live: { isPublishing: true, targets: [target], colour: "red" } };
  network.send("node.x.state", { no: 1, channels: [right] });
  network.send("node.9.state", { no: "1", channels: [right] });
  network.send("node.9.state", { no: 1, channels: "none" });
  network.send("node.9.state", {
    no: 2,
    channels: [
      { ...right, epoch: -1 },
      { ...right, channelId: "x".repeat(65) },
      { ...right, live: { isPublishing: "yes", targets: [] } },
      { ...right, live: { isPublishing: true, targets: [{ ...target, status: "PUBLISHING" }] } },
      { ...right, live: { isPublishing: true, targets: Array.from({ length: 201 }, () => target) } },
      null,
    ],
  });
  network.send("node.9.hb", { state: "dancing" });
  network.send("hint.channel", { channelId: 7 });
  await settled();
  expect(first?.cluster.runtime.live(ID)).toBeUndefined();
  expect(first?.cluster.others.nodes()).toEqual([]);
  expect(first?.hints).toEqual([]);
  network.send("node.9.state", { no: 3, channels: [right] });
  expect(first?.cluster.runtime.live(ID)?.targets.get(5)?.status.status).toBe("PUBLISHING");
});

test("the keyframe of a channel is its owner's", async () => {
  const { nodes } = cluster(2);
  const [a, b] = nodes;
  a?.goOnAir("ls-1", 1);
  // What the fakes find: `none` here, `too-large` elsewhere.
  expect(await a?.cluster.runtime.keyframe("ls-1")).toEqual({ found: "none" });
  expect(await b?.cluster.runtime.keyframe("ls-1")).toEqual({ found: "too-large" });
  expect(await b?.cluster.runtime.keyframe("ls-2")).toEqual({ found: "none" });
});
