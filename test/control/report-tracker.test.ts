import { expect, test } from "vitest";
import { ReportTracker } from "../../src/control/reports/report-tracker.ts";
import type { Fact, IngestEnd } from "../../src/thread-protocol/facts.ts";
import type { TargetSample } from "../../src/thread-protocol/samples.ts";
import type { ConnectStatus, TargetErrorCode } from "../../src/thread-protocol/targets/target-status.ts";
import { channelSample, targetSample } from "../support/sample.ts";

const CHANNEL = "ls-20260101000000-00001";
const NO_DROPS = { overTime: 0, overBytes: 0, untilKeyframe: 0 };
const NONE = { list: [], count: 0 };

/** Facts and samples of one channel, told to a tracker by the second. */
class Told {
  readonly tracker = new ReportTracker();
  /** By how much somebody set the clock of the day. */
  wallStepMs = 0;

  fact(second: number, what: Record<string, unknown> & { readonly kind: Fact["kind"] }) {
    const ingest = { ingestId: 1, slot: "main", remoteAddress: "192.0.2.1", encoder: "e", isBroadcastNew: true };
    const time = second * 1_000 + this.wallStepMs;
    return this.tracker.fact({ time, channelId: CHANNEL, ...ingest, ...what } as Fact, second * 1_000);
  }

  start(second: number, ingestId = 1) {
    this.fact(second, { kind: "ingest-started", ingestId });
  }

  end(second: number, end: IngestEnd = "clean", isBroadcastOver = true) {
    return this.fact(second, { kind: "ingest-ended", end, isBroadcastOver });
  }

  status(second: number, targetId: number, status: ConnectStatus, code?: TargetErrorCode) {
    const lastError = { code, severity: "transient", message: "m", messageKo: "m", time: 1 };
    const now = { status, sinceTime: second, ...(code === undefined ? {} : { lastError }) };
    this.fact(second, { kind: "target-status", targetId, from: "READY", status: now });
  }

  sample(targetId: number, counters: Partial<TargetSample>) {
    this.tracker.samples([channelSample(CHANNEL, [targetSample(targetId, counters)])]);
  }
}

test("a report has how long each platform was on air, what interrupted it, what it lost and what it was sent", () => {
  const told = new Told();
  told.start(10);
  told.status(11, 7, "CONNECTING");
  told.status(12, 7, "PUBLISHING");
  told.status(12, 8, "CONNECTING");
  told.status(13, 8, "FAIL", "AUTH_FAILED");
  told.sample(7, { bytesTotal: 800, playMs: 8_000 });
  told.status(20, 7, "FAIL", "TCP_RESET");
  told.status(21, 7, "CONNECTING", "TCP_RESET");
  told.status(22, 7, "FAIL", "TCP_RESET");
  told.status(23, 7, "FAIL", "TCP_REFUSED");
  told.status(25, 7, "PUBLISHING");
  told.sample(7, { bytesTotal: 2_300, playMs: 23_000, retryCount: 3, drops: { ...NO_DROPS, overTime: 4 } });
  told.status(40, 7, "READY");
  told.status(40, 8, "READY");
  expect(told.end(40)).toEqual({
    channelId: CHANNEL,
    startTime: 10_000,
    endTime: 40_000,
    end: "clean",
    interruptions: NONE,
    targets: [
      {
        targetId: 7,
        onAirMs: 23_000,
        bytes: 2_300,
        retryCount: 3,
        drops: { ...NO_DROPS, overTime: 4 },
        interruptions: {
          list: [
            { time: 20_000, durationMs: 3_000, reason: "TCP_RESET" },
            { time: 23_000, durationMs: 2_000, reason: "TCP_REFUSED" },
          ],
          count: 2,
        },
      },
      {
        targetId: 8,
        onAirMs: 0,
        bytes: 0,
        retryCount: 0,
        drops: NO_DROPS,
        interruptions: { list: [{ time: 13_000, durationMs: 27_000, reason: "AUTH_FAILED" }], count: 1 },
      },
    ],
  });
  expect(told.end(41)).toBeUndefined();
});

