import { expect, test } from "vitest";
import type { LogFields } from "../../../src/base/log.ts";
import { NO_ALERTS } from "../../../src/control/channels/channel.ts";
import { EventWriter } from "../../../src/control/events/event-writer.ts";
import type { ChannelEvent, EventStore, NewEvent } from "../../../src/control/events/events.ts";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { channelChanged } from "../../support/stages/channel-changed.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

/** A store that keeps events in memory, and fails as the test says. */
class FakeEvents implements EventStore {
  failure: Error | undefined;
  readonly batches: (readonly NewEvent[])[] = [];
  appendCount = 0;
  known = (channelId: string) => channelId !== "unknown";

  async findEventSubjects(channelIds: readonly string[]) {
    return channelIds
      .filter((channelId) => this.known(channelId))
      .map((channelId) => ({ channelId, name: channelId, alerts: NO_ALERTS, targets: new Map() }));
  }

  async finishBroadcasts(): Promise<undefined> {}

  async moveBroadcast(): Promise<undefined> {}

  async goOnWithBroadcast(): Promise<undefined> {}

  async appendEvents(events: readonly NewEvent[]): Promise<readonly ChannelEvent[]> {
    this.appendCount += 1;
    if (this.failure !== undefined) throw this.failure;
    this.batches.push(events);
    return events.map(({ isForWebhook: _, ...event }, index) => ({ ...event, eventId: index + 1 }));
  }

  async listEvents() {
    return { events: [], total: 0 };
  }

  async pruneEvents() {
    return 0;
  }

  get texts(): string[] {
    return this.batches.flat().map((event) => event.channelId);
  }
}

const LOCKED = new StoreUnavailableError("locked");

function open(waitingMax?: number) {
  const store = new FakeEvents();
  const clock = new VirtualClock();
  const lines: { readonly event: string; readonly fields: LogFields }[] = [];
  const written: ChannelEvent[] = [];
  const write = (event: string, fields: LogFields = {}) => void lines.push({ event, fields });
  const writer = new EventWriter({
    store,
    clock,
    log: { debug: write, info: write, warn: write, error: write },
    onWritten: (event) => void written.push(event),
    ...(waitingMax === undefined ? {} : { waitingMax }),
  });
  const lost = () => lines.filter(({ event }) => event === "events lost").map(({ fields }) => fields["count"]);
  return { store, clock, lines, written, writer, lost };
}

const created = (channelId: string) => channelChanged("created", channelId);

