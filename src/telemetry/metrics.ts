import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { RunningBroadcast } from "../control/facts/running-broadcasts.ts";
import type { ChannelChanged, ServerFact } from "../control/facts/server-fact.ts";
import type { ChannelId, TargetId } from "../thread-protocol/channel-spec.ts";
import type { ChannelSample, TargetSample } from "../thread-protocol/samples.ts";
import type { ConnectStatus, TargetStatus } from "../thread-protocol/targets/target-status.ts";
import { AuditMetrics } from "./audit-metrics.ts";
import { RecordingMetrics } from "./recording-metrics.ts";
import { ScheduleMetrics } from "./schedule-metrics.ts";
import { SourceMetrics } from "./source-metrics.ts";
import { SrtMetrics } from "./srt-metrics.ts";
import { ThreadMetrics } from "./thread-metrics.ts";

const STATES: readonly ConnectStatus[] = ["READY", "CONNECTING", "PUBLISHING", "FAIL"];

/** API latencies that matter, in seconds. */
const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** One answered request; `route` is the pattern, not the URL. */
export type RequestMeasure = {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
};

type TargetEntry = {
  state: ConnectStatus;
  isSlow: boolean;
  isWaiting: boolean;
  sample: TargetSample | undefined;
  /** Retries begun, by what made them necessary. */
  readonly reconnects: Map<string, number>;
};

type ChannelEntry = {
  sample: ChannelSample | undefined;
  isOnAir: boolean;
  readonly targets: Map<TargetId, TargetEntry>;
};

/** Metrics that not every server has. */
export type MetricGroup = {
  register(registry: Registry): void;
  /** Sets what is read for a scrape. */
  fill?(): void;
};

/** The verdicts on a channel in `fanfare_channel_health`. */
const HEALTH_STATES = ["healthy", "attention", "broken", "waiting"] as const;

const TARGET_LABELS = ["channel_id", "target_id"] as const;