test("a lost encoder interrupts the broadcast and does not end it; a takeover does neither", () => {
  const told = new Told();
  told.start(10);
  told.fact(10, { kind: "publisher-active", heldMs: 0 });
  expect(told.end(15, "connection-lost", false)).toBeUndefined();
  told.fact(15, { kind: "ingest-held", end: "connection-lost", holdSeconds: 120 });
  told.start(18, 2);
  told.fact(18, { kind: "publisher-active", heldMs: 3_000 });
  told.start(20, 3);
  told.end(20, "replaced", false);
  told.fact(25, { kind: "ingest-held", end: "frozen", holdSeconds: 5 });
  expect(told.end(30, "hold-expired")).toMatchObject({
    startTime: 10_000,
    endTime: 30_000,
    end: "hold-expired",
    interruptions: {
      list: [
        { time: 15_000, durationMs: 3_000, reason: "connection-lost" },
        { time: 25_000, durationMs: 5_000, reason: "frozen" },
      ],
      count: 2,
    },
  });
});

test("counters go on over broadcasts; a report has its own broadcast's share", () => {
  const told = new Told();
  const bytes = (end: ReturnType<Told["end"]>) => end?.targets.map((target) => target.bytes);
  told.start(10);
  told.status(10, 7, "CONNECTING");
  told.sample(7, { bytesTotal: 1_000 });
  expect(bytes(told.end(20))).toEqual([1_000]);
  told.start(30, 2);
  told.status(30, 7, "CONNECTING");
  told.sample(7, { bytesTotal: 1_700 });
  expect(bytes(told.end(40))).toEqual([700]);
});

test("a platform that was never tried is in no report; one that was removed keeps its part and its name", () => {
  const told = new Told();
  told.start(10);
  told.sample(9, { bytesTotal: 0 });
  told.status(10, 9, "READY");
  told.status(10, 7, "CONNECTING");
  expect(told.tracker.nameless()).toEqual([CHANNEL]);
  told.sample(7, { bytesTotal: 500 });
  const target = { targetId: 7, targetName: "TWITCH", label: "Mine" };
  const removed = { kind: "channel-changed", change: "target-removed", target } as const;
  told.tracker.fact({ ...removed, time: 12_000, channelId: CHANNEL, channelName: "channel001" }, 12_000);
  expect(told.tracker.nameless()).toEqual([]);
  expect(told.tracker.running(15_000)).toMatchObject([{ startTime: 10_000, endTime: 15_000 }]);
  expect(told.tracker.running(15_000)[0]).not.toHaveProperty("end");
  expect(told.end(20)?.targets).toMatchObject([{ targetId: 7, targetName: "TWITCH", label: "Mine", bytes: 500 }]);
  expect(told.tracker.running(21_000)).toEqual([]);
});

test("fifty interruptions are told one by one, further ones counted; times never go back", () => {
  const told = new Told();
  told.start(10);
  for (let count = 0; count < 60; count += 1) {
    told.status(10 + count, 7, "FAIL", "STALLED");
    told.status(10 + count, 7, "PUBLISHING");
  }
  told.status(100, 7, "FAIL", "STALLED");
  const { list = [], count } = told.tracker.running(100_000)[0]?.targets[0]?.interruptions ?? {};
  expect([list.length, count, list.at(-1)?.time]).toEqual([50, 61, 59_000]);
});

test("a clock that is set on air, forward and back, changes no duration", () => {
  const DAYS_400_MS = 400 * 24 * 60 * 60 * 1_000;
  const told = new Told();
  told.start(10);
  told.wallStepMs = DAYS_400_MS;
  told.status(12, 7, "FAIL", "TCP_RESET");
  told.fact(20, { kind: "ingest-held", end: "connection-lost", holdSeconds: 120 });
  told.wallStepMs = -DAYS_400_MS;
  told.status(15, 7, "PUBLISHING");
  told.fact(23, { kind: "publisher-active", heldMs: 3_000 });
  expect(told.end(40)).toMatchObject({
    startTime: 10_000,
    endTime: 40_000,
    interruptions: { list: [{ time: 20_000, durationMs: 3_000, reason: "connection-lost" }] },
    targets: [{ interruptions: { list: [{ time: 12_000, durationMs: 3_000, reason: "TCP_RESET" }] } }],
  });
});
