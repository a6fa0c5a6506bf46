import { expect, test } from "vitest";
import type { PublishGateway } from "../../src/relay/publish-gateway.ts";
import type { PublisherHandle } from "../../src/relay/publisher/publisher.ts";
import { AHEAD_BYTES_MAX, RemotePublishers } from "../../src/remote-publish/remote-publisher.ts";
import { RemotePublisherHost } from "../../src/remote-publish/remote-publisher-host.ts";
import type { IngestSlot, Latency } from "../../src/thread-protocol/channel-spec.ts";
import type { FromEncoder, ToEncoder } from "../../src/thread-protocol/remote-publish.ts";
import { ManualTransport } from "../support/stages/manual-transport.ts";
import { mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { AVC_CONFIG, avcFrame, video } from "../support/streams/media-messages.ts";

const MIB = 1024 * 1024;

/** Two threads: one owns the channel `ls-1`, encoders connect to the other. */
class Threads {
  readonly home: RelayStage;
  readonly host: RemotePublisherHost;
  readonly publishers: RemotePublishers;
  /** Runs of `afterReads` that wait until the accepting thread has read. */
  readonly reads: (() => void)[] = [];
  waits = 0;

  constructor(holdSeconds = 0) {
    this.home = new RelayStage(holdSeconds);
    const { clock, engine } = this.home;
    this.host = new RemotePublisherHost({ clock, engine });
    this.publishers = new RemotePublishers({
      clock,
      afterReads: (run) => this.reads.push(run),
      onWait: () => {
        this.waits += 1;
      },
      onCount: () => undefined,
    });
  }

  /** An encoder that was admitted; the test controls its transport. */
  admit(slot: IngestSlot = "main", latency: Latency = "efficient") {
    const transport = new ManualTransport<FromEncoder, ToEncoder>();
    const spec = { ...this.home.spec([target(1)]), latency };
    this.home.engine.introduce(spec);
    this.host.take(spec, slot, transport.far);
    const gateway = this.publishers.to({ channelId: "ls-1", latency }, transport.near);
    return { transport, gateway };
  }

  /** … that has begun to publish, and has sent its headers and a keyframe. */
  async publish(slot: IngestSlot = "main") {
    const { transport, gateway } = this.admit(slot);
    const triedAdmit = gateway.tryAdmit();
    await transport.settle();
    expect(await triedAdmit).toBe("admitted");
    const events = { dismissals: 0, rooms: 0 };
    const publisher = open(gateway, slot, events);
    publisher.push(video(0, AVC_CONFIG));
    publisher.push(video(0, avcFrame(true, 1)));
    this.publishers.flush();
    await transport.settle();
    this.home.dialer.latest(1).accept();
    return { transport, gateway, publisher, events };
  }

  kinds(): string[] {
    return this.home.facts.filter(({ kind }) => kind.startsWith("ingest")).map(({ kind }) => kind);
  }
}

function open(gateway: PublishGateway, slot: IngestSlot, events = { dismissals: 0, rooms: 0 }): PublisherHandle {
  const publisher = gateway.open({
    ...{ slot, remoteAddress: "192.0.2.7", encoder: "OBS", keyRemoved: ["prefix"] },
    onDismissed: () => {
      events.dismissals += 1;
    },
    onRoom: () => {
      events.rooms += 1;
    },
  });
  if (publisher === undefined) throw new Error("no source");
  return publisher;
}

test("media of an encoder in one thread reaches the targets of the other, byte for byte and in order", async () => {
  const threads = new Threads();
  const { transport, publisher } = await threads.publish();
  expect(threads.home.facts[0]).toMatchObject({
    ...{ remoteAddress: "192.0.2.7", encoder: "OBS", slot: "main", keyRemoved: ["prefix"] },
  });
  const frames = Array.from({ length: 50 }, (_, at) => avcFrame(at % 10 === 0, at, 100 + 13 * at));
  for (const [at, frame] of frames.entries()) publisher.push(video(40 * at, frame));
  // Nothing leaves before the flush, and with it everything leaves at once.
  await transport.settle();
  const link = threads.home.dialer.latest(1);
  const before = link.writes.length;
  threads.publishers.flush();
  await transport.settle();
  // The begin of the stream is copied together with headers, up to 16 KiB; the rest is sent as it lies.
  expect(link.writes.length).toBe(before + 2);
  expect(mediaOf(link).map(({ payload }) => payload)).toEqual([AVC_CONFIG, avcFrame(true, 1), ...frames]);
});

test("no more than 16 MiB are ahead of the owning thread, and the encoder is read on when that has caught up", async () => {
  const threads = new Threads();
  const { transport, gateway, publisher, events } = await threads.publish();
  const give = (mib: number) => {
    for (let count = 0; count < mib; count += 1) publisher.push(video(1, avcFrame(true, 1, MIB)));
  };
  give(AHEAD_BYTES_MAX / MIB - 1);
  expect([gateway.isFull, threads.waits]).toEqual([false, 0]);
  give(2);
  expect([gateway.isFull, threads.waits, events.rooms]).toEqual([true, 1, 0]);
  await transport.settle();
  expect([gateway.isFull, threads.waits, events.rooms]).toEqual([false, 1, 1]);
  give(AHEAD_BYTES_MAX / MIB + 1);
  expect([gateway.isFull, threads.waits]).toEqual([true, 2]);
});

test("a clean end comes after all media", async () => {
  const threads = new Threads(60);
  const { transport, publisher, events } = await threads.publish();
  publisher.push(video(40, avcFrame(false, 2)));
  publisher.end("clean");
  publisher.push(video(80, avcFrame(false, 3)));
  await transport.settle();
  expect(mediaOf(threads.home.dialer.latest(1)).at(-1)?.payload).toEqual(avcFrame(false, 2));
  expect(threads.home.facts.at(-1)).toMatchObject({ kind: "ingest-ended", end: "clean", isBroadcastOver: true });
  expect(events.dismissals).toBe(0);
});

test("an encoder whose thread dies counts as lost, and its channel is held", async () => {
  const threads = new Threads(60);
  const { transport } = await threads.publish();
  transport.near.close();
  await transport.settle();
  expect(threads.home.facts.at(-2)).toMatchObject({ kind: "ingest-held", end: "connection-lost" });
});

test("an encoder is dismissed when another replaces it, and when its channel's thread dies", async () => {
  const threads = new Threads(60);
  const first = await threads.publish();
  const second = await threads.publish();
  await first.transport.settle();
  expect([first.events.dismissals, second.events.dismissals]).toEqual([1, 0]);
  second.transport.far.close();
  await second.transport.settle();
  expect(second.events.dismissals).toBe(1);
});

test("a fourth takeover is refused, and a thread that is gone or silent gives no verdict", async () => {
  const threads = new Threads(60);
  for (let count = 0; count < 4; count += 1) await threads.publish();
  const fight = threads.admit();
  await fight.transport.settle();
  expect(await fight.gateway.tryAdmit()).toBe("fight");
  const gone = threads.admit("backup");
  gone.transport.far.close();
  await gone.transport.settle();
  expect(await gone.gateway.tryAdmit()).toBe("unavailable");
  const silent = threads.admit("backup").gateway.tryAdmit();
  threads.home.clock.advance(5_000);
  expect(await silent).toBe("unavailable");
});

test("an encoder that was admitted before its key changed, and opens afterwards, is dismissed", async () => {
  const threads = new Threads(60);
  const { transport, gateway } = threads.admit();
  await transport.settle();
  expect(await gateway.tryAdmit()).toBe("admitted");
  threads.host.dismissWaiting("ls-1", "backup");
  const events = { dismissals: 0, rooms: 0 };
  open(gateway, "main", events);
  threads.host.dismissWaiting("ls-1", "main");
  await transport.settle();
  expect([threads.kinds(), events.dismissals]).toEqual([[], 1]);
});

test("what an encoder sent before it is cut is read first, unless its thread is too busy", async () => {
  const threads = new Threads(60);
  const cut = { count: 0 };
  const cutSoon = () => threads.host.afterReads("ls-1", "main", () => (cut.count += 1));
  cutSoon();
  expect(cut.count).toBe(1);
  const { transport, publisher } = await threads.publish();
  cutSoon();
  await transport.settle();
  expect([cut.count, threads.reads.length]).toEqual([1, 1]);
  publisher.push(video(40, avcFrame(false, 2)));
  threads.reads.splice(0)[0]?.();
  await transport.settle();
  expect(cut.count).toBe(2);
  expect(mediaOf(threads.home.dialer.latest(1)).at(-1)?.payload).toEqual(avcFrame(false, 2));
  cutSoon();
  await transport.settle();
  threads.home.clock.advance(1_000);
  await transport.settle();
  expect(cut.count).toBe(3);
  // An encoder that leaves by itself meanwhile has sent everything.
  cutSoon();
  publisher.end("clean");
  await transport.settle();
  expect(cut.count).toBe(4);
});

test("a changed latency reaches the thread that reads the encoder", async () => {
  const threads = new Threads();
  const { transport, gateway } = await threads.publish();
  expect(gateway.latency).toBe("efficient");
  threads.home.engine.apply({ ...threads.home.spec([target(1)]), latency: "low" });
  threads.host.changed("ls-1");
  await transport.settle();
  expect(gateway.latency).toBe("low");
});

test("an encoder that gave up before it was admitted leaves nothing behind", async () => {
  const threads = new Threads(60);
  const { transport, gateway } = threads.admit();
  gateway.leave();
  await transport.settle();
  expect(await gateway.tryAdmit()).toBe("unavailable");
  expect(gateway.open({ ...NOBODY })).toBeUndefined();
  expect(threads.kinds()).toEqual([]);
});

const NOBODY = {
  ...({ slot: "main", remoteAddress: "", encoder: "" } as const),
  onDismissed: () => undefined,
  onRoom: () => undefined,
};

test("a fault while one encoder is admitted refuses that encoder, and the thread goes on", async () => {
  const stage = new RelayStage();
  const { clock } = stage;
  const broken = {
    introduce: () => undefined,
    admits: () => {
      throw new Error("damaged");
    },
    open: () => undefined,
    latency: () => "efficient" as const,
    flush: () => undefined,
    isOnAir: () => false,
  };
  const host = new RemotePublisherHost({ clock, engine: broken });
  const distant = new RemotePublishers({
    clock,
    afterReads: () => undefined,
    onWait: () => undefined,
    onCount: () => undefined,
  });
  const transport = new ManualTransport<FromEncoder, ToEncoder>();
  host.take(stage.spec([target(1)]), "main", transport.far);
  const result = distant.to({ channelId: "ls-1", latency: "efficient" }, transport.near).tryAdmit();
  await transport.settle();
  expect(await result).not.toBe("admitted");
});
