import { afterEach, beforeEach, expect, test } from "vitest";
import type { EventOwnership, NewEvent } from "../../../src/control/events/events.ts";
import { PostgresOwnershipStore } from "../../../src/store/ownership/ownership-store.ts";
import { SqlReportStore } from "../../../src/store/reports/report-store.ts";
import { newChannel } from "../suites/store-suite-data.ts";
import { openNode, startMigratedServer, storesOf } from "./nodes.ts";

const A = "ls-1";
const PAGE = { number: 1, size: 100 };
const REPORT = { channelId: A, startTime: 10, interruptions: { list: [], count: 0 }, targets: [] };

const { server, newDatabase } = await startMigratedServer();

type Node = ReturnType<typeof storesOf> & { readonly reports: SqlReportStore };
let nodes: readonly [Node, Node];
let query: (statement: string) => Promise<unknown>;
beforeEach(async () => {
  const name = await newDatabase();
  query = (statement) => server.query(statement, name);
  const open = async () => {
    const database = await openNode(server, name);
    return { ...storesOf(database), reports: new SqlReportStore(database) };
  };
  nodes = [await open(), await open()];
  await query(`insert into channel_owner (channel_id, epoch, since) values ('${A}', 7, 1)`);
  await nodes[0].deliveries.setEndpoint("default", { url: "https://h/hook", secret: "whsec_x", updateTime: 1 });
});
afterEach(async () => {
  for (const { database } of nodes) await database.close();
});

const event = (code: NewEvent["code"], time: number, ownership?: EventOwnership): NewEvent => ({
  ...{ channelId: A, code, level: "INFO", time, description: "d", isForWebhook: true },
  ...(ownership === undefined ? {} : { ownership }),
});
const lost = (time: number): NewEvent => ({ ...event("PUBLISH_END", time), reason: "server-lost" });
const codes = async () =>
  (await nodes[0].events.listEvents({}, PAGE)).events.map(({ code, time }) => [code, time]).toReversed();

test("a lost owner's broadcast is finished once, by whichever node is first, with its event, delivery and report", async () => {
  await nodes[0].events.appendEvents([event("PUBLISH_START", 10, { epoch: 7, seq: 1 })]);
  await nodes[0].reports.putReports([{ ...REPORT, endTime: 42, epoch: 7 }]);
  expect(await nodes[0].reports.endReportsLeft()).toEqual([]);
  const done = await Promise.all(
    Array.from({ length: 64 }, (_, index) => nodes[index % 2 === 0 ? 0 : 1].events.finishBroadcasts(A, 7, lost)),
  );
  expect(done.filter((each) => each !== undefined)).toEqual([
    expect.objectContaining({ code: "PUBLISH_END", time: 42, reason: "server-lost" }),
  ]);
  expect(await codes()).toEqual([
    ["PUBLISH_START", 10],
    ["PUBLISH_END", 42],
  ]);
  expect((await nodes[1].deliveries.listDeliveries({}, PAGE)).total).toBe(2);
  expect((await nodes[1].reports.listReports(A, PAGE)).reports).toEqual([
    { ...REPORT, endTime: 42, end: "server-lost" },
  ]);
});

test("what a finished owner writes late does not count", async () => {
  await nodes[0].events.appendEvents([event("PUBLISH_START", 10, { epoch: 7, seq: 1 })]);
  await nodes[0].reports.putReports([{ ...REPORT, endTime: 42, epoch: 7 }]);
  await nodes[1].events.finishBroadcasts(A, 7, lost);
  expect(await nodes[0].events.appendEvents([event("PUBLISH_END", 50, { epoch: 7, seq: 2 })])).toEqual([]);
  await nodes[0].reports.putReports([{ ...REPORT, endTime: 50, end: "clean", epoch: 7 }]);
  expect((await nodes[1].reports.listReports(A, PAGE)).reports).toMatchObject([{ endTime: 42, end: "server-lost" }]);
  // The next owner writes, and so does any node about what no owner did.
  const later = [event("PUBLISH_START", 60, { epoch: 8, seq: 1 }), event("STREAM_UPDATE", 61)];
  expect(await nodes[1].events.appendEvents(later)).toHaveLength(2);
});

