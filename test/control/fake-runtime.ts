import type { LiveState } from "../../src/control/live/live-state.ts";
import type { ChannelLive, PreviewClient, PreviewClientSink, Runtime } from "../../src/control/ports/runtime.ts";
import type {
  ChannelId,
  ChannelSpec,
  IngestSlot,
  TargetId,
  TargetSpec,
} from "../../src/thread-protocol/channel-spec.ts";
import type { HoldChange } from "../../src/thread-protocol/hold-limits.ts";
import type { Keyframe } from "../../src/thread-protocol/keyframe.ts";
import type { PreflightResult } from "../../src/thread-protocol/preflight.ts";
import type { IngestSample, TargetSample } from "../../src/thread-protocol/samples.ts";
import type { TargetStatus } from "../../src/thread-protocol/targets/target-status.ts";
import type { TestPatternRequest, TestPatternResult } from "../../src/thread-protocol/test-pattern.ts";
import { channelSample, targetSample } from "../support/stages/sample.ts";

/** A media thread that does what the test says and remembers its calls. */
export class FakeRuntime implements Runtime {
  readonly applied: ChannelSpec[] = [];
  readonly removed: ChannelId[] = [];
  readonly ended: ChannelId[] = [];
  readonly holdChanges: HoldChange[] = [];
  holdLeftMs: number | undefined;
  readonly cut: (readonly [ChannelId, IngestSlot])[] = [];
  readonly retried: (readonly [ChannelId, TargetId])[] = [];
  readonly tested: TargetSpec[] = [];
  readonly watches: { readonly sink: PreviewClientSink; takenBytes: number; isLeft: boolean }[] = [];
  readonly keyframesAsked: (readonly [ChannelId, number | undefined])[] = [];
  /** What a channel's last keyframe is. */
  keyframeFound: Keyframe | Promise<Keyframe> = { found: "none" };
  testResult: PreflightResult = { isOk: true, stage: "publish", durationMs: 12 };
  /** Called with each spec that is applied. */
  onApply: () => void = () => undefined;
  /** False: what is asked for never happens. */
  isResponsive = true;
  readonly #view: LiveState;

  constructor(view: LiveState) {
    this.#view = view;
  }

  /** Disabled targets become READY; enabled targets that wait for nothing begin to connect. */
  apply(spec: ChannelSpec): void {
    this.applied.push(spec);
    this.onApply();
    if (!this.isResponsive) return;
    const live = this.#view.live(spec.channelId);
    for (const { targetId, isEnabled } of spec.targets) {
      const status = live?.targets.get(targetId)?.status;
      const isReady = (status?.status ?? "READY") === "READY";
      const sinceTime = (status?.sinceTime ?? 0) + 1;
      if (!isEnabled && !isReady) this.status(spec.channelId, targetId, { status: "READY", sinceTime });
      if (isEnabled && isReady && live?.isPublishing === true) {
        this.status(spec.channelId, targetId, { status: "CONNECTING", sinceTime });
      }
    }
  }

  remove(channelId: ChannelId): void {
    this.removed.push(channelId);
  }

