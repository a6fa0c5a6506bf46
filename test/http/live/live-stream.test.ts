import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { READERS_MAX } from "../../../src/http/live/live-stream.ts";
import { Api, CHANNELS, gateway, PLATFORM, service, VIEWER } from "../api.ts";
import { EventReader } from "./event-reader.ts";

const STREAM = "/api/v2/re-stream/events/stream";

let api: Api;
let readers: EventReader[];
beforeEach(async () => {
  readers = [];
  await start();
});
afterEach(async () => {
  for (const reader of readers) reader.close();
  await api.close();
});

async function start(options: Parameters<typeof Api.open>[0] = {}): Promise<void> {
  api = await Api.open(options);
  await api.server.listen({ host: "127.0.0.1", port: 0 });
}

async function open(options: Parameters<typeof EventReader.open>[1] = {}): Promise<EventReader> {
  const reader = await EventReader.open(api, options);
  readers.push(reader);
  return reader;
}

const listed = async () => (await api.get(CHANNELS)).body.content;

test("the stream begins with all channels and their platforms, newest first, as the calls show them", async () => {
  const first = await api.create();
  const second = await api.create({ restream: [PLATFORM, { ...PLATFORM, targetName: "TWITCH" }] });
  const reader = await open();
  expect(reader.response.statusCode).toBe(200);
  expect(reader.response.headers).toMatchObject({
    "content-type": "text/event-stream;charset=utf-8",
    "cache-control": "no-store",
    "access-control-allow-origin": "*",
    "x-ncp-trace-id": expect.stringMatching(/^[a-z0-9]{26}$/),
  });
  const { name, id, data } = await reader.next();
  expect([name, id]).toEqual(["snapshot", "epoch1-2"]);
  const [newest, oldest] = await listed();
  expect(data).toEqual({
    time: api.clock.wallMs,
    channels: [
      { ...newest, platforms: await api.platforms(second.channelId) },
      { ...oldest, platforms: await api.platforms(first.channelId) },
    ],
  });
  expect(data.channels[0].platforms).toHaveLength(2);
});

test("without channels the snapshot is empty", async () => {
  expect((await (await open()).next()).data).toEqual({ time: api.clock.wallMs, channels: [] });
});

test("the server's troubles are sent after the snapshot, at each change, and to a reader that reconnects", async () => {
  const early = await open();
  await early.next();
  api.troubles.set("no-route", true);
  const trouble = {
    trouble: "no-route",
    sinceTime: api.clock.wallNow(),
    message: expect.stringMatching(/no route/),
    messageKo: expect.stringMatching(/[가-힣]/),
  };
  expect(await early.next()).toMatchObject({ name: "server", id: undefined, data: { troubles: [trouble] } });
  const late = await open({ key: VIEWER });
  expect((await late.take(2)).map(({ name }) => name)).toEqual(["snapshot", "server"]);
  api.troubles.set("no-route", false);
  for (const reader of [early, late])
    expect(await reader.next()).toMatchObject({ name: "server", data: { troubles: [] } });
  const back = await open({ headers: { "last-event-id": "epoch1-0" } });
  expect(await back.next()).toMatchObject({ name: "server", data: { troubles: [] } });
});

test("a use case's changes are sent as whole objects, once for changes close together", async () => {
  const reader = await open();
  await reader.next();
  const { channelId } = await api.create();
  const url = `${CHANNELS}/${channelId}/platforms/1`;
  await api.put(url, { rtmpUrl: "rtmp://b.example.com/live", streamKey: "other" });
  api.clock.advance(100);
  const [channel, platform] = await reader.take(2);
  const [summary] = await listed();
  const platforms = await api.platforms(channelId);
  expect(channel).toMatchObject({ name: "channel", data: { ...summary, platforms } });
  expect(platform).toMatchObject({ name: "platform", data: { channelId, ...platforms[0] } });
  expect(platforms[0].rtmpUrl).toBe("rtmp://b.example.com/live");
  expect([channel?.id, platform?.id]).toEqual(["epoch1-1", "epoch1-2"]);

  await api.delete(`${CHANNELS}/${channelId}`);
  api.clock.advance(100);
  expect(await reader.next()).toMatchObject({ name: "channel", data: { channelId, channelStatus: "DELETED" } });
});

