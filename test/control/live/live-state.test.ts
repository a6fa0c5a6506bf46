import fc from "fast-check";
import { expect, test } from "vitest";
import { LiveState } from "../../../src/control/live/live-state.ts";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import type { ChannelSample, TargetSample } from "../../../src/thread-protocol/samples.ts";
import { channelChanged } from "../../support/stages/channel-changed.ts";
import { channelSample, targetSample } from "../../support/stages/sample.ts";
import { ManualClock } from "../manual-clock.ts";

const CHANNEL = "ls-20260101000001-AAAAA";

function started(time: number, isReturn = false): Fact {
  return {
    kind: "ingest-started",
    time,
    channelId: CHANNEL,
    ingestId: 1,
    slot: "main",
    remoteAddress: "192.0.2.1",
    encoder: "",
    isBroadcastNew: !isReturn,
  };
}

function ended(time: number, isBroadcastOver: boolean): Fact {
  return { kind: "ingest-ended", time, channelId: CHANNEL, ingestId: 1, slot: "main", end: "clean", isBroadcastOver };
}

function sample(counters: Partial<TargetSample> = {}): readonly ChannelSample[] {
  return [channelSample(CHANNEL, [targetSample(38, counters)])];
}

function view() {
  const clock = new ManualClock();
  return { clock, view: new LiveState(clock) };
}

test("an unknown channel has no state", () => {
  const { view: live } = view();
  expect(live.live(CHANNEL)).toBeUndefined();
  expect(live.publishingChannels()).toEqual([]);
  expect(live.unstored()).toEqual({ channels: [], targets: [] });
  expect(live.unstoredPublishMs(CHANNEL)).toBe(0);
  expect(live.unstoredOfTarget(CHANNEL, 38)).toEqual({ bytes: 0, playMs: 0, retryCount: 0 });
});

test("a channel is on air from its first encoder to the end of the broadcast", () => {
  const { view: live } = view();
  live.fact(started(1_000));
  expect(live.live(CHANNEL)).toEqual({ isPublishing: true, startTime: 1_000, targets: new Map() });
  expect(live.publishingChannels()).toEqual([CHANNEL]);
  live.fact(ended(5_000, true));
  expect(live.live(CHANNEL)).toEqual({ isPublishing: false, startTime: 1_000, targets: new Map() });
  expect(live.publishingChannels()).toEqual([]);
});

test("late facts of a removed channel do not bring it back", () => {
  const { view: live } = view();
  live.fact(started(1_000));
  live.fact(channelChanged("deleted", CHANNEL));
  live.fact(ended(2_000, true));
  live.fact({ kind: "publisher-active", time: 2_000, channelId: CHANNEL, ingestId: 1, slot: "main", heldMs: 0 });
  const status = { status: "FAIL", sinceTime: 2_000 } as const;
  live.fact({ kind: "target-status", time: 2_000, channelId: CHANNEL, targetId: 38, from: "PUBLISHING", status });
  live.samples(sample({ bytesTotal: 5 }));
  expect(live.live(CHANNEL)).toBeUndefined();
  expect(live.unstored()).toEqual({ channels: [], targets: [] });
});

test("an encoder that takes over continues the broadcast", () => {
  const { clock, view: live } = view();
  live.fact(started(1_000));
  clock.advance(2_000);
  live.fact(ended(3_000, false));
  live.fact(started(3_000, true));
  clock.advance(500);
  expect(live.live(CHANNEL)).toMatchObject({ isPublishing: true, startTime: 1_000 });
  expect(live.unstoredPublishMs(CHANNEL)).toBe(2_500);
});

test("time on air is measured by the monotonic clock and stands still off air", () => {
  const { clock, view: live } = view();
  live.fact(started(1_000));
  clock.wallMs -= 86_400_000;
  clock.monotonicMs += 1_500;
  live.fact(ended(2_500, true));
  clock.advance(60_000);
  expect(live.unstoredPublishMs(CHANNEL)).toBe(1_500);
  live.fact(started(90_000));
  clock.advance(250);
  expect(live.unstored().channels).toEqual([{ channelId: CHANNEL, publishMs: 1_750, recentPublishStartTime: 90_000 }]);
});