/** Runs every promise that can continue. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test("events are stored in the order they were published, many in one write, and handed on", async () => {
  const { store, writer, written } = open();
  const names = Array.from({ length: 250 }, (_, index) => `channel-${index}`);
  for (const name of names) writer.fact(created(name));
  await settle();
  expect(store.texts).toEqual(names);
  expect(store.batches.map((batch) => batch.length)).toEqual([100, 100, 50]);
  expect(written).toHaveLength(250);
});

test("publishing never waits for the store", async () => {
  const { store, writer } = open();
  writer.fact(created("a"));
  expect(store.appendCount).toBe(0);
  await settle();
  expect(store.texts).toEqual(["a"]);
});

test("a database that refuses writes is tried again after 1, 2, 4, 8, 10, 10 s, and then has everything, in order", async () => {
  const { store, clock, writer, lost } = open();
  store.failure = LOCKED;
  writer.fact(created("a"));
  await settle();
  writer.fact(created("b"));
  await settle();
  expect(store.appendCount).toBe(1);
  for (const [index, pauseMs] of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000].entries()) {
    clock.advance(pauseMs - 1);
    await settle();
    expect(store.appendCount).toBe(index + 1);
    clock.advance(1);
    await settle();
    expect(store.appendCount).toBe(index + 2);
  }
  store.failure = undefined;
  clock.advance(10_000);
  await settle();
  expect(store.texts).toEqual(["a", "b"]);
  expect(lost()).toEqual([]);
});

test("events above the bound are lost, and the log says how many", async () => {
  const { store, clock, lines, writer, lost } = open(3);
  store.failure = LOCKED;
  for (const name of ["a", "b", "c", "d", "e"]) writer.fact(created(name));
  await settle();
  expect(lines.filter(({ event }) => event.startsWith("events are being lost"))).toHaveLength(1);
  store.failure = undefined;
  clock.advance(1_000);
  await settle();
  expect(store.texts).toEqual(["a", "b", "c"]);
  expect(lost()).toEqual([2]);
  writer.fact(created("f"));
  await settle();
  expect(store.texts).toEqual(["a", "b", "c", "f"]);
  expect(lost()).toEqual([2]);
});

test("an error that would repeat costs its batch and delays nothing else", async () => {
  const { store, writer, lost } = open();
  store.failure = new Error("a mistake");
  writer.fact(created("a"));
  await settle();
  store.failure = undefined;
  writer.fact(created("b"));
  await settle();
  expect(store.texts).toEqual(["b"]);
  expect(lost()).toEqual([1]);
});

test("an event of an unknown channel is dropped", async () => {
  const { store, writer } = open();
  writer.fact(created("unknown"));
  writer.fact(created("known"));
  await settle();
  expect(store.texts).toEqual(["known"]);
});

test("closing writes what waits, tries once where that fails, and accepts nothing afterwards", async () => {
  const first = open();
  first.writer.fact(created("a"));
  await first.writer.close();
  first.writer.fact(created("b"));
  await first.writer.close();
  expect(first.store.texts).toEqual(["a"]);

  const second = open();
  second.store.failure = LOCKED;
  second.writer.fact(created("a"));
  await settle();
  second.store.failure = undefined;
  await second.writer.close();
  expect(second.store.texts).toEqual(["a"]);

  const third = open();
  third.store.failure = LOCKED;
  third.writer.fact(created("a"));
  await third.writer.close();
  expect(third.lost()).toEqual([1]);
});

test("of several nodes the owner numbers its events; what a request changed belongs to none", async () => {
  const store = new FakeEvents();
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const epochOf = (channelId: string) => (channelId === "a" ? 7 : undefined);
  const writer = new EventWriter({ store, clock: new VirtualClock(), log, onWritten: () => undefined, epochOf });
  const silence = (channelId: string) =>
    ({ kind: "silence-changed", time: 1, channelId, seconds: 20, isOver: false }) as const;
  for (const fact of [silence("a"), created("a"), silence("b"), silence("a")]) writer.fact(fact);
  await settle();
  expect(store.batches.flat().map(({ ownership }) => ownership)).toEqual([
    { epoch: 7, seq: 1 },
    undefined,
    undefined,
    { epoch: 7, seq: 2 },
  ]);
});

test("events of a channel that was taken over are stored behind the end of its former broadcast, with all that come later", async () => {
  const store = new FakeEvents();
  const finished = new Map<string, PromiseWithResolvers<void>>([["a", Promise.withResolvers<void>()]]);
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const writer = new EventWriter({
    ...{ store, clock: new VirtualClock(), log, onWritten: () => undefined },
    finishing: (channelId) => finished.get(channelId)?.promise,
  });
  writer.fact(created("b"));
  await settle();
  expect(store.texts).toEqual(["b"]);
  writer.fact(created("a"));
  writer.fact(created("b"));
  await settle();
  expect(store.texts).toEqual(["b"]);
  finished.get("a")?.resolve();
  await settle();
  expect(store.texts).toEqual(["b", "a", "b"]);
});

test("what a full disk did not take is stored by the next process, in order, once, and after that one has taken over", async () => {
  const [first, second] = [open(), open()];
  first.store.failure = LOCKED;
  first.writer.fact(created("a"));
  const target = { targetId: 7, targetName: "YOUTUBE" } as const;
  first.writer.fact({ ...channelChanged("target-added", "b", 7), target });
  await first.writer.pause();
  const told = structuredClone(first.writer.unstored);
  expect(told.map(({ channelId }) => channelId)).toEqual(["a", "b"]);

  second.writer.resume([], told);
  second.writer.fact(created("c"));
  await settle();
  expect(second.store.appendCount).toBe(0);
  second.writer.goOn();
  await settle();
  expect(second.store.texts).toEqual(["a", "b", "c"]);
  expect(second.written[1]?.description).toContain("platform YOUTUBE (7)");
  expect(second.writer.unstored).toEqual([]);

  first.writer.abandon();
  await first.writer.close();
  expect(first.lost()).toEqual([]);
  first.writer.goOn();
  first.store.failure = undefined;
  await settle();
  expect(first.store.texts).toEqual([]);
});

test("an event that is being stored when the writer goes on is stored once", async () => {
  const { store, writer } = open();
  writer.fact(created("a"));
  writer.goOn();
  await settle();
  expect(store.texts).toEqual(["a"]);
  expect(store.appendCount).toBe(1);
});
