import { expect, test } from "vitest";
import { ReportTracker } from "../../../src/control/reports/report-tracker.ts";
import type { Fact, IngestEnd } from "../../../src/thread-protocol/facts.ts";
import type { TargetSample } from "../../../src/thread-protocol/samples.ts";
import type { ConnectStatus, TargetErrorCode } from "../../../src/thread-protocol/targets/target-status.ts";
import { channelSample, targetSample } from "../../support/stages/sample.ts";

const CHANNEL = "ls-20260101000000-00001";
const NO_DROPS = { overTime: 0, overBytes: 0, untilKeyframe: 0 };
const NONE = { list: [], count: 0 };

/** Facts and samples of one channel, given to a tracker by the second. */
class Tracked {
  readonly tracker = new ReportTracker();
  /** By how much the wall clock was set. */
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

test("a report has each platform's time on air, interruptions, losses and bytes", () => {
  const tracked = new Tracked();
  tracked.start(10);
  tracked.status(11, 7, "CONNECTING");
  tracked.status(12, 7, "PUBLISHING");
  tracked.status(12, 8, "CONNECTING");
  tracked.status(13, 8, "FAIL", "AUTH_FAILED");
  tracked.sample(7, { bytesTotal: 800, playMs: 8_000 });
  tracked.status(20, 7, "FAIL", "TCP_RESET");
  tracked.status(21, 7, "CONNECTING", "TCP_RESET");
  tracked.status(22, 7, "FAIL", "TCP_RESET");
  tracked.status(23, 7, "FAIL", "TCP_REFUSED");
  tracked.status(25, 7, "PUBLISHING");
  tracked.sample(7, { bytesTotal: 2_300, playMs: 23_000, retryCount: 3, drops: { ...NO_DROPS, overTime: 4 } });
  tracked.status(40, 7, "READY");
  tracked.status(40, 8, "READY");
  expect(tracked.end(40)).toEqual({
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
  expect(tracked.end(41)).toBeUndefined();
});

test("a lost encoder interrupts the broadcast and does not end it; a takeover does neither", () => {
  const tracked = new Tracked();
  tracked.start(10);
  tracked.fact(10, { kind: "publisher-active", heldMs: 0 });
  expect(tracked.end(15, "connection-lost", false)).toBeUndefined();
  tracked.fact(15, { kind: "ingest-held", end: "connection-lost", holdSeconds: 120 });
  tracked.start(18, 2);
  tracked.fact(18, { kind: "publisher-active", heldMs: 3_000 });
  tracked.start(20, 3);
  tracked.end(20, "replaced", false);
  tracked.fact(25, { kind: "ingest-held", end: "frozen", holdSeconds: 5 });
  expect(tracked.end(30, "hold-expired")).toMatchObject({
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

test("counters go on over broadcasts, and a report has its own broadcast's share", () => {
  const tracked = new Tracked();
  const bytes = (end: ReturnType<Tracked["end"]>) => end?.targets.map((target) => target.bytes);
  tracked.start(10);
  tracked.status(10, 7, "CONNECTING");
  tracked.sample(7, { bytesTotal: 1_000 });
  expect(bytes(tracked.end(20))).toEqual([1_000]);
  tracked.start(30, 2);
  tracked.status(30, 7, "CONNECTING");
  tracked.sample(7, { bytesTotal: 1_700 });
  expect(bytes(tracked.end(40))).toEqual([700]);
});

test("a platform that was never tried is in no report, and a removed one keeps its part and its name", () => {
  const tracked = new Tracked();
  tracked.start(10);
  tracked.sample(9, { bytesTotal: 0 });
  tracked.status(10, 9, "READY");
  tracked.status(10, 7, "CONNECTING");
  expect(tracked.tracker.nameless()).toEqual([CHANNEL]);
  tracked.sample(7, { bytesTotal: 500 });
  const target = { targetId: 7, targetName: "TWITCH", label: "Mine" };
  const removed = { kind: "channel-changed", change: "target-removed", target } as const;
  tracked.tracker.fact({ ...removed, time: 12_000, channelId: CHANNEL, channelName: "channel001" }, 12_000);
  expect(tracked.tracker.nameless()).toEqual([]);
  expect(tracked.tracker.running(15_000)).toMatchObject([{ startTime: 10_000, endTime: 15_000 }]);
  expect(tracked.tracker.running(15_000)[0]).not.toHaveProperty("end");
  expect(tracked.end(20)?.targets).toMatchObject([{ targetId: 7, targetName: "TWITCH", label: "Mine", bytes: 500 }]);
  expect(tracked.tracker.running(21_000)).toEqual([]);
});

test("fifty interruptions are listed, further ones counted, and times never go back", () => {
  const tracked = new Tracked();
  tracked.start(10);
  for (let count = 0; count < 60; count += 1) {
    tracked.status(10 + count, 7, "FAIL", "STALLED");
    tracked.status(10 + count, 7, "PUBLISHING");
  }
  tracked.status(100, 7, "FAIL", "STALLED");
  const { list = [], count } = tracked.tracker.running(100_000)[0]?.targets[0]?.interruptions ?? {};
  expect([list.length, count, list.at(-1)?.time]).toEqual([50, 61, 59_000]);
});

test("a clock that is set on air, forward and back, changes no duration", () => {
  const DAYS_400_MS = 400 * 24 * 60 * 60 * 1_000;
  const tracked = new Tracked();
  tracked.start(10);
  tracked.wallStepMs = DAYS_400_MS;
  tracked.status(12, 7, "FAIL", "TCP_RESET");
  tracked.fact(20, { kind: "ingest-held", end: "connection-lost", holdSeconds: 120 });
  tracked.wallStepMs = -DAYS_400_MS;
  tracked.status(15, 7, "PUBLISHING");
  tracked.fact(23, { kind: "publisher-active", heldMs: 3_000 });
  expect(tracked.end(40)).toMatchObject({
    startTime: 10_000,
    endTime: 40_000,
    interruptions: { list: [{ time: 20_000, durationMs: 3_000, reason: "connection-lost" }] },
    targets: [{ interruptions: { list: [{ time: 12_000, durationMs: 3_000, reason: "TCP_RESET" }] } }],
  });
});

test("a broadcast of nothing but the test pattern is reported as a test, and one that an encoder took over is not", () => {
  const tracked = new Tracked();
  tracked.fact(1, { kind: "ingest-started", testPatternEndTime: 9_000 });
  expect(tracked.end(5, "test-pattern-over")).toMatchObject({ isTest: true, end: "test-pattern-over" });
  tracked.fact(11, { kind: "ingest-started", testPatternEndTime: 19_000 });
  tracked.start(12, 2);
  tracked.end(13, "test-pattern-over", false);
  expect(tracked.end(20)).not.toHaveProperty("isTest");
  tracked.start(31);
  expect(tracked.end(32)).not.toHaveProperty("isTest");
});

test("a report names the encoders that were rejected meanwhile: of its channel, or with a key of no channel", () => {
  const tracked = new Tracked();
  const refuse = (second: number, remoteAddress: string, reason: "unknown-key" | "auth-failed", channelId?: string) =>
    tracked.tracker.fact(
      {
        ...{ kind: "ingest-refused", time: second * 1_000, remoteAddress, reason, count: 2 },
        ...(channelId === undefined ? {} : { channelId }),
      },
      second * 1_000,
    );
  refuse(1, "192.0.2.1", "unknown-key");
  tracked.start(10);
  refuse(11, "192.0.2.2", "unknown-key");
  refuse(12, "192.0.2.3", "auth-failed", CHANNEL);
  refuse(13, "192.0.2.4", "auth-failed", "another");
  refuse(14, "192.0.2.2", "unknown-key");
  expect(tracked.end(20)?.refused).toEqual([
    { remoteAddress: "192.0.2.2", reason: "unknown-key", firstTime: 11_000, lastTime: 14_000, count: 4 },
    {
      remoteAddress: "192.0.2.3",
      reason: "auth-failed",
      channelId: CHANNEL,
      firstTime: 12_000,
      lastTime: 12_000,
      count: 2,
    },
  ]);
  // A guesser with ever new addresses does not fill a report.
  tracked.start(30);
  for (let host = 0; host < 50; host += 1) refuse(31, `192.0.2.${host}`, "unknown-key");
  expect(tracked.end(40)?.refused).toHaveLength(20);
});