test("a fact of the media thread is sent within a tenth of a second, the channel's news and the one platform's", async () => {
  const { channelId } = await api.create({ restream: [PLATFORM, PLATFORM] });
  const reader = await open();
  await reader.next();
  const time = api.clock.wallMs;
  api.runtime.start(channelId, time);
  api.live.fact({
    kind: "ingest-started",
    time,
    channelId,
    ingestId: 1,
    slot: "main",
    remoteAddress: "",
    encoder: "",
    isBroadcastNew: true,
  });
  const status = api.runtime.status(channelId, 2, { status: "PUBLISHING", sinceTime: time });
  api.live.fact({ kind: "target-status", time, channelId, targetId: 2, from: "CONNECTING", status });
  api.clock.advance(100);
  const [channel, platform] = await reader.take(2);
  expect(channel).toMatchObject({
    name: "channel",
    data: { channelId, channelStatus: "PUBLISHING", isPublishing: true },
  });
  expect(platform).toMatchObject({ name: "platform", data: { channelId, platId: 2, connectStatus: "PUBLISHING" } });
  api.runtime.leave(channelId, time + 1);
  const ended = { kind: "ingest-ended", time, channelId, ingestId: 1, slot: "main", end: "clean" } as const;
  api.live.fact({ ...ended, isBroadcastOver: true });
  api.clock.advance(100);
  expect(await reader.next()).toMatchObject({ name: "channel", data: { channelId, channelStatus: "READY" } });
});

const INGEST = {
  state: "LIVE",
  slot: "main",
  remoteAddress: "192.0.2.1",
  encoder: "test",
  startTime: 1,
  bytesPerSecond: 750_000.4,
  bytesTotal: 1,
} as const;

const sampleOf = (channelId: string) => ({
  channelId,
  ingest: INGEST,
  targets: [
    {
      targetId: 1,
      bytesPerSecond: 749_000.6,
      bytesTotal: 1,
      playMs: 1,
      retryCount: 0,
      droppedFrames: 3,
      drops: { overTime: 1, overBytes: 0, untilKeyframe: 2 },
      queueMs: 12.5,
      isUnstable: false,
    },
  ],
});

test.each([
  ["here", "samples"],
  ["at another node", "samplesElsewhere"],
] as const)("a sample sends the rates of a channel on air %s, and has no id to come back to", async (_place, take) => {
  const reader = await open();
  await reader.next();
  api.live[take]([sampleOf("ls-1")]);
  expect(await reader.next()).toEqual({
    id: undefined,
    name: "sample",
    data: {
      channelId: "ls-1",
      time: api.clock.wallMs,
      ingest: { bytesPerSecond: 750_000 },
      platforms: [
        {
          platId: 1,
          bytesPerSecond: 749_001,
          queueMilliseconds: 13,
          droppedFrames: 3,
          droppedFramesByCause: { overTime: 1, overBytes: 0, untilKeyframe: 2 },
          stability: "stable",
        },
      ],
    },
  });
});

test("channelId narrows all of it to one channel", async () => {
  const mine = await api.create();
  const other = await api.create();
  const reader = await open({ url: `${STREAM}?channelId=${mine.channelId}` });
  expect((await reader.next()).data.channels.map((channel: { channelId: string }) => channel.channelId)).toEqual([
    mine.channelId,
  ]);
  api.live.samples([sampleOf(other.channelId), sampleOf(mine.channelId)]);
  expect((await reader.next()).data.channelId).toBe(mine.channelId);
  api.live.event(other.channelId, { channelId: other.channelId });
  api.live.event(mine.channelId, { channelId: mine.channelId, eventCode: "PUBLISH_END" });
  expect(await reader.next()).toMatchObject({ name: "event", data: { channelId: mine.channelId } });
});

test("the stream of a channel at another node is told with each of its broadcasts, also where it is the same", async () => {
  const { channelId } = await api.create();
  const reader = await open();
  await reader.next();
  for (let broadcast = 0; broadcast < 2; broadcast += 1) {
    api.live.samplesElsewhere([sampleOf(channelId)]);
    expect((await reader.next()).name).toBe("sample");
    api.clock.advance(100);
    // It is off air by then, and no last sample came.
    expect(await reader.next()).toMatchObject({ name: "channel", data: { channelId, isPublishing: false } });
  }
});

test("a missing channel is 250004, and a second channelId is refused as a query", async () => {
  const nowhere = await api.get(`${STREAM}?channelId=ls-20200324144322-qfphX`);
  expect([nowhere.status, nowhere.body]).toMatchObject([404, service(250004, "NOT_FOUND", "Channel not found.")]);
  const twice = await api.get(`${STREAM}?channelId=a&channelId=b`);
  expect([twice.status, twice.body.error.errorCode]).toEqual([400, 250021]);
});

