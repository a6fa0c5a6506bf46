import { expect, test } from "vitest";
import { gatewayTo, type PublishGateway } from "../../src/relay/publish-gateway.ts";
import { FailoverGateway } from "../../src/remote-publish/failover-gateway.ts";
import { RemotePublishers } from "../../src/remote-publish/remote-publisher.ts";
import { RemotePublisherHost } from "../../src/remote-publish/remote-publisher-host.ts";
import type { LinkSilence } from "../../src/thread-protocol/admission.ts";
import type { FromEncoder, ToEncoder } from "../../src/thread-protocol/remote-publish.ts";
import { ManualTransport } from "../support/stages/manual-transport.ts";
import { mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { AVC_CONFIG, avcFrame, video } from "../support/streams/media-messages.ts";

/** An encoder comes to one node whose channel another node owns: first `owner`, after its death the node `next`. */
async function admitted() {
  const [owner, next] = [new RelayStage(60), new RelayStage(60)];
  const { clock } = next;
  const transport = new ManualTransport<FromEncoder, ToEncoder>();
  owner.engine.introduce(owner.spec([target(1)]));
  const host = new RemotePublisherHost({ clock, engine: owner.engine });
  host.take(owner.spec([target(1)]), "main", transport.far);
  const nothing = () => undefined;
  const publishers = new RemotePublishers({ clock, afterReads: (run) => run(), onWait: nothing, onCount: nothing });
  const events = { dismissals: 0, failovers: 0, asked: 0 };
  const overs = { count: 0 };
  const world: { ways: (PublishGateway | undefined)[]; silences: (LinkSilence | undefined)[] } = {
    ways: [],
    silences: [],
  };
  const again = async (silence?: LinkSilence) => {
    events.asked += 1;
    world.silences.push(silence);
    const gateway = world.ways.shift();
    return gateway === undefined ? undefined : { gateway };
  };
  const first = publishers.to({ channelId: "ls-1", latency: "efficient" }, transport.near);
  const onFailover = () => (events.failovers += 1);
  const gateway = new FailoverGateway(
    { gateway: first, epoch: 7 },
    {
      clock,
      again,
      areMovesExpected: () => false,
      isMoving: () => false,
      onFailover,
      onOver: () => (overs.count += 1),
    },
  );
  const tried = gateway.tryAdmit();
  await transport.settle();
  expect(await tried).toBe("admitted");
  const open = () =>
    gateway.open({
      ...{ slot: "main", remoteAddress: "192.0.2.7", encoder: "OBS", onRoom: nothing },
      onDismissed: () => (events.dismissals += 1),
    });
  const wayToNext = gatewayTo(next.engine, next.spec([target(1)]), "main");
  const die = async () => {
    transport.far.close();
    await transport.settle();
  };
  return { owner, next, clock, host, open, overs, events, world, wayToNext, transport, gateway, die };
}

/** The same, and it publishes. */
async function publish() {
  const stage = await admitted();
  const publisher = stage.open();
  if (publisher === undefined) throw new Error("no publisher");
  return { ...stage, publisher };
}

test("when the owner dies the stream goes on at this node from its last keyframe, and the encoder stays connected", async () => {
  const { next, clock, publisher, events, world, wayToNext, die } = await publish();
  const sent = [avcFrame(true, 1), avcFrame(false, 2), avcFrame(true, 3), avcFrame(false, 4)];
  publisher.push(video(0, AVC_CONFIG));
  for (const [at, frame] of sent.entries()) {
    publisher.push(video(40 * at, frame));
    // By then the owner has sent the first group.
    clock.advance(251);
  }
  world.ways = [undefined, wayToNext];
  await die();
  // Between the two: kept too.
  publisher.push(video(160, avcFrame(false, 5)));
  clock.advance(50);
  await new Promise(setImmediate);
  next.dialer.latest(1).accept();
  publisher.push(video(200, avcFrame(false, 6)));
  next.engine.flush();
  expect(mediaOf(next.dialer.latest(1)).map(({ payload }) => payload)).toEqual([
    AVC_CONFIG,
    ...[avcFrame(true, 3), avcFrame(false, 4), avcFrame(false, 5), avcFrame(false, 6)],
  ]);
  expect(events).toEqual({ dismissals: 0, failovers: 1, asked: 2 });
});

test("a keyframe that comes while a target is dialled anew costs it nothing of what came before", async () => {
  const { next, clock, publisher, world, wayToNext, die } = await publish();
  const before = [avcFrame(true, 1), avcFrame(false, 2)];
  const behind = [avcFrame(true, 3), avcFrame(false, 4)];
  publisher.push(video(0, AVC_CONFIG));
  for (const [at, frame] of before.entries()) publisher.push(video(40 * at, frame));
  world.ways = [wayToNext];
  await die();
  for (const [at, frame] of behind.entries()) publisher.push(video(80 + 40 * at, frame));
  clock.advance(100);
  next.dialer.latest(1).accept();
  next.engine.flush();
  expect(mediaOf(next.dialer.latest(1)).map(({ payload }) => payload)).toEqual([AVC_CONFIG, ...before, ...behind]);
});

test("a keyframe that is too old is not sent again: the stream begins with the next one", async () => {
  const { next, clock, publisher, world, wayToNext, die } = await publish();
  publisher.push(video(0, AVC_CONFIG));
  publisher.push(video(0, avcFrame(true, 1)));
  clock.advance(2_001);
  publisher.push(video(2_001, avcFrame(false, 2)));
  world.ways = [wayToNext];
  await die();
  publisher.push(video(2_040, avcFrame(false, 3)));
  publisher.push(video(2_080, avcFrame(true, 4)));
  next.dialer.latest(1).accept();
  next.engine.flush();
  expect(mediaOf(next.dialer.latest(1)).map(({ payload }) => payload)).toEqual([AVC_CONFIG, avcFrame(true, 4)]);
});

test("when its owner gives a channel away, encoders of that node and of others stay connected and go on at the next one", async () => {
  const remote = await publish();
  remote.world.ways = [remote.wayToNext];
  remote.host.letGo("ls-1");
  remote.owner.engine.leave("ls-1");
  await remote.transport.settle();
  expect(remote.events).toEqual({ dismissals: 0, failovers: 1, asked: 1 });

  const [owner, next] = [new RelayStage(60), new RelayStage(60)];
  const events = { dismissals: 0, failovers: 0 };
  const moving = new Set<string>();
  let areMovesExpected = false;
  owner.engine.introduce(owner.spec([target(1)]));
  const first = gatewayTo(owner.engine, owner.spec([target(1)]), "main");
  const gateway = new FailoverGateway(
    { gateway: first },
    {
      clock: next.clock,
      again: async () => ({ gateway: gatewayTo(next.engine, next.spec([target(1)]), "main") }),
      areMovesExpected: () => areMovesExpected,
      isMoving: () => moving.has("ls-1"),
      onFailover: () => (events.failovers += 1),
    },
  );
  expect(await gateway.tryAdmit()).toBe("admitted");
  const publisher = gateway.open({
    ...{ slot: "main", remoteAddress: "192.0.2.7", encoder: "OBS", onRoom: () => undefined },
    onDismissed: () => (events.dismissals += 1),
  });
  publisher?.push(video(0, AVC_CONFIG));
  publisher?.push(video(0, avcFrame(true, 1)));
  owner.dialer.latest(1).accept();
  areMovesExpected = true;
  const frames = [avcFrame(false, 2), avcFrame(true, 3), avcFrame(false, 4)];
  for (const [at, frame] of frames.entries()) publisher?.push(video(40 * (at + 1), frame));
  moving.add("ls-1");
  owner.engine.leave("ls-1");
  moving.delete("ls-1");
  // It was the last channel that moves, and the encoder has no new way yet.
  areMovesExpected = false;
  publisher?.push(video(160, avcFrame(false, 5)));
  await new Promise(setImmediate);
  publisher?.push(video(200, avcFrame(false, 6)));
  next.dialer.latest(1).accept();
  next.engine.flush();
  // Headers are kept always, frames from the first keyframe on since moves are expected.
  expect(mediaOf(next.dialer.latest(1)).map(({ payload }) => payload)).toEqual([
    AVC_CONFIG,
    ...[avcFrame(true, 3), avcFrame(false, 4), avcFrame(false, 5), avcFrame(false, 6)],
  ]);
  expect(events).toEqual({ dismissals: 0, failovers: 1 });
  // Another node took the channel without being given it: the encoder has to come again.
  next.engine.leave("ls-1");
  await new Promise(setImmediate);
  expect(events).toEqual({ dismissals: 1, failovers: 1 });
});

test("an encoder that the owner dropped is dismissed, and so is one whose channel no node takes", async () => {
  const dropped = await publish();
  await dropped.transport.settle();
  dropped.owner.engine.disconnectPublisher("ls-1", "main", dropped.owner.engine.lastIngestId);
  await dropped.transport.settle();
  expect(dropped.events).toEqual({ dismissals: 1, failovers: 0, asked: 0 });
  const alone = await publish();
  alone.publisher.push(video(0, AVC_CONFIG));
  await alone.die();
  for (const pauseMs of [50, 100, 200, 400, 400, 400, 400, 400, 400]) {
    expect(alone.events.dismissals).toBe(0);
    alone.clock.advance(pauseMs);
    await new Promise(setImmediate);
  }
  expect(alone.events).toEqual({ dismissals: 1, failovers: 0, asked: 10 });
});

test("an owner that ends just as an encoder comes is replaced by the next one, and the encoder waits for that", async () => {
  const { clock, next, start } = await arrive();
  const gateway = await start([undefined, gatewayTo(next.engine, next.spec([target(1)]), "main")]);
  const admitted = gateway.tryAdmit();
  for (let turn = 0; turn < 4; turn += 1) {
    await new Promise(setImmediate);
    clock.advance(50);
  }
  expect(await admitted).toBe("admitted");
  gateway.open({
    ...{ slot: "main", remoteAddress: "192.0.2.7", encoder: "OBS" },
    ...{ onRoom: () => undefined, onDismissed: () => undefined },
  });
  expect(next.facts.map(({ kind }) => kind)).toContain("ingest-started");
  // Where no node takes it, it has to come again.
  const nowhere = (await start([])).tryAdmit();
  for (let turn = 0; turn < 70; turn += 1) {
    await new Promise(setImmediate);
    clock.advance(50);
  }
  expect(await nowhere).toBe("unavailable");
});

/** A node to which an encoder comes whose channel's owner ends before it admits it. `start`: with these ways from then on. */
async function arrive() {
  const next = new RelayStage(60);
  const { clock } = next;
  const nothing = () => undefined;
  const publishers = new RemotePublishers({ clock, afterReads: (run) => run(), onWait: nothing, onCount: nothing });
  const start = async (ways: (PublishGateway | undefined)[], epoch?: number) => {
    const transport = new ManualTransport<FromEncoder, ToEncoder>();
    const gateway = publishers.to({ channelId: "ls-1", latency: "efficient" }, transport.near);
    transport.far.close();
    await transport.settle();
    const again = async () => {
      const way = ways.shift();
      return way === undefined ? undefined : { gateway: way, ...(epoch === undefined ? {} : { epoch }) };
    };
    const moves = { areMovesExpected: () => false, isMoving: () => false };
    return new FailoverGateway({ gateway, epoch: 7 }, { clock, again, ...moves, onFailover: nothing });
  };
  return { clock, next, start };
}

test("an owner that takes nothing is asked, and the encoder's way to it stays while it is the owner", async () => {
  const { clock, publisher, events, world, transport, gateway } = await publish();
  const frameAt = async (ms: number, isTaken: boolean) => {
    clock.advance(ms - clock.now());
    publisher.push(video(ms, avcFrame(false, ms % 250)));
    gateway.flush();
    if (isTaken) await transport.settle();
    else await new Promise(setImmediate);
  };
  const startMs = clock.now();
  for (let count = 1; count <= 50; count += 1) await frameAt(startMs + 40 * count, true);
  expect(events.asked).toBe(0);
  // Nothing crosses any more for two seconds.
  const silentMs = clock.now();
  for (let count = 1; count <= 50; count += 1) {
    await frameAt(silentMs + 40 * count, false);
    if (count === 4) expect(events.asked).toBe(0);
  }
  expect(world.silences).toEqual([160, 1_160].map((silentMs) => ({ epoch: 7, silentMs })));
  await transport.settle();
  const heardMs = clock.now();
  for (let count = 1; count <= 50; count += 1) await frameAt(heardMs + 40 * count, true);
  expect(events).toEqual({ dismissals: 0, failovers: 0, asked: 2 });
});

test("an owner that takes nothing, and is the owner no more, is left without a word", async () => {
  const { owner, next, clock, publisher, events, world, wayToNext, transport, gateway } = await publish();
  publisher.push(video(0, AVC_CONFIG));
  publisher.push(video(0, avcFrame(true, 1)));
  gateway.flush();
  world.ways = [wayToNext];
  for (let count = 0; count < 5; count += 1) clock.advance(50);
  publisher.push(video(250, avcFrame(false, 2)));
  await new Promise(setImmediate);
  next.dialer.latest(1).accept();
  publisher.push(video(290, avcFrame(false, 3)));
  gateway.flush();
  expect(mediaOf(next.dialer.latest(1)).map(({ payload }) => payload)).toEqual([
    AVC_CONFIG,
    ...[avcFrame(true, 1), avcFrame(false, 2), avcFrame(false, 3)],
  ]);
  // It hears that the way is closed, and not that the encoder ended its stream.
  await transport.settle();
  expect(owner.facts.flatMap((fact) => (fact.kind === "ingest-held" ? [fact.end] : []))).toEqual(["connection-lost"]);
  expect(events).toEqual({ dismissals: 0, failovers: 1, asked: 1 });
});

test("an encoder whose key is none any more is let go by its own node, whatever its owner knows", async () => {
  const { owner, publisher, events, transport, gateway } = await publish();
  publisher.push(video(0, AVC_CONFIG));
  publisher.push(video(0, avcFrame(true, 1)));
  gateway.flush();
  await transport.settle();
  gateway.revoke();
  await transport.settle();
  expect(events).toEqual({ dismissals: 1, failovers: 0, asked: 0 });
  const ends = owner.facts.flatMap((fact) => (fact.kind === "ingest-ended" ? [fact] : []));
  expect(ends).toMatchObject([{ end: "ended" }]);
  // Once, and what its connection says later goes nowhere.
  gateway.revoke();
  publisher.push(video(40, avcFrame(false, 2)));
  publisher.end("clean");
  expect(events.dismissals).toBe(1);
});

test("an encoder whose key ends before it publishes does not, whether its owner is there or looked for", async () => {
  const { open, events, overs, gateway } = await admitted();
  gateway.revoke();
  expect([open(), overs.count]).toEqual([undefined, 1]);
  gateway.leave();
  expect(events).toEqual({ dismissals: 0, failovers: 0, asked: 0 });
  const { next, start } = await arrive();
  const way = gatewayTo(next.engine, next.spec([target(1)]), "main");
  const last: PublishGateway = Object.create(way, {
    tryAdmit: {
      value: () => {
        searching.revoke();
        return way.tryAdmit();
      },
    },
  });
  const searching = await start([last], 8);
  expect(await searching.tryAdmit()).toBe("admitted");
  const arrival = { slot: "main", remoteAddress: "192.0.2.7", encoder: "OBS" } as const;
  const nothing = () => undefined;
  expect(searching.open({ ...arrival, onRoom: nothing, onDismissed: nothing })).toBeUndefined();
  expect(next.facts).toEqual([]);
});

test("where this node owns the channel its relay decides about a key that is none any more", async () => {
  const { next, events, gateway, publisher, world, wayToNext, die } = await publish();
  world.ways = [wayToNext];
  publisher.push(video(0, AVC_CONFIG));
  await die();
  gateway.revoke();
  publisher.push(video(40, avcFrame(true, 1)));
  expect(events).toEqual({ dismissals: 0, failovers: 1, asked: 1 });
  expect(next.facts.map(({ kind }) => kind)).toContain("publisher-active");
});

test("that an encoder is over is told once, however it ends", async () => {
  const left = await admitted();
  left.gateway.leave();
  const ended = await publish();
  ended.publisher.end("clean");
  const dropped = await publish();
  await dropped.transport.settle();
  dropped.owner.engine.disconnectPublisher("ls-1", "main", dropped.owner.engine.lastIngestId);
  await dropped.transport.settle();
  const revoked = await publish();
  revoked.gateway.revoke();
  revoked.gateway.revoke();
  expect([left, ended, dropped, revoked].map(({ overs }) => overs.count)).toEqual([1, 1, 1, 1]);
});