/** The channel is owned by a node that lives, and others have finished its broadcast: they could not hear it. */
async function givenUp() {
  await query(`update channel_owner set incarnation = 1, home = 0 where channel_id = '${A}'`);
  await nodes[0].events.appendEvents([event("PUBLISH_START", 10, { epoch: 7, seq: 1 })]);
  await nodes[0].reports.putReports([{ ...REPORT, endTime: 42, epoch: 7 }]);
  await nodes[1].events.finishBroadcasts(A, 7, lost);
}

const STORY = [
  ["PUBLISH_START", 10],
  ["PUBLISH_END", 42],
];

test("a broadcast whose owner was given up, and goes on, begins anew once, with one report from its begin to its end", async () => {
  await givenUp();
  expect((await nodes[1].reports.listReports(A, PAGE)).total).toBe(1);
  const done = await Promise.all([1, 2, 3].map(() => nodes[0].events.goOnWithBroadcast(A, 7, 50)));
  expect(done.filter((each) => each !== undefined)).toEqual([
    expect.objectContaining({ code: "PUBLISH_START", time: 50, description: "d" }),
  ]);
  await nodes[0].reports.putReports([{ ...REPORT, endTime: 55, epoch: 7 }]);
  expect((await nodes[1].reports.listReports(A, PAGE)).total).toBe(0);
  await nodes[0].events.appendEvents([event("INGEST_HELD", 60, { epoch: 7, seq: 2 })]);
  expect(await codes()).toEqual([...STORY, ["PUBLISH_START", 50], ["INGEST_HELD", 60]]);
  expect((await nodes[1].deliveries.listDeliveries({}, PAGE)).total).toBe(4);
  // It is given up again, and now for good.
  await nodes[1].reports.putReports([{ ...REPORT, endTime: 61, epoch: 7 }]);
  expect(await nodes[1].events.finishBroadcasts(A, 7, lost)).toMatchObject({ code: "PUBLISH_END", time: 61 });
  expect((await nodes[1].reports.listReports(A, PAGE)).reports).toMatchObject([
    { startTime: 10, endTime: 61, end: "server-lost" },
  ]);
});

test.for([
  [
    "something of it",
    [event("INGEST_HELD", 60, { epoch: 7, seq: 2 })],
    [
      ["PUBLISH_START", 60],
      ["INGEST_HELD", 60],
    ],
  ],
  [
    "its end",
    [event("PUBLISH_END", 60, { epoch: 7, seq: 2 })],
    [
      ["PUBLISH_START", 60],
      ["PUBLISH_END", 60],
    ],
  ],
  [
    "its begin again, as nobody told it that it is stored,",
    [event("PUBLISH_START", 10, { epoch: 7, seq: 1 }), event("INGEST_HELD", 60, { epoch: 7, seq: 2 })],
    [
      ["PUBLISH_START", 42],
      ["INGEST_HELD", 60],
    ],
  ],
  ["the begin of the next one", [event("PUBLISH_START", 60, { epoch: 7, seq: 3 })], [["PUBLISH_START", 60]]],
] as const)("an owner that was given up tells %s before it knows that", async ([, late, added]) => {
  await givenUp();
  const stored = await nodes[0].events.appendEvents([...late]);
  expect(stored.map(({ code, time }) => [code, time])).toEqual(added);
  expect(await codes()).toEqual([...STORY, ...added]);
  expect(await nodes[0].events.goOnWithBroadcast(A, 7, 70)).toBeUndefined();
  expect(await nodes[1].events.finishBroadcasts(A, 7, lost)).toEqual(
    added.at(-1)?.[0] === "PUBLISH_END" ? undefined : expect.objectContaining({ code: "PUBLISH_END" }),
  );
});