test("a viewer sees keys masked, in the snapshot and in changes, and a manager beside it does not", async () => {
  const { channelId, streamKey } = await api.create();
  const viewer = await open({ key: VIEWER });
  const manager = await open();
  const [seen] = (await viewer.next()).data.channels;
  expect(seen.streamKey).toBe(`${streamKey.slice(0, 4)}${"*".repeat(28)}`);
  expect(seen.platforms[0].streamKey).toBe("abcd*****");
  expect((await manager.next()).data.channels[0].streamKey).toBe(streamKey);
  const body = { rtmpUrl: PLATFORM.rtmpUrl, streamKey: "a-new-secret" };
  await api.put(`${CHANNELS}/${channelId}/platforms/1`, body);
  api.clock.advance(100);
  expect(JSON.stringify(await viewer.take(2))).not.toMatch(/a-new-secret/);
  expect((await manager.take(2))[1]?.data.streamKey).toBe("a-new-secret");
});

test("Last-Event-ID goes on after that event, without a snapshot", async () => {
  const reader = await open();
  await reader.next();
  for (const number of [1, 2, 3]) api.live.event("ls-1", { number });
  const ids = (await reader.take(3)).map(({ id }) => id);
  expect(ids).toEqual(["epoch1-1", "epoch1-2", "epoch1-3"]);
  reader.close();
  const again = await open({ headers: { "last-event-id": "epoch1-1" } });
  expect((await again.take(2)).map(({ id, data }) => [id, data.number])).toEqual([
    ["epoch1-2", 2],
    ["epoch1-3", 3],
  ]);
});

test.each([
  ["of an earlier process", "epoch0-1"],
  ["of the future", "epoch1-99"],
  ["that is none", "x"],
  ["that is older than what is kept", "epoch1-0"],
])("an id %s begins with a fresh snapshot", async (_name, id) => {
  await api.close();
  await start({ ringLimits: { entriesMax: 2, charactersMax: 10_000 } });
  const reader = await open();
  await reader.next();
  for (const number of [1, 2, 3]) api.live.event("ls-1", { number });
  await reader.take(3);
  const again = await open({ headers: { "last-event-id": id } });
  expect(await again.next()).toMatchObject({ name: "snapshot", id: "epoch1-3" });
});

test("where changes of other nodes were missed, a reader begins anew with a snapshot, also one that comes back", async () => {
  const reader = await open();
  await reader.next();
  api.live.event("ls-1", { number: 1 });
  await reader.take(1);
  api.live.missed();
  await expect.poll(() => reader.isClosed).toBe(true);
  const again = await open({ headers: { "last-event-id": "epoch1-1" } });
  expect(await again.next()).toMatchObject({ name: "snapshot", id: "epoch1-2" });
  api.live.event("ls-1", { number: 2 });
  expect(await again.take(1)).toMatchObject([{ name: "event", id: "epoch1-3" }]);
});

test("changes without a reader are not kept, so a reader that comes back after a minute starts anew", async () => {
  const reader = await open();
  await reader.next();
  api.live.event("ls-1", {});
  const { id = "" } = await reader.next();
  reader.close();
  await expect.poll(() => api.live.readerCount).toBe(0);
  api.clock.advance(59_000);
  const soon = await open({ headers: { "last-event-id": id } });
  api.live.event("ls-1", { missed: false });
  expect((await soon.next()).name).toBe("event");
  soon.close();
  await expect.poll(() => api.live.readerCount).toBe(0);
  api.clock.advance(60_000);
  const late = await open({ headers: { "last-event-id": "epoch1-2" } });
  expect((await late.next()).name).toBe("snapshot");
});

test("a comment every 5 s shows that the stream lives", async () => {
  const reader = await open();
  await reader.next();
  api.clock.advance(5_000);
  await reader.commentsReach(1);
  api.clock.advance(5_000);
  await reader.commentsReach(2);
});

