import { expect, test } from "vitest";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { ReportWriter } from "../../../src/control/reports/report-writer.ts";
import type { BroadcastReport } from "../../../src/control/reports/reports.ts";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function open(waitingMax?: number, epochOf?: () => number) {
  const clock = new VirtualClock(0);
  const writes: (string | readonly BroadcastReport[])[] = [];
  const lines: string[] = [];
  const lost: string[] = [];
  const kept: string[] = [];
  const state = { isBroken: false };
  const line = (event: string) => void lines.push(event);
  const write = async (what: string | readonly BroadcastReport[]) => {
    if (state.isBroken) throw new StoreUnavailableError("locked");
    writes.push(what);
  };
  const writer = new ReportWriter({
    store: {
      putReports: write,
      endReportsLeft: async (others = []) => {
        await write("ended what was left");
        kept.push(...others);
        return [{ channelId: "left", endTime: 900 }];
      },
      findReport: async () => undefined,
      listReports: async () => ({ reports: [], total: 0 }),
    },
    subjects: {
      findEventSubjects: async (channelIds) =>
        channelIds.map((channelId) => ({
          channelId,
          name: "channel001",
          alerts: { isOn: false, ofChannelStatus: false, ofTargetFailures: false, ofVodUploads: false },
          targets: new Map([[7, { targetName: "YOUTUBE" }]]),
        })),
    },
    clock,
    publish: ({ kind, channelId, time }) => void lost.push(`${kind} ${channelId} ${time}`),
    log: { debug: line, info: line, warn: line, error: line },
    ...(waitingMax === undefined ? {} : { waitingMax }),
    ...(epochOf === undefined ? {} : { epochOf }),
  });
  return { clock, writes, lines, lost, kept, state, writer };
}

const common = (channelId: string, time: number) => ({ channelId, time, ingestId: 1, slot: "main" }) as const;
const started = (channelId: string, time = 1_000): Fact => ({
  kind: "ingest-started",
  ...common(channelId, time),
  ...{ remoteAddress: "192.0.2.1", encoder: "e", isBroadcastNew: true },
});
const ended = (channelId: string, time: number): Fact => ({
  kind: "ingest-ended",
  ...common(channelId, time),
  ...{ end: "clean", isBroadcastOver: true },
});

test("a broadcast is stored when it begins, every five seconds, and when it is over, after old ones are ended", async () => {
  const { clock, writes, lost, writer } = open();
  writer.start();
  await settle();
  expect(writes).toEqual(["ended what was left"]);
  expect(lost).toEqual(["broadcast-lost left 900"]);
  writer.fact(started("a"));
  await settle();
  expect(writes[1]).toMatchObject([{ channelId: "a", startTime: 1_000, targets: [] }]);
  const status = { status: "CONNECTING", sinceTime: 1 } as const;
  writer.fact({ kind: "target-status", time: 1_000, channelId: "a", targetId: 7, from: "READY", status });
  clock.advance(5_000);
  await settle();
  expect(writes[2]).toMatchObject([{ endTime: 6_000, targets: [{ targetId: 7, targetName: "YOUTUBE" }] }]);
  expect(writes[2]?.[0]).not.toHaveProperty("end");
  writer.fact(ended("a", 6_000));
  await settle();
  expect(writes[3]).toMatchObject([{ endTime: 6_000, end: "clean" }]);
  clock.advance(5_000);
  await settle();
  expect(writes).toHaveLength(4);
  // Once, however often reports are stored.
  expect(lost).toHaveLength(1);
});

test("what a database refused is stored later, after old broadcasts are ended", async () => {
  const { clock, writes, lines, state, writer } = open();
  state.isBroken = true;
  writer.start();
  writer.fact(started("a"));
  writer.fact(ended("a", 2_000));
  await settle();
  expect([writes, lines]).toEqual([[], ["reports not stored, will retry"]]);
  state.isBroken = false;
  clock.advance(5_000);
  await settle();
  expect(writes).toMatchObject(["ended what was left", [{ channelId: "a", end: "clean" }]]);
});

test("of too many waiting reports the oldest are lost, and the log says so", async () => {
  const { clock, writes, lines, state, writer } = open(2);
  state.isBroken = true;
  writer.start();
  for (const channelId of ["a", "b", "c"]) {
    writer.fact(started(channelId));
    writer.fact(ended(channelId, 2_000));
  }
  await settle();
  expect(lines.filter((line) => line.includes("lost"))).toHaveLength(1);
  state.isBroken = false;
  clock.advance(5_000);
  await settle();
  expect(writes[1]).toMatchObject([{ channelId: "b" }, { channelId: "c" }]);
});

test("closing stores the last ones, and nothing is stored afterwards", async () => {
  const { clock, writes, writer } = open();
  writer.fact(started("a"));
  writer.fact(ended("a", 2_000));
  await writer.pause();
  expect(writes.at(-1)).toMatchObject([{ channelId: "a", end: "clean" }]);
  const count = writes.length;
  writer.fact(started("b"));
  clock.advance(60_000);
  await writer.pause();
  expect(writes).toHaveLength(count);
});

test("a report that a full disk did not take is stored by the next process once it has taken over, which does not call it left", async () => {
  const first = open();
  first.state.isBroken = true;
  first.writer.fact(started("a"));
  first.writer.fact(ended("a", 4_000));
  await first.writer.pause();
  const second = open();
  second.writer.resume([], [], structuredClone(first.writer.unstored));
  second.writer.fact(started("b"));
  await settle();
  expect(second.writes).toEqual([]);
  second.writer.goOn();
  await settle();
  expect(second.kept).toEqual(["a"]);
  expect(second.writes.flat()).toMatchObject([
    "ended what was left",
    { channelId: "a", end: "clean" },
    { channelId: "b" },
  ]);
  await second.writer.pause();

  // What happens later in a broadcast that the first process carries is the second one's to store.
  first.writer.abandon();
  first.state.isBroken = false;
  first.writer.fact(started("c"));
  first.writer.fact(ended("c", 9_000));
  await first.writer.pause();
  expect([first.writes, first.writer.unstored]).toEqual([[], []]);
});

test("a broadcast that moves between nodes whose clocks are hours apart lasts as long as it lasted", async () => {
  const HOUR_MS = 3_600_000;
  const nodes = [0, -5, 9].map((hours) => {
    const node = open(undefined, () => 1);
    node.clock.setWall(100 * HOUR_MS + hours * HOUR_MS);
    return node;
  });
  const [first, ...others] = nodes;
  const begin = started("a", 100 * HOUR_MS);
  first?.writer.fact(begin);
  first?.clock.advance(60_000);
  let report = first?.writer.running()[0];
  for (const { clock, writer } of others) {
    writer.resume(report === undefined ? [] : [report], [{ channelId: "a", facts: [begin] }]);
    clock.advance(60_000);
    [report] = writer.running();
  }
  expect(report).toMatchObject({ startTime: 100 * HOUR_MS, endTime: 100 * HOUR_MS + 180_000 });
});
