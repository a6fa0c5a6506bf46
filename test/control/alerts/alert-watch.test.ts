import { expect, test } from "vitest";
import { AlertWatch } from "../../../src/control/alerts/alert-watch.ts";
import type { SourceStatus } from "../../../src/control/channels/source.ts";
import type { ChannelEvent } from "../../../src/control/events/events.ts";
import { type ChannelHealth, channelHealth } from "../../../src/control/health/channel-health.ts";
import { pullError } from "../../../src/sources/pull-links/pull-errors.ts";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import { channelSample } from "../../support/stages/sample.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const CHANNEL = "ls-1";
const HEALTHY: ChannelHealth = { state: "healthy", reasonCount: 0 };
const BROKEN: ChannelHealth = {
  state: "broken",
  reason: { code: "STALLED", message: { en: "m", ko: "m" }, targetId: 7, nextStep: "WAIT" },
  reasonCount: 1,
};
const FAILED_PULL = {
  status: "FAIL",
  sinceTime: 1,
  isUnstable: false,
  lastError: { ...pullError("connection-refused"), time: 1 },
} as const;
const SAMPLE = [channelSample(CHANNEL, [])];
const SOME_FACT: Fact = { kind: "encoders-fight", time: 1, channelId: CHANNEL, slot: "main" };

function stage() {
  const clock = new VirtualClock();
  const told: string[] = [];
  const state = { health: HEALTHY, hasReaders: true };
  const watch = new AlertWatch({
    clock,
    healthOf: () => state.health,
    hasReaders: () => state.hasReaders,
    onAlert: ({ severity, verdict }) => told.push(verdict.lostBy === undefined ? severity : `lost ${verdict.lostBy}`),
  });
  return { clock, told, state, watch };
}

const ended = (change: Partial<ChannelEvent>): ChannelEvent => ({
  ...{ eventId: 1, channelId: CHANNEL, code: "PUBLISH_END", level: "WARN", time: 1, description: "d" },
  reason: "connection-lost",
  ...change,
});

test("a change in a sample or a fact gives an alert, and one that waits for its minute comes at the end of it", () => {
  const { clock, told, state, watch } = stage();
  watch.samples(SAMPLE);
  state.health = BROKEN;
  watch.fact(SOME_FACT);
  watch.samples(SAMPLE);
  expect(told).toEqual(["broken"]);
  state.health = HEALTHY;
  watch.samples(SAMPLE);
  clock.advance(59_999);
  expect(told).toEqual(["broken"]);
  clock.advance(1);
  expect(told).toEqual(["broken", "healthy"]);
  watch.close();
});

test("a server that goes on with a broadcast tells the end of a trouble that the one before told", () => {
  const [before, after] = [stage(), stage()];
  before.watch.samples(SAMPLE);
  before.state.health = BROKEN;
  before.watch.samples(SAMPLE);
  before.clock.advance(40_000);
  const told = before.watch.told(CHANNEL);
  expect(told).toEqual({ key: "broken STALLED 7", rank: 2, quietMs: 20_000 });
  if (told !== undefined) after.watch.resume(CHANNEL, told);
  before.state.health = HEALTHY;
  before.watch.samples(SAMPLE);
  // It waits for its minute in the one before, which has left the channel by then.
  before.watch.leave(CHANNEL);
  after.watch.samples(SAMPLE);
  for (const { clock } of [before, after]) clock.advance(20_000);
  expect([before.told, after.told]).toEqual([["broken"], ["healthy"]]);
  for (const { watch } of [before, after]) watch.close();
});

test("without a reader nothing is watched, and the first reader finds channels as they are", () => {
  const { told, state, watch } = stage();
  watch.samples(SAMPLE);
  state.hasReaders = false;
  state.health = BROKEN;
  watch.samples(SAMPLE);
  watch.event(ended({}));
  state.hasReaders = true;
  watch.samples(SAMPLE);
  expect(told).toEqual([]);
});

test("a broadcast that ends by itself is a loss, and one that a person or a stopping server ends is not", () => {
  const { told, watch } = stage();
  for (const change of [
    { level: "INFO", reason: "ended" },
    { reason: "shutdown" },
    { code: "PUBLISH_START" },
  ] as const) {
    watch.event(ended(change));
  }
  expect(told).toEqual([]);
  watch.event(ended({ reason: "hold-expired" }));
  expect(told).toEqual(["lost encoder"]);
});

test.each([
  { source: { state: "starting", sinceTime: 2 }, reason: "hold-expired", lost: "lost source" },
  { source: { state: "failed", sinceTime: 2, link: FAILED_PULL }, reason: "hold-expired", lost: "lost source" },
  { source: { state: "stopped", sinceTime: 2, reason: "replaced" }, reason: "connection-lost", lost: "lost encoder" },
  { source: { state: "failed", sinceTime: 2, link: FAILED_PULL }, reason: "server-lost", lost: "lost server" },
] as const)("a loss names what was lost: $lost, $source.state", ({ source, reason, lost }) => {
  const { told, state, watch } = stage();
  state.health = channelHealth({ state: "live", live: undefined, warnings: [], source });
  watch.event(ended({ reason }));
  expect(told).toEqual([lost]);
});

test("a pulled source that fails again and again off air is one alert", () => {
  const clock = new VirtualClock();
  const told: string[] = [];
  let source: SourceStatus = { state: "stopped", sinceTime: 0 };
  const watch = new AlertWatch({
    clock,
    healthOf: () => channelHealth({ state: "live", live: undefined, warnings: [], source }),
    hasReaders: () => true,
    onAlert: ({ severity, verdict }) => told.push(`${severity} ${verdict.health?.reason?.code}`),
  });
  const become = (status: SourceStatus) => {
    const from = source.state;
    source = status;
    watch.fact({ kind: "source-changed", time: clock.wallNow(), channelId: CHANNEL, from, status });
  };
  become({ state: "starting", sinceTime: 1 });
  for (const _attempt of [1, 2, 3]) {
    become({ state: "failed", sinceTime: 1, link: FAILED_PULL });
    clock.advance(30_000);
    become({ state: "starting", sinceTime: 1, link: { ...FAILED_PULL, status: "CONNECTING" } });
  }
  expect(told).toEqual(["broken TCP_REFUSED"]);
  clock.advance(120_000);
  expect(told).toEqual(["broken TCP_REFUSED"]);
  watch.close();
});

test("a deleted channel is forgotten", () => {
  const { told, state, watch } = stage();
  watch.samples(SAMPLE);
  watch.fact({ kind: "channel-changed", change: "deleted", time: 1, channelId: CHANNEL, channelName: "n" });
  state.health = BROKEN;
  watch.samples(SAMPLE);
  expect(told).toEqual([]);
});