  end(channelId: ChannelId): void {
    this.ended.push(channelId);
    if (this.isResponsive && this.#view.live(channelId)?.isPublishing === true) this.leave(channelId, 0);
  }

  changeHold(channelId: ChannelId, how: HoldChange): void {
    this.holdChanges.push(how);
    if (!this.isResponsive) return;
    if (how === "extend") this.hold(channelId, 60_000 + (this.holdLeftMs ?? 0));
    else this.end(channelId);
  }

  disconnectPublisher(channelId: ChannelId, slot: IngestSlot): void {
    this.cut.push([channelId, slot]);
  }

  retryTarget(channelId: ChannelId, targetId: TargetId): void {
    this.retried.push([channelId, targetId]);
    if (this.isResponsive) this.status(channelId, targetId, { status: "CONNECTING", sinceTime: 1, retryAttempt: 1 });
  }

  readonly delaysCut: (readonly [ChannelId, TargetId])[] = [];

  cutDelay(channelId: ChannelId, targetId: TargetId): void {
    this.delaysCut.push([channelId, targetId]);
  }

  /** The pattern begins unless the test says otherwise. */
  testPatternResult: TestPatternResult = "started";
  readonly testPatterns: (readonly [ChannelSpec, number, (readonly TargetId[])?])[] = [];

  async startTestPattern(
    channelId: ChannelId,
    read: () => Promise<ChannelSpec>,
    { endTime, forMs, targetIds }: Omit<TestPatternRequest, "kind" | "spec">,
  ): Promise<TestPatternResult> {
    const spec = await read();
    this.testPatterns.push(targetIds === undefined ? [spec, forMs] : [spec, forMs, targetIds]);
    if (this.testPatternResult === "started" && this.isResponsive) this.start(channelId, 0, endTime);
    return this.testPatternResult;
  }

  stopTestPattern(channelId: ChannelId): void {
    if (this.isResponsive) this.leave(channelId, 0);
  }

  async testTarget(target: TargetSpec): Promise<PreflightResult> {
    this.tested.push(target);
    return this.testResult;
  }

  async keyframe(channelId: ChannelId, knownTime?: number): Promise<Keyframe> {
    this.keyframesAsked.push([channelId, knownTime]);
    return this.keyframeFound;
  }

  watch(_channelId: ChannelId, sink: PreviewClientSink): PreviewClient {
    const watch = { sink, takenBytes: 0, isLeft: false };
    this.watches.push(watch);
    return {
      taken: (bytes) => {
        watch.takenBytes += bytes;
      },
      leave: () => {
        watch.isLeft = true;
      },
    };
  }

  readonly slates: (readonly [ChannelId, Buffer | undefined])[] = [];
  readonly curtains: (readonly [ChannelId, boolean])[] = [];

  setSlate(channelId: ChannelId, flv: Buffer | undefined): void {
    this.slates.push([channelId, flv]);
  }

  setCurtain(channelId: ChannelId, isClosed: boolean): void {
    this.curtains.push([channelId, isClosed]);
  }

  live(channelId: ChannelId): ChannelLive | undefined {
    return this.#view.live(channelId);
  }

  publishingChannels(): readonly ChannelId[] {
    return this.#view.publishingChannels();
  }

  start(channelId: ChannelId, time: number, testPatternEndTime?: number): void {
    const encoder = {
      ingestId: 1,
      remoteAddress: "192.0.2.1",
      encoder: "test",
      isBroadcastNew: true,
      slot: "main",
      ...(testPatternEndTime === undefined ? {} : { testPatternEndTime }),
    } as const;
    this.#view.fact({ kind: "ingest-started", time, channelId, ...encoder });
    if (testPatternEndTime === undefined) return;
    this.#view.fact({ kind: "publisher-active", time, channelId, ingestId: 1, slot: "main", heldMs: 0 });
  }

  /** The encoder of `start` is lost, or the hold is another: it ends after so long. */
  hold(channelId: ChannelId, leftMs: number): void {
    const ingest = { time: 0, channelId, ingestId: 1, slot: "main" } as const;
    if (this.holdLeftMs === undefined) {
      this.#view.fact({ ...ingest, kind: "ingest-held", end: "connection-lost", holdSeconds: leftMs / 1_000 });
    }
    this.holdLeftMs = leftMs;
    this.#view.fact({ ...ingest, kind: "hold-set", leftMs });
  }

  /** The encoder of `start` leaves; reports it as the media thread would. */
  leave(channelId: ChannelId, time: number): void {
    const how = { ingestId: 1, slot: "main", end: "clean", isBroadcastOver: true } as const;
    this.#view.fact({ kind: "ingest-ended", time, channelId, ...how });
  }

  status(channelId: ChannelId, targetId: TargetId, status: TargetStatus): TargetStatus {
    this.#view.fact({ kind: "target-status", time: status.sinceTime, channelId, targetId, from: "READY", status });
    return status;
  }

  /** What the encoder is like now. */
  ingest(channelId: ChannelId, change: Partial<IngestSample>): void {
    const sample = channelSample(channelId, []);
    this.#begin(channelId);
    this.#view.samples([{ ...sample, ingest: { ...sample.ingest, ...change } }]);
  }

  sample(channelId: ChannelId, targetId: TargetId, counters: Partial<TargetSample>): TargetSample {
    const sample = targetSample(targetId, counters);
    this.#begin(channelId);
    this.#view.samples([channelSample(channelId, [sample])]);
    return sample;
  }

  /** Only a channel that was on air since the process started has samples. */
  #begin(channelId: ChannelId): void {
    if (this.#view.live(channelId) !== undefined) return;
    this.start(channelId, 0);
    this.leave(channelId, 0);
  }
}
