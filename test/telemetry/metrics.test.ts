import { expect, test } from "vitest";
import { ClusterMetrics } from "../../src/telemetry/cluster-metrics.ts";
import { LoopWatch } from "../../src/telemetry/loop-watch.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import type { ChannelSample, TargetSample } from "../../src/thread-protocol/samples.ts";
import type { TargetStatus } from "../../src/thread-protocol/targets/target-status.ts";
import { slowTarget, targetWarning } from "../../src/thread-protocol/targets/target-warnings.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { channelChanged } from "../support/stages/channel-changed.ts";

/** The watch looks at the loop every 100 ms. */
const TWO_LOOKS_MS = 200;
const CHANNEL = "ls-20260102030405-aB3dE";
const INGEST = { time: 1, channelId: CHANNEL, ingestId: 1, slot: "main" } as const;
const STARTED = {
  ...INGEST,
  kind: "ingest-started",
  remoteAddress: "192.0.2.1",
  encoder: "x",
  isBroadcastNew: true,
} as const;
const ENDED = { ...INGEST, kind: "ingest-ended", end: "clean", isBroadcastOver: true } as const;

const TARGET: TargetSample = {
  targetId: 7,
  bytesPerSecond: 1,
  bytesTotal: 4_000,
  playMs: 2_500,
  retryCount: 0,
  droppedFrames: 6,
  drops: { overTime: 1, overBytes: 2, untilKeyframe: 3 },
  queueMs: 250,
  isUnstable: false,
};

function sample(targets: readonly TargetSample[]): ChannelSample {
  const ingest = {
    state: "LIVE",
    slot: "main",
    remoteAddress: "192.0.2.1",
    encoder: "x",
    startTime: 1,
    bytesPerSecond: 9,
    bytesTotal: 5_000,
  } as const;
  return { channelId: CHANNEL, ingest, targets };
}

const setStatus = (metrics: Metrics, targetId: number, status: TargetStatus) =>
  metrics.fact({ kind: "target-status", time: 1, channelId: CHANNEL, targetId, from: "READY", status });

async function linesOf(metrics: Metrics): Promise<string[]> {
  // Series that are always there, whatever is measured.
  const isUsual = (line: string) =>
    line === "" || line.startsWith("#") || /^fanfare_(log_lines_lost_total|audit_[a-z_]+(\{.*\})?) 0$/.test(line);
  return (await metrics.text()).split("\n").filter((line) => !isUsual(line));
}

test("a channel on air has its bytes, each target its state, bytes, time, queue and drops by reason", async () => {
  const metrics = new Metrics(() => "healthy");
  metrics.fact(STARTED);
  setStatus(metrics, 7, { status: "PUBLISHING", sinceTime: 1 });
  metrics.samples([sample([TARGET])]);
  const target = `channel_id="${CHANNEL}",target_id="7"`;
  expect(await linesOf(metrics)).toEqual([
    "fanfare_channels_on_air 1",
    `fanfare_channel_health{channel_id="${CHANNEL}",state="healthy"} 1`,
    `fanfare_channel_health{channel_id="${CHANNEL}",state="attention"} 0`,
    `fanfare_channel_health{channel_id="${CHANNEL}",state="broken"} 0`,
    `fanfare_channel_health{channel_id="${CHANNEL}",state="waiting"} 0`,
    `fanfare_ingest_received_bytes_total{channel_id="${CHANNEL}"} 5000`,
    `fanfare_target_state{${target},state="READY"} 0`,
    `fanfare_target_state{${target},state="CONNECTING"} 0`,
    `fanfare_target_state{${target},state="PUBLISHING"} 1`,
    `fanfare_target_state{${target},state="FAIL"} 0`,
    `fanfare_target_sent_bytes_total{${target}} 4000`,
    `fanfare_target_publishing_seconds_total{${target}} 2.5`,
    `fanfare_target_dropped_frames_total{${target},reason="queue_time"} 1`,
    `fanfare_target_dropped_frames_total{${target},reason="queue_bytes"} 2`,
    `fanfare_target_dropped_frames_total{${target},reason="until_keyframe"} 3`,
    `fanfare_target_queue_seconds{${target}} 0.25`,
    `fanfare_target_unacknowledged_bytes{${target}} 0`,
    `fanfare_target_unstable{${target}} 0`,
    `fanfare_target_slow{${target}} 0`,
    `fanfare_target_waiting{${target}} 0`,
    `fanfare_target_silence{${target}} 0`,
    `fanfare_slate_shown{channel_id="${CHANNEL}"} 0`,
  ]);
});