test("a reader that stops reading is cut, costs no memory, and others go on", async () => {
  const healthy = await open();
  await healthy.next();
  const { port } = api.server.server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  const lines = Object.entries(api.signedHeaders("GET", STREAM)).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${STREAM} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}\r\n`);
  await once(socket, "readable");
  await expect.poll(() => api.live.readerCount).toBe(2);
  const text = "x".repeat(100_000);
  // More than the kernel keeps for a reader that takes nothing.
  for (let count = 0; count < 200; count += 1) {
    api.live.event("ls-1", { text });
    expect((await healthy.next()).data.text).toHaveLength(100_000);
  }
  for (let second = 0; second < 12; second += 1) api.clock.advance(1_000);
  await expect.poll(() => api.live.readerCount).toBe(1);
  socket.destroy();
  api.live.event("ls-1", { text: "after" });
  expect((await healthy.next()).data.text).toBe("after");
});

test("streams are bounded in number: one more is 420 with Retry-After", async () => {
  await Promise.all(Array.from({ length: READERS_MAX }, () => open()));
  const answer = await api.get(STREAM);
  expect(answer.status).toBe(429);
  expect(answer.headers["retry-after"]).toBe("5");
  const details = "200 event streams are open, which is the limit.";
  expect(answer.body).toEqual(gateway("420", "Rate Limited", details));
});

test("streams of one access key are bounded in number, and those of another are not affected", async () => {
  await api.close();
  await start({ limits: { eventStreamsPerKey: 2 } });
  const [first] = [await open(), await open()];
  const answer = await api.get(STREAM);
  expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "5"]);
  const details = "This access key has 2 event streams open, which is the limit.";
  expect(answer.body).toEqual(gateway("420", "Rate Limited", details));
  expect((await (await open({ key: VIEWER })).next()).name).toBe("snapshot");
  first?.close();
  await expect.poll(() => api.live.readerCount).toBe(2);
  expect((await (await open()).next()).name).toBe("snapshot");
});

test("streams of a revoked key end, and all of them when the server closes", async () => {
  const viewer = await open({ key: VIEWER });
  const manager = await open();
  await api.delete(`/api/v2/access-keys/${VIEWER.accessKeyId}`);
  await viewer.closed();
  expect(manager.isClosed).toBe(false);
  const closing = api.server.close();
  await manager.closed();
  await closing;
});

test("how long a stream was open until the server closed is no latency of an answer", async () => {
  const reader = await open();
  await reader.next();
  await api.get(CHANNELS);
  api.live.close();
  await reader.closed();
  const ofStream = () => api.lines.filter(({ fields }) => fields["route"] === STREAM).map(({ event }) => event);
  await expect.poll(ofStream).toEqual(["http-request"]);
  const measured = [...(await api.metrics.text()).matchAll(/_duration_seconds_count\{.*route="([^"]+)"/g)];
  expect(measured.map(([, route]) => route)).toEqual([CHANNELS]);
});

test("a snapshot of many channels has each of them once, whatever comes and goes meanwhile", async () => {
  const ids: string[] = [];
  for (let count = 0; count < 60; count += 1) ids.push((await api.create()).channelId);
  const reader = await open();
  const [doomed = ""] = ids;
  const [deleted, added] = await Promise.all([api.delete(`${CHANNELS}/${doomed}`), api.create()]);
  expect(deleted.status).toBe(200);
  const { data } = await reader.next();
  const shown: string[] = data.channels.map((channel: { channelId: string }) => channel.channelId);
  expect(new Set(shown).size).toBe(shown.length);
  // A channel that came or went after the snapshot began may be in it or not: the changes after it say.
  const steady = ids.filter((id) => id !== doomed).reverse();
  expect(shown.filter((id) => id !== doomed && id !== added.channelId)).toEqual(steady);
  api.clock.advance(100);
  const changes = await reader.take(3);
  expect(changes.map(({ name, data: change }) => [name, change.channelId])).toEqual(
    expect.arrayContaining([
      ["channel", doomed],
      ["channel", added.channelId],
      ["platform", added.channelId],
    ]),
  );
});

test("a refused encoder is told at once: to readers of its channel, and where it belongs to none to all", async () => {
  const { channelId } = await api.create();
  const other = await api.create();
  const everything = await open();
  const ofOther = await open({ url: `${STREAM}?channelId=${other.channelId}` });
  for (const reader of [everything, ofOther]) await reader.next();
  const entry = { remoteAddress: "192.0.2.1", reason: "channel-off", count: 1, firstTime: 1, lastTime: 1, channelId };
  const { channelId: _, ...ofNone } = { ...entry, reason: "unknown-key" };
  api.live.refused(channelId, entry);
  api.live.refused(undefined, ofNone);
  expect(await everything.next()).toMatchObject({ name: "refused", data: entry });
  expect(await everything.next()).toMatchObject({ name: "refused", data: ofNone });
  expect(await ofOther.next()).toMatchObject({ name: "refused", data: ofNone });
});