test("a broadcast that its owner ended, that an owner before had, or that another owner has now, does not begin anew", async () => {
  const owned = (epoch: number, ended: number) =>
    query(
      `update channel_owner set incarnation = 1, home = 0, epoch = ${epoch}, ended_epoch = ${ended} where channel_id = '${A}'`,
    );
  await givenUp();
  await owned(8, 8);
  // Epoch 7 was lost by right, and 8 had no broadcast yet.
  expect(await nodes[0].events.goOnWithBroadcast(A, 8, 50)).toBeUndefined();
  await owned(8, 7);
  await nodes[0].events.appendEvents([
    event("PUBLISH_START", 60, { epoch: 8, seq: 1 }),
    event("PUBLISH_END", 61, { epoch: 8, seq: 2 }),
  ]);
  await owned(8, 8);
  expect(await nodes[0].events.goOnWithBroadcast(A, 8, 70)).toBeUndefined();
  await owned(9, 8);
  expect(await nodes[0].events.goOnWithBroadcast(A, 8, 80)).toBeUndefined();
  expect(await nodes[0].events.appendEvents([event("INGEST_HELD", 81, { epoch: 8, seq: 3 })])).toEqual([]);
  expect(await codes()).toHaveLength(4);
});

test("a broadcast that had moved here begins anew too", async () => {
  await nodes[0].events.appendEvents([event("PUBLISH_START", 10, { epoch: 6, seq: 1 })]);
  await nodes[0].events.moveBroadcast(A, 6, event("BROADCAST_MOVED", 20));
  await query(`update channel_owner set incarnation = 1, home = 0 where channel_id = '${A}'`);
  await nodes[1].events.finishBroadcasts(A, 7, lost);
  expect(await nodes[0].events.goOnWithBroadcast(A, 7, 50)).toMatchObject({ code: "PUBLISH_START", time: 50 });
});

test("a broadcast that moves has one start and one end, and its former owner writes no more of it", async () => {
  await nodes[0].events.appendEvents([event("PUBLISH_START", 10, { epoch: 7, seq: 1 })]);
  await nodes[0].reports.putReports([{ ...REPORT, endTime: 42, epoch: 7 }]);
  const moved = event("BROADCAST_MOVED", 45);
  const done = await Promise.all(nodes.map((node) => node.events.moveBroadcast(A, 7, moved)));
  expect(done.filter((each) => each !== undefined)).toHaveLength(1);
  expect(await nodes[0].events.appendEvents([event("PUBLISH_END", 50, { epoch: 7, seq: 2 })])).toEqual([]);
  await nodes[0].reports.putReports([{ ...REPORT, endTime: 50, end: "replaced", epoch: 7 }]);
  expect(await nodes[0].events.finishBroadcasts(A, 7, lost)).toBeUndefined();
  expect((await nodes[1].reports.listReports(A, PAGE)).reports).toEqual([]);
  await nodes[1].reports.putReports([{ ...REPORT, endTime: 60, epoch: 8 }]);
  // The next owner dies.
  await nodes[0].events.finishBroadcasts(A, 8, lost);
  expect(await codes()).toEqual([
    ["PUBLISH_START", 10],
    ["BROADCAST_MOVED", 45],
    ["PUBLISH_END", 60],
  ]);
  const [report] = (await nodes[1].reports.listReports(A, PAGE)).reports;
  expect(report).toMatchObject({ startTime: 10, endTime: 60, end: "server-lost" });
});

