import type { Clock, Timer } from "../base/clock.ts";
import type { ChannelId, ChannelSpec, IngestSlot, Latency, TargetId } from "../thread-protocol/channel-spec.ts";
import type { Fact } from "../thread-protocol/facts.ts";
import type { HoldChange } from "../thread-protocol/hold-limits.ts";
import type { Keyframe } from "../thread-protocol/keyframe.ts";
import type { ChannelSample } from "../thread-protocol/samples.ts";
import type { SwitchMessage } from "../thread-protocol/targets/target-switch.ts";
import { Channel } from "./channel.ts";
import type { PublisherDescription, PublisherHandle } from "./publisher/publisher.ts";
import { SendGate } from "./send-gate.ts";
import { BlockStore } from "./stream/block-store.ts";
import { readSlate } from "./stream/slate/slate.ts";
import { WaitingMemory } from "./stream/waiting-memory.ts";
import { DelayMemory } from "./subscriber/delay/delay-memory.ts";
import { type DelayShelves, NO_SHELVES } from "./subscriber/delay/delay-shelf.ts";
import { NO_RECORDER, type RecordingLink } from "./subscriber/recording/recording-link.ts";
import type { Dialer } from "./subscriber/rtmp-push/link.ts";
import { RETRIES_PER_SECOND, RetryPace } from "./subscriber/rtmp-push/retry-pace.ts";
import type { LinkClose, Subscriber } from "./subscriber/subscriber.ts";

/**
 * How long packets are collected before they are sent in one write for each target, in milliseconds. The number of
 * writes decides the cost.
 */
const FLUSH_INTERVAL_MS = 50;
const TICK_MS = 1_000;

export type EngineDeps = {
  readonly clock: Clock;
  /** Returns 0 ≤ n < 1, for the spread of retries. */
  readonly random: () => number;
  readonly dialer: Dialer;
  /** Where channels are recorded; default: nowhere. */
  readonly recordings?: RecordingLink;
  /** Where delayed targets' streams lie that have no room in memory; default: nowhere. */
  readonly shelves?: DelayShelves;
  /** Bytes that may wait for targets that are behind, of all channels together; default 512 MiB. */
  readonly waitingBytesMax?: number;
  /** Bytes of delayed streams that may wait in memory, of all of them together, and as many for the disk; default 512 MiB. */
  readonly delayedBytesMax?: number;
  /** Called with each fact, at the moment it happens. */
  readonly onFact: (fact: Fact) => void;
  /** Called with the counters of the channels on air: once a second, and once when a broadcast ends. */
  readonly report: (samples: readonly ChannelSample[]) => void;
  /** Retries of all targets together in a second; default 20. */
  readonly retriesPerSecond?: number;
  /** The numbers of encoders: every `step`th, so that no other thread uses the same one; default all. */
  readonly ingestIds?: { readonly first: number; readonly step: number };
  /**
   * Reports the state of this thread's links to the other media threads, and returns that of all threads together.
   * Default: there is one thread.
   */
  readonly shareUplink?: (own: UplinkState) => UplinkState;
  /**
   * Called after this thread stood still, before it sends anything; it sends nothing from then on until `letSend(true)`.
   * Absent: no other node can own its channels.
   */
  readonly onWoke?: () => void;
};

/** The state of the links that share the uplink. */
export type UplinkState = {
  /** Channels with links. */
  readonly channels: number;
  readonly links: number;
  readonly stalledLinks: number;
};

/**
 * The data plane: all channels of one media thread. It is given its clock and its connections, so it can run on virtual time.
 */
export class Engine {
  readonly #deps: EngineDeps;
  readonly #channels = new Map<ChannelId, Channel>();
  /** Channels with packets to flush. */
  readonly #dirty = new Set<Channel>();
  readonly #blocks = new BlockStore();
  readonly #memory: WaitingMemory;
  readonly #delayMemory: DelayMemory;
  /** For each channel that is off air: since when, or when an encoder was last admitted to it. */
  readonly #offSinceMs = new Map<ChannelId, number>();
  #flushTimer: Timer | undefined;
  #tickTimer: Timer | undefined;
  #nextTickMs: number;
  /** Absent: no other node can own the channels of this thread. */
  readonly #gate: SendGate | undefined;
  readonly #channelClock: Clock;
  readonly #dialer: Dialer;
  #lastIngestId: number;
  readonly #retryPace: RetryPace;