test("a target's last status and sample are shown, and a target without a status is not", () => {
  const { view: live } = view();
  const status = { status: "PUBLISHING", sinceTime: 7 } as const;
  live.fact(started(1));
  live.samples(sample({ bytesPerSecond: 10 }));
  expect(live.live(CHANNEL)?.targets).toEqual(new Map());
  live.fact({ kind: "target-status", time: 7, channelId: CHANNEL, targetId: 38, from: "CONNECTING", status });
  const [only] = sample({ bytesPerSecond: 10 });
  expect(live.live(CHANNEL)?.targets).toEqual(new Map([[38, { status, sample: only?.targets[0], onAirMs: 0 }]]));
});

test("a target's time on air restarts with each broadcast, and goes on when an encoder returns", () => {
  const { view: live } = view();
  const status = { status: "PUBLISHING", sinceTime: 7 } as const;
  const onAirMs = () => live.live(CHANNEL)?.targets.get(38)?.onAirMs;
  live.fact(started(1_000));
  live.fact({ kind: "target-status", time: 7, channelId: CHANNEL, targetId: 38, from: "CONNECTING", status });
  expect(onAirMs()).toBeUndefined();
  live.samples(sample({ playMs: 4_000 }));
  live.fact(started(3_000, true));
  live.samples(sample({ playMs: 9_000 }));
  expect(onAirMs()).toBe(9_000);
  live.fact(ended(10_000, true));
  expect(onAirMs()).toBe(9_000);
  live.fact(started(20_000));
  expect(onAirMs()).toBe(0);
  live.samples(sample({ playMs: 11_500 }));
  expect(onAirMs()).toBe(2_500);
});

test("counters are totals since the process started, and only their growth is unstored", () => {
  const { view: live } = view();
  live.fact(started(1_000));
  live.samples(sample({ bytesTotal: 100, playMs: 1_000, retryCount: 1 }));
  live.samples(sample({ bytesTotal: 250, playMs: 2_000, retryCount: 1 }));
  const batch = live.unstored();
  expect(batch.targets).toEqual([{ targetId: 38, bytes: 250, playMs: 2_000, retryCount: 1 }]);
  live.samples(sample({ bytesTotal: 300, playMs: 2_100, retryCount: 2 }));
  live.markStored(batch);
  expect(live.unstoredOfTarget(CHANNEL, 38)).toEqual({ bytes: 50, playMs: 100, retryCount: 1 });
});

test("the start of a broadcast is stored once, also when the broadcast ended before that", () => {
  const { clock, view: live } = view();
  live.fact(started(1_000));
  live.fact(ended(1_000, true));
  const batch = live.unstored();
  expect(batch.channels).toEqual([{ channelId: CHANNEL, publishMs: 0, recentPublishStartTime: 1_000 }]);
  live.fact(started(2_000));
  clock.advance(10);
  live.markStored(batch);
  expect(live.unstored().channels).toEqual([{ channelId: CHANNEL, publishMs: 10, recentPublishStartTime: 2_000 }]);
  live.markStored(live.unstored());
  expect(live.unstored().channels).toEqual([]);
});

test("reading a batch does not remove it, so what could not be written stays", () => {
  const { clock, view: live } = view();
  live.fact(started(1));
  live.samples(sample({ bytesTotal: 9 }));
  clock.advance(4);
  expect(live.unstored()).toEqual(live.unstored());
});

test("a removed channel is forgotten, and a late mark for it changes nothing", () => {
  const { view: live } = view();
  live.fact(started(1));
  live.samples(sample({ bytesTotal: 9 }));
  const batch = live.unstored();
  live.fact(channelChanged("deleted", CHANNEL));
  live.markStored(batch);
  expect(live.live(CHANNEL)).toBeUndefined();
  expect(live.unstored()).toEqual({ channels: [], targets: [] });
});