test("a broadcast that ended by itself, or never began, gets no second end", async () => {
  await nodes[0].events.appendEvents([
    event("PUBLISH_START", 10, { epoch: 7, seq: 1 }),
    event("PUBLISH_END", 20, { epoch: 7, seq: 2 }),
  ]);
  await nodes[0].reports.putReports([{ ...REPORT, endTime: 19, epoch: 7 }]);
  expect(await nodes[1].events.finishBroadcasts(A, 7, lost)).toBeUndefined();
  expect(await codes()).toHaveLength(2);
  // Its report was not written any more: that is made up for.
  expect((await nodes[1].reports.listReports(A, PAGE)).reports).toMatchObject([{ endTime: 19, end: "server-lost" }]);
  expect(await nodes[1].events.finishBroadcasts("ls-unowned", 1, lost)).toBeUndefined();
});

test("ownerships of lost nodes, and those that were taken over long ago, are listed until they are finished", async () => {
  const { channels, database } = nodes[0];
  const ownership = new PostgresOwnershipStore(database);
  const ids = [1, 2, 3, 4, 5, 6].map((n) => newChannel(n).channelId);
  for (let n = 1; n <= ids.length; n += 1) await channels.createChannel(newChannel(n));
  const own = (index: number, columns: Readonly<Record<string, number | null>>) =>
    database.write((trx) =>
      trx
        .insertInto("channel_owner")
        .values({ channel_id: ids[index] ?? "", home: 0, epoch: 9, since: 1, ...columns })
        .execute(),
    );
  const started = { nodeId: "n", advertise: ["h:1"], version: "1", schemaStep: "s", keyIds: [] };
  const [lostNode, living] = [await ownership.addNode(started, 0), await ownership.addNode(started, 1_000_000)];
  expect(await ownership.markLost(lostNode)).toBe(true);
  const now = Date.now();
  await own(0, { incarnation: lostNode });
  await own(1, { incarnation: lostNode, ended_epoch: 9 });
  await own(2, { incarnation: living });
  await own(3, { incarnation: living, former_incarnation: lostNode, former_epoch: 8 });
  // Whoever has taken it over a moment ago finishes it, or moves it.
  await own(4, { incarnation: living, former_incarnation: living, former_epoch: 8, since: now - 60_000 });
  // Released by its owner.
  await own(5, { incarnation: null, former_incarnation: living, former_epoch: 9 });
  const unfinished = [
    { channelId: ids[0], epoch: 9 },
    { channelId: ids[3], epoch: 8 },
  ];
  expect(await ownership.listUnfinished()).toEqual(unfinished);
  for (const { channelId = "", epoch } of unfinished) await nodes[1].events.finishBroadcasts(channelId, epoch, lost);
  expect(await ownership.listUnfinished()).toEqual([]);
});

test("a broadcast of a later ownership goes on", async () => {
  await nodes[0].events.appendEvents([event("PUBLISH_START", 10, { epoch: 8, seq: 1 })]);
  await nodes[0].reports.putReports([{ ...REPORT, endTime: 42, epoch: 8 }]);
  expect(await nodes[1].events.finishBroadcasts(A, 7, lost)).toBeUndefined();
  expect(await codes()).toHaveLength(1);
  expect((await nodes[1].reports.listReports(A, PAGE)).total).toBe(0);
  // A report of the ownership before does not replace it.
  await nodes[1].reports.putReports([{ ...REPORT, endTime: 43, end: "clean", epoch: 7 }]);
  expect((await nodes[1].reports.listReports(A, PAGE)).total).toBe(0);
});

test("an event whose acknowledgement was lost is stored once, with one delivery", async () => {
  const began = event("PUBLISH_START", 10, { epoch: 7, seq: 1 });
  expect(await nodes[0].events.appendEvents([began])).toHaveLength(1);
  expect(await nodes[0].events.appendEvents([began, event("INGEST_HELD", 11, { epoch: 7, seq: 2 })])).toMatchObject([
    { code: "INGEST_HELD" },
  ]);
  expect(await codes()).toHaveLength(2);
  expect((await nodes[1].deliveries.listDeliveries({}, PAGE)).total).toBe(2);
});