/**
 * The metrics that Prometheus scrapes: base units, ids as labels, never a key or an address. The series of a channel
 * begin when it is first on air and end when it is deleted. Counters begin at 0 with the process, as Prometheus
 * expects.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #channels = new Map<ChannelId, ChannelEntry>();

  readonly recordings = new RecordingMetrics(this.#registry);
  readonly #schedules = new ScheduleMetrics(this.#registry);
  readonly #sources = new SourceMetrics(this.#registry);
  readonly #onAir = this.#gauge("fanfare_channels_on_air", "Channels on air.", []);
  readonly #health = this.#gauge("fanfare_channel_health", "1 for the verdict on a channel, else 0.", [
    "channel_id",
    "state",
  ]);
  readonly #ingestBytes = this.#counter("fanfare_ingest_received_bytes_total", "Media received from encoders.", [
    "channel_id",
  ]);
  readonly #srt = new SrtMetrics(this.#registry);
  readonly #ingestEnded = this.#counter("fanfare_ingest_ended_total", "Encoders that left, by reason.", ["reason"]);
  readonly #ingestRefused = this.#counter("fanfare_ingest_refused_total", "Encoders refused, by reason.", ["reason"]);
  readonly #state = this.#gauge("fanfare_target_state", "1 for the state a target is in, else 0.", [
    ...TARGET_LABELS,
    "state",
  ]);
  readonly #sentBytes = this.#counter(
    "fanfare_target_sent_bytes_total",
    "Media the target's socket took.",
    TARGET_LABELS,
  );
  readonly #onAirSeconds = this.#counter(
    "fanfare_target_publishing_seconds_total",
    "Time spent PUBLISHING.",
    TARGET_LABELS,
  );
  readonly #drops = this.#counter("fanfare_target_dropped_frames_total", "Frames that a slow target lost, by reason.", [
    ...TARGET_LABELS,
    "reason",
  ]);
  readonly #reconnects = this.#counter(
    "fanfare_target_reconnects_total",
    "Retries begun, by the failure before them.",
    [...TARGET_LABELS, "reason"],
  );
  readonly #queue = this.#gauge(
    "fanfare_target_queue_seconds",
    "Media that has not reached the target.",
    TARGET_LABELS,
  );
  readonly #delayed = this.#gauge(
    "fanfare_target_delayed_bytes",
    "What waits of a delayed target's stream.",
    TARGET_LABELS,
  );
  readonly #unacked = this.#gauge(
    "fanfare_target_unacknowledged_bytes",
    "Bytes sent that the target has not acknowledged.",
    TARGET_LABELS,
  );
  readonly #unstable = this.#gauge(
    "fanfare_target_unstable",
    "1 for a target that failed three times in ten minutes while PUBLISHING, else 0.",
    TARGET_LABELS,
  );
  readonly #slow = this.#gauge(
    "fanfare_target_slow",
    "1 for a target that takes less than the stream carries, else 0.",
    TARGET_LABELS,
  );
  readonly #waiting = this.#gauge(
    "fanfare_target_waiting",
    "1 for a target that accepted and gets nothing, or no video, else 0.",
    TARGET_LABELS,
  );
  readonly #silence = this.#gauge(
    "fanfare_target_silence",
    "1 for a target that gets silence in place of audio, else 0.",
    TARGET_LABELS,
  );
  readonly #slateShown = this.#gauge("fanfare_slate_shown", "1 while viewers see the channel's slate, else 0.", [
    "channel_id",
  ]);
  readonly threads = new ThreadMetrics(this.#registry);
  readonly #certificates = this.#counter(
    "fanfare_tls_certificate_changes_total",
    "Changed certificate files, used or refused.",
    ["result"],
  );
  readonly #failedLogins = this.#counter(
    "fanfare_failed_logins_total",
    "Wrong access keys (api), wrong passwords and set-up links (dashboard).",
    ["where"],
  );
  readonly #logLinesLost = this.#counter("fanfare_log_lines_lost_total", "Log lines that were dropped.", []);
  readonly #troubles = this.#gauge("fanfare_server_trouble", "1 while this server itself lacks something.", [
    "trouble",
  ]);
  #certificateExpiry: Gauge<never> | undefined;
  readonly #included: MetricGroup[] = [];
  readonly #connectionsCut = this.#counter(
    "fanfare_api_connections_cut_total",
    "Connections to the API that were closed against their clients' will, by reason.",
    ["reason"],
  );
  readonly #latency = new Histogram({
    name: "fanfare_api_request_duration_seconds",
    help: "From a request's arrival to the end of its answer.",
    labelNames: ["method", "route", "status"],
    buckets: LATENCY_BUCKETS,
    registers: [this.#registry],
  });
  readonly audit = new AuditMetrics(this.#registry);

  readonly #healthOf: (channelId: ChannelId) => string;

  /** `healthOf`: returns the present verdict on a channel. */
  constructor(healthOf: (channelId: ChannelId) => string) {
    this.#healthOf = healthOf;
  }

  /** Shows these too. */
  include(group: MetricGroup): void {
    group.register(this.#registry);
    this.#included.push(group);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** `expiryTime`: milliseconds since the Unix epoch. */
  certificateInUse(expiryTime: number): void {
    // Made with the first certificate: without one there is no time to show.
    this.#certificateExpiry ??= this.#gauge(
      "fanfare_tls_certificate_expiry_timestamp_seconds",
      "Until when the certificate in use is valid.",
      [],
    );
    this.#certificateExpiry.set(expiryTime / 1_000);
  }

  certificateChange(result: "taken" | "refused"): void {
    this.#certificates.inc({ result });
  }

  fact(fact: ServerFact): void {
    this.recordings.fact(fact);
    this.#schedules.fact(fact);
    this.#sources.fact(fact);
    switch (fact.kind) {
      case "ingest-started":
        this.#channel(fact.channelId).isOnAir = true;
        return;
      case "ingest-ended":
        this.#ingestEnded.inc({ reason: fact.end });
        this.#left(fact.channelId, fact.isBroadcastOver);
        return;
      case "ingest-refused":
        this.#ingestRefused.inc({ reason: fact.reason }, fact.count);
        return;
      case "target-status":
        this.#status(fact.channelId, fact.targetId, fact.status);
        return;
      case "server-trouble-changed":
        this.#troubles.set({ trouble: fact.trouble.name }, fact.isOver ? 0 : 1);
        return;
      case "source-changed":
        // Its verdict counts before the first broadcast too.
        this.#channel(fact.channelId);
        return;
      case "channel-changed":
        return this.#changed(fact);
      default:
        // Other facts are not counted.
        return;
    }
  }

  /** Goes on with broadcasts that another process of this server began. Counters count from here. */
  resume(broadcasts: readonly RunningBroadcast[]): void {
    for (const { facts, sample } of broadcasts) {
      for (const fact of facts) this.fact(fact);
      if (sample !== undefined) this.samples([sample]);
    }
  }

  samples(samples: readonly ChannelSample[]): void {
    for (const sample of samples) {
      const channel = this.#channels.get(sample.channelId);
      if (channel === undefined) continue;
      channel.sample = sample;
      for (const target of sample.targets) this.#target(channel, target.targetId).sample = target;
      const present = new Set(sample.targets.map(({ targetId }) => targetId));
      for (const targetId of channel.targets.keys()) if (!present.has(targetId)) channel.targets.delete(targetId);
    }
  }

  request({ method, route, status, seconds }: RequestMeasure): void {
    this.#latency.observe({ method, route, status }, seconds);
  }

  failedLogin(where: "api" | "dashboard"): void {
    this.#failedLogins.inc({ where });
  }

  connectionCut(reason: string): void {
    this.#connectionsCut.inc({ reason });
  }

  logLinesLost(count: number): void {
    this.#logLinesLost.inc(count);
  }

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    this.#fill();
    return this.#registry.metrics();
  }

  /** Keeps samples as they come, once a second. They become series at a scrape. */
  #fill(): void {
    this.recordings.fill();
    this.#sources.fill();
    for (const group of this.#included) group.fill?.();
    for (const metric of [this.#ingestBytes, this.#state, this.#sentBytes, this.#onAirSeconds, this.#drops])
      metric.reset();
    this.#health.reset();
    this.#srt.reset();
    const perTarget = [this.#reconnects, this.#queue, this.#delayed, this.#unacked];
    const marks = [this.#unstable, this.#slow, this.#waiting, this.#silence, this.#slateShown];
    for (const metric of [...perTarget, ...marks]) metric.reset();
    let onAirCount = 0;
    for (const [channelId, { sample, isOnAir, targets }] of this.#channels) {
      if (isOnAir) onAirCount += 1;
      const health = this.#healthOf(channelId);
      for (const state of HEALTH_STATES) {
        this.#health.set({ channel_id: channelId, state }, state === health ? 1 : 0);
      }
      this.#ingestBytes.inc({ channel_id: channelId }, sample?.ingest.bytesTotal ?? 0);
      this.#slateShown.set({ channel_id: channelId }, isOnAir && sample?.ingest.isSlateShown === true ? 1 : 0);
      if (isOnAir && sample?.ingest.srt !== undefined) this.#srt.fill(channelId, sample.ingest.srt);
      for (const [targetId, target] of targets) {
        this.#fillTarget({ channel_id: channelId, target_id: String(targetId) }, target, isOnAir);
      }
    }
    this.#onAir.set(onAirCount);
  }

  #fillTarget(labels: { channel_id: string; target_id: string }, target: TargetEntry, isOnAir: boolean): void {
    const { state: present, sample, reconnects } = target;
    for (const state of STATES) this.#state.set({ ...labels, state }, state === present ? 1 : 0);
    this.#sentBytes.inc(labels, sample?.bytesTotal ?? 0);
    this.#onAirSeconds.inc(labels, (sample?.playMs ?? 0) / 1_000);
    this.#queue.set(labels, isOnAir ? (sample?.queueMs ?? 0) / 1_000 : 0);
    if (sample?.delay !== undefined) this.#delayed.set(labels, sample.delay.bufferedBytes);
    this.#unacked.set(labels, isOnAir ? (sample?.unackedBytes ?? 0) : 0);
    this.#unstable.set(labels, isOnAir && sample?.isUnstable === true ? 1 : 0);
    this.#slow.set(labels, target.isSlow ? 1 : 0);
    this.#waiting.set(labels, target.isWaiting ? 1 : 0);
    this.#silence.set(labels, isOnAir && sample?.hasSilence === true ? 1 : 0);
    const { overTime = 0, overBytes = 0, untilKeyframe = 0 } = sample?.drops ?? {};
    this.#drops.inc({ ...labels, reason: "queue_time" }, overTime);
    this.#drops.inc({ ...labels, reason: "queue_bytes" }, overBytes);
    this.#drops.inc({ ...labels, reason: "until_keyframe" }, untilKeyframe);
    for (const [reason, count] of reconnects) this.#reconnects.inc({ ...labels, reason }, count);
  }

  /** The series of a deleted channel or a removed target end. */
  #changed({ change, channelId, target }: ChannelChanged): void {
    if (change === "deleted") this.#channels.delete(channelId);
    if (change === "target-removed" && target !== undefined) {
      this.#channels.get(channelId)?.targets.delete(target.targetId);
    }
  }

  #channel(channelId: ChannelId): ChannelEntry {
    const known = this.#channels.get(channelId);
    if (known !== undefined) return known;
    const entry: ChannelEntry = { sample: undefined, isOnAir: false, targets: new Map() };
    this.#channels.set(channelId, entry);
    return entry;
  }

  #left(channelId: ChannelId, isBroadcastOver: boolean): void {
    const channel = this.#channels.get(channelId);
    if (channel !== undefined && isBroadcastOver) channel.isOnAir = false;
  }

  /** The channel is not known: it was deleted meanwhile. */
  #status(channelId: ChannelId, targetId: TargetId, { status, retryAttempt, lastError, warning }: TargetStatus): void {
    const channel = this.#channels.get(channelId);
    // The last fact of a removed target comes after the target was forgotten.
    if (channel === undefined || (status === "READY" && !channel.targets.has(targetId))) return;
    const target = this.#target(channel, targetId);
    target.state = status;
    target.isSlow = warning?.code === "SLOW";
    target.isWaiting = warning?.code === "WAITS_FOR_KEYFRAME" || warning?.code === "WAITS_FOR_MEDIA";
    if (status !== "CONNECTING" || retryAttempt === undefined) return;
    const reason = lastError?.code ?? "UNKNOWN";
    target.reconnects.set(reason, (target.reconnects.get(reason) ?? 0) + 1);
  }

  #target({ targets }: ChannelEntry, targetId: TargetId): TargetEntry {
    const known = targets.get(targetId);
    if (known !== undefined) return known;
    const entry: TargetEntry = {
      state: "READY",
      isSlow: false,
      isWaiting: false,
      sample: undefined,
      reconnects: new Map(),
    };
    targets.set(targetId, entry);
    return entry;
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}