test("stored and unstored counts add up to the total, whenever batches are stored", () => {
  const steps = fc.array(
    fc.record({ bytes: fc.nat(10_000), playMs: fc.double({ min: 0, max: 2_000, noNaN: true }), flush: fc.boolean() }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(steps, (list) => {
      const { clock, view: live } = view();
      live.fact(started(1));
      let [bytesTotal, playMs, storedBytes, storedPlayMs, storedPublishMs] = [0, 0, 0, 0, 0];
      for (const step of list) {
        bytesTotal += step.bytes;
        playMs += step.playMs;
        clock.advance(step.playMs);
        live.samples(sample({ bytesTotal, playMs }));
        if (!step.flush) continue;
        const batch = live.unstored();
        for (const target of batch.targets) {
          storedBytes += target.bytes;
          storedPlayMs += target.playMs;
        }
        for (const channel of batch.channels) storedPublishMs += channel.publishMs;
        live.markStored(batch);
      }
      const left = live.unstoredOfTarget(CHANNEL, 38);
      expect(storedBytes + left.bytes).toBe(bytesTotal);
      expect(storedPlayMs + left.playMs).toBeCloseTo(playMs, 3);
      expect(storedPublishMs + live.unstoredPublishMs(CHANNEL)).toBeCloseTo(playMs, 3);
      expect([storedPlayMs, storedPublishMs].every(Number.isInteger)).toBe(true);
    }),
  );
});

test("a waiting caller gets the fact that it waits for, and not before", async () => {
  const { view: live } = view();
  live.fact(started(1_000));
  let isOver = false;
  const waiting = live
    .until(() => live.live(CHANNEL)?.isPublishing !== true, 2_000)
    .then(() => {
      isOver = true;
    });
  live.fact(started(2_000));
  await Promise.resolve();
  expect(isOver).toBe(false);
  live.fact(ended(5_000, true));
  await waiting;
  expect(isOver).toBe(true);
});

test("a waiting caller gets what another node told", async () => {
  const { view: live } = view();
  let isTold = false;
  const waiting = live.until(() => isTold, 2_000);
  isTold = true;
  live.look();
  await waiting;
});

test("a caller that waits for what is so already, or never will be, is not kept", async () => {
  const { clock, view: live } = view();
  let looks = 0;
  await live.until(() => {
    looks += 1;
    return true;
  }, 2_000);
  const waiting = live.until(() => {
    looks += 1;
    return false;
  }, 2_000);
  live.fact(started(1_000));
  clock.advance(2_000);
  await waiting;
  live.fact(ended(5_000, true));
  expect(looks).toBe(3);
});

test("a removed target is forgotten, with its last status, and the others are kept", () => {
  const { view: live } = view();
  live.fact(started(1_000));
  const tell = (targetId: number, status: "PUBLISHING" | "READY") =>
    live.fact({
      kind: "target-status",
      time: 1,
      channelId: CHANNEL,
      targetId,
      from: "CONNECTING",
      status: { status, sinceTime: 1 },
    });
  tell(38, "PUBLISHING");
  tell(39, "PUBLISHING");
  live.fact(channelChanged("target-removed", CHANNEL, 38));
  tell(38, "READY");
  tell(39, "READY");
  expect([...(live.live(CHANNEL)?.targets.keys() ?? [])]).toEqual([39]);
});

test("running times are shown by the present clock, whatever it was set to since", () => {
  const { clock, view: live } = view();
  const DAYS_400_MS = 400 * 24 * 60 * 60 * 1_000;
  live.fact(started(clock.wallMs));
  const { wallMs } = clock;
  const lastError = { code: "TCP_RESET", severity: "transient", message: "", messageKo: "", time: wallMs } as const;
  const status = { status: "FAIL", sinceTime: wallMs, lastError, nextRetryTime: wallMs + 30_000 } as const;
  live.fact({ kind: "target-status", time: wallMs, channelId: CHANNEL, targetId: 38, from: "READY", status });
  live.samples([channelSample(CHANNEL, [targetSample(38, {})])]);
  const agesMs = () => {
    const channel = live.live(CHANNEL);
    const target = channel?.targets.get(38)?.status;
    return [
      clock.wallMs - (channel?.startTime ?? 0),
      clock.wallMs - (target?.sinceTime ?? 0),
      clock.wallMs - (target?.lastError?.time ?? 0),
      (target?.nextRetryTime ?? 0) - clock.wallMs,
    ];
  };
  for (const [index, stepMs] of [DAYS_400_MS, -2 * DAYS_400_MS, DAYS_400_MS].entries()) {
    clock.advance(5_000);
    clock.wallMs += stepMs;
    const agedMs = 5_000 * (index + 1);
    expect(agesMs()).toEqual([agedMs, agedMs, agedMs, 30_000 - agedMs]);
  }
  // Small differences are the clock's drift.
  clock.wallMs += 900;
  expect(agesMs()[0]).toBe(15_900);
  // A broadcast that is over keeps its stored times.
  clock.wallMs += DAYS_400_MS;
  live.fact(ended(clock.wallMs, true));
  expect(live.live(CHANNEL)?.startTime).toBe(wallMs);
});