test("silence in place of audio and the slate have a mark while they are shown", async () => {
  const metrics = new Metrics(() => "healthy");
  metrics.fact(STARTED);
  const shown = sample([{ ...TARGET, hasSilence: true }]);
  metrics.samples([{ ...shown, ingest: { ...shown.ingest, isSlateShown: true } }]);
  const now = async () => (await linesOf(metrics)).filter((line) => /_(silence|slate_shown)\{/.test(line));
  expect(await now()).toEqual([
    `fanfare_target_silence{channel_id="${CHANNEL}",target_id="7"} 1`,
    `fanfare_slate_shown{channel_id="${CHANNEL}"} 1`,
  ]);
  metrics.fact(ENDED);
  expect((await now()).every((line) => line.endsWith(" 0"))).toBe(true);
});

test("a target that is slow or unstable has its warning, also while it is PUBLISHING, and not off air any more", async () => {
  const metrics = new Metrics(() => "healthy");
  metrics.fact(STARTED);
  setStatus(metrics, 7, { status: "PUBLISHING", sinceTime: 1, warning: slowTarget(1, 2) });
  metrics.samples([sample([{ ...TARGET, isUnstable: true, unackedBytes: 90 }])]);
  const labels = `{channel_id="${CHANNEL}",target_id="7"}`;
  const now = async () =>
    (await linesOf(metrics)).filter((line) => /_(unacknowledged_bytes|unstable|slow)\{/.test(line));
  expect(await now()).toEqual([
    `fanfare_target_unacknowledged_bytes${labels} 90`,
    `fanfare_target_unstable${labels} 1`,
    `fanfare_target_slow${labels} 1`,
  ]);
  setStatus(metrics, 7, { status: "READY", sinceTime: 1 });
  metrics.fact(ENDED);
  expect((await now()).every((line) => line.endsWith(" 0"))).toBe(true);
});

test("a target that gets no media has its warning while that lasts", async () => {
  const metrics = new Metrics(() => "healthy");
  metrics.fact(STARTED);
  const now = async () => (await linesOf(metrics)).filter((line) => line.startsWith("fanfare_target_waiting{"));
  metrics.samples([sample([TARGET])]);
  for (const [warning, value] of [
    [targetWarning("no-keyframe"), 1],
    [targetWarning("no-media"), 1],
    [slowTarget(1, 2), 0],
  ] as const) {
    setStatus(metrics, 7, { status: "PUBLISHING", sinceTime: 1, warning });
    expect(await now()).toEqual([`fanfare_target_waiting{channel_id="${CHANNEL}",target_id="7"} ${value}`]);
  }
});

test("reconnects are counted by the failure before them, and the first attempt is none", async () => {
  const metrics = new Metrics(() => "healthy");
  const lastError = { code: "TCP_RESET", severity: "transient", message: "", messageKo: "오류", time: 1 } as const;
  metrics.fact(STARTED);
  setStatus(metrics, 7, { status: "CONNECTING", sinceTime: 1 });
  setStatus(metrics, 7, { status: "FAIL", sinceTime: 1, lastError, retryAttempt: 1 });
  setStatus(metrics, 7, { status: "CONNECTING", sinceTime: 1, lastError, retryAttempt: 1 });
  setStatus(metrics, 7, { status: "CONNECTING", sinceTime: 1, lastError, retryAttempt: 2 });
  const count = (await linesOf(metrics)).filter((line) => line.includes("reconnects_total"));
  expect(count).toEqual([
    `fanfare_target_reconnects_total{channel_id="${CHANNEL}",target_id="7",reason="TCP_RESET"} 2`,
  ]);
});

test("encoders that leave or are refused are counted by reason", async () => {
  const metrics = new Metrics(() => "healthy");
  metrics.fact(STARTED);
  metrics.fact({ ...ENDED, end: "timed-out", isBroadcastOver: false });
  metrics.fact({ kind: "ingest-refused", count: 1, time: 1, remoteAddress: "192.0.2.9", reason: "unknown-key" });
  const lines = await linesOf(metrics);
  expect(lines).toContain('fanfare_ingest_ended_total{reason="timed-out"} 1');
  expect(lines).toContain('fanfare_ingest_refused_total{reason="unknown-key"} 1');
  // A flood is reported once a second, with its count.
  metrics.fact({ kind: "ingest-refused", count: 40, time: 1, remoteAddress: "192.0.2.9", reason: "too-many-guesses" });
  expect(await linesOf(metrics)).toContain('fanfare_ingest_refused_total{reason="too-many-guesses"} 40');
  expect(lines).toContain("fanfare_channels_on_air 1");
  metrics.fact(ENDED);
  expect(await linesOf(metrics)).toContain("fanfare_channels_on_air 0");
});

test("off air nothing waits any more, and counts stay", async () => {
  const metrics = new Metrics(() => "healthy");
  metrics.fact(STARTED);
  metrics.samples([sample([TARGET])]);
  metrics.fact(ENDED);
  const text = await metrics.text();
  expect(text).toContain('target_id="7"} 4000');
  expect(text).toContain(`fanfare_target_queue_seconds{channel_id="${CHANNEL}",target_id="7"} 0`);
});

test("a removed target's series end, and a deleted channel's too", async () => {
  const metrics = new Metrics(() => "healthy");
  metrics.fact(STARTED);
  metrics.samples([sample([TARGET, { ...TARGET, targetId: 8 }])]);
  expect(await metrics.text()).toContain('target_id="8"');
  metrics.samples([sample([TARGET])]);
  expect(await metrics.text()).not.toContain('target_id="8"');
  metrics.fact(channelChanged("deleted", CHANNEL));
  expect(await metrics.text()).not.toContain(CHANNEL);
});

test("late facts of a deleted channel or a removed target bring nothing back", async () => {
  const metrics = new Metrics(() => "healthy");
  metrics.fact(STARTED);
  setStatus(metrics, 7, { status: "PUBLISHING", sinceTime: 1 });
  metrics.fact(channelChanged("target-removed", CHANNEL, 7));
  setStatus(metrics, 7, { status: "READY", sinceTime: 2 });
  expect(await metrics.text()).not.toContain("target_id");
  metrics.fact(channelChanged("deleted", CHANNEL));
  setStatus(metrics, 7, { status: "FAIL", sinceTime: 3 });
  metrics.samples([sample([TARGET])]);
  metrics.fact(ENDED);
  expect(await metrics.text()).not.toContain(CHANNEL);
});

test("scraping twice counts nothing twice", async () => {
  const metrics = new Metrics(() => "healthy");
  metrics.fact(STARTED);
  metrics.samples([sample([TARGET])]);
  expect(await metrics.text()).toContain("fanfare_target_sent_bytes_total{");
  expect(await metrics.text()).toBe(await metrics.text());
});

test("every thread's event loop delays are there in seconds", async () => {
  const metrics = new Metrics(() => "healthy");
  metrics.threads.loopDelay("media", { median: 0.001, p99: 0.02, max: 0.5, load: 0.25 });
  metrics.threads.loopDelay("control", { median: 0.002, p99: 0.03, max: 0.6, load: 0.5 });
  const name = "fanfare_event_loop_delay_seconds";
  expect(await linesOf(metrics)).toEqual([
    "fanfare_channels_on_air 0",
    `${name}{thread="media",quantile="0.5"} 0.001`,
    `${name}{thread="media",quantile="0.99"} 0.02`,
    `${name}{thread="media",quantile="1"} 0.5`,
    `${name}{thread="control",quantile="0.5"} 0.002`,
    `${name}{thread="control",quantile="0.99"} 0.03`,
    `${name}{thread="control",quantile="1"} 0.6`,
    'fanfare_event_loop_load{thread="media"} 0.25',
    'fanfare_event_loop_load{thread="control"} 0.5',
  ]);
});

test("the number of connections that each thread reads or writes by direct system calls is there", async () => {
  const metrics = new Metrics(() => "healthy");
  metrics.threads.directSockets("media-1", 3);
  metrics.threads.directSockets("media-2", 0);
  metrics.threads.directSockets("media-1", 2);
  expect(await linesOf(metrics)).toEqual([
    "fanfare_channels_on_air 0",
    'fanfare_direct_sockets{thread="media-1"} 2',
    'fanfare_direct_sockets{thread="media-2"} 0',
  ]);
});

test("remote encoders and players, and waits for the channel's thread, are counted", async () => {
  const metrics = new Metrics(() => "healthy");
  for (const what of ["encoder", "encoder", "player"] as const) metrics.threads.remoteConnection(what);
  metrics.threads.remotePublisherWaits("media-2");
  expect(await linesOf(metrics)).toEqual([
    "fanfare_channels_on_air 0",
    'fanfare_handed_over_total{what="encoder"} 2',
    'fanfare_handed_over_total{what="player"} 1',
    'fanfare_hand_over_waits_total{thread="media-2"} 1',
  ]);
});

test("an event loop that is blocked shows it, once", async () => {
  const watch = new LoopWatch();
  const holdUp = () => {
    const untilMs = performance.now() + 500;
    while (performance.now() < untilMs);
  };
  let isHoldingUp = false;
  // Blocked for 0.5 s, less the tenth of a second between two looks of the watch. It has looked once before, and looks
  // again after.
  const held = await waitFor(
    "a late turn of the loop",
    10_000,
    () => {
      isHoldingUp = !isHoldingUp;
      if (isHoldingUp) holdUp();
      const delay = isHoldingUp ? undefined : watch.take();
      return delay !== undefined && delay.max > 0.35 ? delay : undefined;
    },
    undefined,
    TWO_LOOKS_MS,
  );
  expect(held.max).toBeGreaterThanOrEqual(held.p99);
  expect(held.p99).toBeGreaterThanOrEqual(held.median);
  expect(watch.take()).toMatchObject({ median: 0, p99: 0, max: 0 });
});

test("a node among several counts what it places and stops, and shows the others and its load; a single server does not", async () => {
  const metrics = new Metrics(() => "healthy");
  expect(await metrics.text()).not.toContain("fanfare_cluster");
  const cluster = new ClusterMetrics();
  cluster.readFrom(() => ({
    ...{ nodeStates: ["SERVING", "SERVING", "LOST"], channels: 3, egressBytesPerSecond: 5_000 },
    ...{ capacityBytesPerSecond: 9_000, isBusUp: true, isDatabaseUp: false },
    ...{ reconcileAgeSeconds: 7, projectionAgeSeconds: 2 },
  }));
  metrics.include(cluster);
  cluster.placed("claimed", 0.02);
  cluster.placed("try-again", 0.3);
  cluster.tookOver();
  cluster.ownerSilent("host");
  cluster.answered("link", 0.002);
  cluster.fenced("bus");
  const lines = (await metrics.text()).split("\n").filter((line) => line.startsWith("fanfare_cluster"));
  const values = Object.fromEntries(
    lines.map((line) => line.split(/ (?=[\d.]+$)/)).map(([name, value]) => [name, Number(value)]),
  );
  expect(values).toMatchObject({
    'fanfare_cluster_nodes{state="SERVING"}': 2,
    'fanfare_cluster_nodes{state="LOST"}': 1,
    'fanfare_cluster_nodes{state="SILENT"}': 0,
    'fanfare_cluster_claims_total{result="claimed"}': 1,
    'fanfare_cluster_claims_total{result="try_again"}': 1,
    'fanfare_cluster_claim_seconds_bucket{le="0.025"}': 1,
    fanfare_cluster_claim_seconds_count: 2,
    'fanfare_cluster_question_seconds_bucket{le="0.0025",way="link"}': 1,
    fanfare_cluster_takeovers_total: 1,
    'fanfare_cluster_owner_silent_total{what="host"}': 1,
    'fanfare_cluster_owner_silent_total{what="owner"}': 0,
    'fanfare_cluster_fenced_total{by="bus"}': 1,
    fanfare_cluster_channels: 3,
    fanfare_cluster_egress_bytes_per_second: 5_000,
    fanfare_cluster_capacity_bytes_per_second: 9_000,
    fanfare_cluster_bus_up: 1,
    fanfare_cluster_database_up: 0,
    fanfare_cluster_reconcile_age_seconds: 7,
    fanfare_cluster_projection_age_seconds: 2,
  });
});