  constructor(deps: EngineDeps) {
    const onFault = (error: unknown) => this.#reportFault(error);
    const { clock, dialer, onWoke } = deps;
    this.#deps = { ...deps, clock: guardedClock(clock, onFault) };
    this.#gate = onWoke === undefined ? undefined : new SendGate({ clock, onWoke, onFault });
    this.#channelClock = guardedClock(this.#gate?.clock(clock) ?? clock, onFault);
    this.#dialer = this.#gate?.dialer(dialer) ?? dialer;
    this.#memory = new WaitingMemory(deps.waitingBytesMax);
    this.#delayMemory = new DelayMemory(deps.delayedBytesMax);
    this.#retryPace = new RetryPace(deps.retriesPerSecond ?? RETRIES_PER_SECOND);
    const { first, step } = this.#ingestIds();
    this.#lastIngestId = first - step;
    this.#nextTickMs = deps.clock.now();
    this.#startTick();
  }

  /**
   * Applies a newer spec of a channel that this thread knows. Other channels come with the admission of their encoder.
   */
  apply(spec: ChannelSpec): void {
    this.#passed(spec.channelId, (channel) => channel.apply(spec));
  }

  /** Applies the spec that came with an encoder's admission. */
  introduce(spec: ChannelSpec): void {
    const present = this.#channels.get(spec.channelId);
    if (present?.isOnAir !== true) this.#offSinceMs.set(spec.channelId, this.#deps.clock.now());
    if (present !== undefined) return present.apply(spec);
    const { clock, random, onFact } = this.#deps;
    const channel: Channel = new Channel(spec, {
      clock: this.#channelClock,
      random,
      dialer: this.#dialer,
      ...{ blocks: this.#blocks, memory: this.#memory },
      recordings: this.#deps.recordings ?? NO_RECORDER,
      ...{ shelves: this.#deps.shelves ?? NO_SHELVES, delayMemory: this.#delayMemory },
      onFact,
      onFault: (error) => this.#reportFault(error),
      reserveRetryMs: () => this.#retryPace.reserve(clock.now()),
      onDirty: (isMuch) => this.#scheduleFlush(channel, isMuch),
      onOver: () => {
        this.#offSinceMs.set(channel.channelId, clock.now());
        this.#report([channel]);
      },
    });
    this.#channels.set(spec.channelId, channel);
  }

  /** Forgets a channel and dismisses its encoders. */
  remove(channelId: ChannelId): void {
    this.#channels.get(channelId)?.end("removed", this.#isHeld ? "abort" : "end");
    this.#channels.delete(channelId);
    this.#offSinceMs.delete(channelId);
  }

  /**
   * Another node owns this channel now: resets its links, dismisses its encoders, and forgets it. What waits to be sent
   * never is: the targets have another connection.
   */
  leave(channelId: ChannelId): void {
    this.#channels.get(channelId)?.end("replaced", "abort");
    this.#channels.delete(channelId);
    this.#offSinceMs.delete(channelId);
  }

  /** Whether anything may be sent to targets. What comes meanwhile is kept, up to the limits of their queues. */
  letSend(isAllowed: boolean): void {
    this.#gate?.set(isAllowed);
    if (isAllowed) this.flush();
  }

  /** Forgets channels that were off air for this long and had no encoder admitted. Returns their ids. */
  forgetIdle(forMs: number): readonly ChannelId[] {
    const nowMs = this.#deps.clock.now();
    const idle = [...this.#offSinceMs]
      .filter(([id, sinceMs]) => nowMs - sinceMs >= forMs && this.#channels.get(id)?.isDraining !== true)
      .map(([channelId]) => channelId);
    for (const channelId of idle) this.remove(channelId);
    return idle;
  }

  /** Ends a channel's broadcast now and dismisses its encoder. */
  end(channelId: ChannelId): void {
    this.#passed(channelId, (channel) => channel.end("ended", "end"));
  }

  /** Extends a channel's hold by a minute, or ends it; does nothing where no hold runs. */
  changeHold(channelId: ChannelId, how: HoldChange): void {
    this.#passed(channelId, (channel) => channel.changeHold(how));
  }

  /** Sets a channel's slate, as FLV; one that cannot be read counts as none. */
  setSlate(channelId: ChannelId, flv: Buffer | undefined): void {
    this.#channels.get(channelId)?.setSlate(flv === undefined ? undefined : readSlate(flv));
  }

  /** Closes or opens the curtain of a channel on air. */
  setCurtain(channelId: ChannelId, isClosed: boolean): void {
    this.#passed(channelId, (channel) => channel.setCurtain(isClosed));
  }

  /** Whether a channel is on air, or held. */
  isOnAir(channelId: ChannelId): boolean {
    return this.#channels.get(channelId)?.isOnAir ?? false;
  }

  /** The number of the encoder that came last. */
  get lastIngestId(): number {
    return this.#lastIngestId;
  }

  /**
   * Dismisses the encoder of one of a channel's keys as if its connection were lost, unless it came after
   * `lastIngestId`.
   */
  disconnectPublisher(channelId: ChannelId, slot: IngestSlot, lastIngestId: number): void {
    this.#passed(channelId, (channel) => channel.disconnectPublisher(slot, lastIngestId));
  }

  /** Connects to a target at once that waits for its next attempt. */
  retryTarget(channelId: ChannelId, targetId: TargetId): void {
    this.#passed(channelId, (channel) => channel.retryTarget(targetId));
  }

  /** Drops what is delayed of a target, which goes on live at the next keyframe; does nothing without a delay. */
  cutDelay(channelId: ChannelId, targetId: TargetId): void {
    this.#passed(channelId, (channel) => channel.cutDelay(targetId));
  }

  /** Turns a target on or off whatever the settings of its channel say, or lets them count again. */
  switchTarget(message: SwitchMessage): void {
    this.#passed(message.channelId, (channel) => channel.switchTarget(message));
  }

  /** Whether an encoder with the right key may publish now; false where two push each other out. */
  admits(channelId: ChannelId, slot: IngestSlot): boolean {
    return this.#channels.get(channelId)?.admits(slot) ?? false;
  }

  /** An encoder was admitted to this channel. Returns undefined where the channel was removed meanwhile. */
  open(channelId: ChannelId, description: PublisherDescription): PublisherHandle | undefined {
    const channel = this.#channels.get(channelId);
    if (channel === undefined) return undefined;
    this.#lastIngestId += this.#ingestIds().step;
    this.#offSinceMs.delete(channelId);
    const handle = channel.open(this.#lastIngestId, description);
    const gate = this.#gate;
    return gate === undefined ? handle : { push: handle.push, end: (end) => gate.pass(() => handle.end(end)) };
  }

  /** Gives a channel's stream to one more subscriber, until the broadcast is over; false where it is not on air. */
  subscribe(channelId: ChannelId, subscriber: Subscriber): boolean {
    return this.#channels.get(channelId)?.subscribe(subscriber) ?? false;
  }

  /** The last keyframe of a channel on air, unless the asker has the one of `knownTime`. */
  keyframe(channelId: ChannelId, knownTime: number | undefined): Keyframe {
    return this.#channels.get(channelId)?.keyframe(knownTime) ?? { found: "none" };
  }

  /** When this channel's packets are sent. May change on air. */
  latency(channelId: ChannelId): Latency {
    return this.#channels.get(channelId)?.latency ?? "efficient";
  }

  /** Sends the collected packets of one channel, or of all, without waiting for the next flush. Never throws. */
  flush(channelId?: ChannelId): void {
    if (channelId === undefined) {
      for (const channel of this.#dirty) this.#flush(channel);
      return;
    }
    const only = this.#channels.get(channelId);
    // A read that completed no message brings nothing to send.
    if (only !== undefined && this.#dirty.has(only)) this.#flush(only);
  }

  /** The recorder has come: channels that wait for it begin to record. */
  lookAtRecordings(): void {
    for (const channel of this.#channels.values()) channel.lookAtRecording();
  }

  /** Closes every target in this way and dismisses every encoder. */
  shutDown(how: LinkClose): void {
    this.#flushTimer?.cancel();
    this.#tickTimer?.cancel();
    for (const channel of this.#channels.values()) channel.end("shutdown", this.#isHeld ? "abort" : how);
    this.#channels.clear();
  }

  #reportFault(error: unknown): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#deps.onFact({ kind: "internal-fault", time: this.#deps.clock.wallNow(), where: "relay", detail });
  }

  #scheduleFlush(channel: Channel, isMuch: boolean): void {
    if (isMuch) return this.#flush(channel);
    this.#dirty.add(channel);
    this.#flushTimer ??= this.#deps.clock.startTimer(FLUSH_INTERVAL_MS, () => {
      this.#flushTimer = undefined;
      this.flush();
    });
  }

  #flush(channel: Channel): void {
    if (this.#isHeld) return void this.#dirty.add(channel);
    this.#dirty.delete(channel);
    channel.flush();
  }

  #startTick(): void {
    const nowMs = this.#deps.clock.now();
    // Ticks keep their rhythm, so that "the last second" is one second. After a pause of the process the count starts
    // again.
    this.#nextTickMs = Math.max(this.#nextTickMs, nowMs - TICK_MS) + TICK_MS;
    this.#tickTimer = this.#deps.clock.startTimer(Math.max(0, this.#nextTickMs - nowMs), () => {
      this.#startTick();
      this.#tick();
    });
  }

  /** Whether nothing may be sent now. */
  get #isHeld(): boolean {
    return this.#gate?.look() === false;
  }

  /** Does this to a channel that there is, as soon as its targets' links may write. */
  #passed(channelId: ChannelId, run: (channel: Channel) => void): void {
    const now = () => {
      const channel = this.#channels.get(channelId);
      if (channel !== undefined) run(channel);
    };
    if (this.#gate === undefined) now();
    else this.#gate.pass(now);
  }

  #tick(): void {
    const isHeld = this.#isHeld;
    this.#blocks.tick();
    const onAir = [...this.#channels.values()].filter((channel) => channel.isOnAir || channel.isDraining);
    // A tick may send too.
    if (!isHeld) for (const channel of onAir) channel.tick();
    this.#blameUplink(onAir);
    this.#report(onAir);
  }

  /**
   * If every target of several channels stalls at once, our side of the network is at fault, and the reason says so.
   */
  #blameUplink(onAir: readonly Channel[]): void {
    const links = onAir.map((channel) => [...channel.targets].filter((target) => target.hasLink));
    const own = {
      channels: links.filter((targets) => targets.length > 0).length,
      links: links.flat().length,
      stalledLinks: links.flat().filter((target) => target.isStalled).length,
    };
    const all = this.#deps.shareUplink?.(own) ?? own;
    if (all.channels < 2 || all.stalledLinks < all.links) return;
    for (const target of links.flat()) target.blameUplink();
  }

  #ingestIds(): { readonly first: number; readonly step: number } {
    return this.#deps.ingestIds ?? { first: 1, step: 1 };
  }

  #report(channels: readonly Channel[]): void {
    const samples = channels.map((channel) => channel.sample()).filter((sample) => sample !== undefined);
    if (samples.length > 0) this.#deps.report(samples);
  }
}

/** A clock whose timers cannot end the thread: an error in one is reported. */
function guardedClock(clock: Clock, onFault: (error: unknown) => void): Clock {
  return {
    now: () => clock.now(),
    awakeNow: () => clock.awakeNow(),
    wallNow: () => clock.wallNow(),
    startTimer: (delayMs, run) =>
      clock.startTimer(delayMs, () => {
        try {
          run();
        } catch (error) {
          onFault(error);
        }
      }),
  };
}
