import type { Clock, Timer } from "../base/clock.ts";
import type { ChannelId, ChannelSpec, IngestSlot, Latency, TargetId } from "../exchange/channel-spec.ts";
import type { Fact, IngestEnd } from "../exchange/facts.ts";
import type { ChannelSample, IngestSample } from "../exchange/samples.ts";
import type { ConnectStatus } from "../exchange/target-status.ts";
import type { Message } from "../protocol/rtmp/message.ts";
import {
  type Air,
  closeAfter,
  type FeedFact,
  FROZEN_AFTER_MS,
  FROZEN_CLOSE_MS,
  hasFrozen,
  holdEndMs,
  isFinal,
  mayGoOnAir,
  standbyOf,
} from "./air.ts";
import type { BlockStore } from "./block-store.ts";
import { continuationOf, differences } from "./compatibility.ts";
import { FanOut, type Frame } from "./fan-out.ts";
import { Feed, SILENT_AFTER_MS, type Source, type SourceDescription } from "./feed.ts";
import type { Gap } from "./gap.ts";
import type { Dialer, LinkClose } from "./ports.ts";
import { Seats } from "./seats.ts";
import { takeoverGuards } from "./takeover-guard.ts";
import { Target, type TargetDeps } from "./target.ts";
import type { Watcher } from "./watcher.ts";

export type ChannelDeps = Pick<TargetDeps, "random" | "reserveRetryMs"> & {
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly blocks: BlockStore;
  readonly tell: (fact: Fact) => void;
  readonly onFault: (error: unknown) => void;
  /** Packets are waiting to be flushed, or are by now so many that they should not wait. */
  readonly onDirty: (channel: Channel, isMuch: boolean) => void;
  /** The broadcast is over: the last moment to sample it. */
  readonly onOver: (channel: Channel) => void;
};

/** A stream that lacks a track of the one before may still bring it, this long. */
const TRACKS_WAIT_MS = 2_000;
const FILLER_STEP_MS = 100;
/** What is held up on its way comes in one go when it comes; after so long an encoder that is behind just is. */
const BACKLOG_WAIT_MS = 2_000;
/** An encoder that comes back with sound alone may still bring pictures, this long. */
const PICTURES_WAIT_MS = 4_000;
/**
 * One channel: decides which encoder is on air, holds the targets when it is lost, and ends the broadcast. The way out to the
 * targets is the fan-out's.
 *
 * A newcomer takes over at its first keyframe, until then the present one stays on air. A standby (the other key) takes over, also at
 * a keyframe, when the one on air is lost or silent; the main one returns after half a minute of health.
 */
export class Channel {
  #spec: ChannelSpec;
  readonly #deps: ChannelDeps;
  readonly #out: FanOut;
  #air: Air = { at: "off" };
  readonly #seats = new Seats();
  /** The feed on air, or the last one that was. */
  #last: Feed | undefined;
  #gap: Gap | undefined;
  #watchTimer: Timer | undefined;
  #differs: string | undefined;
  readonly #guards = takeoverGuards();

  constructor(spec: ChannelSpec, deps: ChannelDeps) {
    this.#spec = spec;
    this.#deps = deps;
    const { clock, random, reserveRetryMs, dialer } = deps;
    this.#out = new FanOut({
      clock,
      blocks: deps.blocks,
      onDirty: (isMuch) => deps.onDirty(this, isMuch),
      onFault: deps.onFault,
      newTarget: (target, onAccepted) =>
        new Target(target, {
          clock,
          random,
          reserveRetryMs,
          dialer,
          onAccepted,
          onStatus: (changed, from) => this.#tellStatus(changed, from),
        }),
    });
    this.#out.setTargets(spec.targets);
  }

  get channelId(): ChannelId {
    return this.#spec.channelId;
  }

  get isOnAir(): boolean {
    return this.#air.at !== "off";
  }

  get latency(): Latency {
    return this.#spec.latency ?? "efficient";
  }

  get targets(): Iterable<Target> {
    return this.#out.targets;
  }

  /** Takes a newer spec; targets that did not change do not notice. */
  apply(spec: ChannelSpec): void {
    if (spec.revision <= this.#spec.revision) return;
    this.#spec = spec;
    this.#out.setTargets(spec.targets);
    this.#watch();
  }

  /** Whether an encoder may come now; to be asked before it is told anything. Counts what would be a takeover. */
  admits(slot: IngestSlot): boolean {
    const present = this.#seats.latest(slot);
    const nowMs = this.#deps.clock.now();
    // A dead connection locks nobody out, and replacing it is no fight.
    if (present === undefined || present.silentMs(nowMs) >= FROZEN_AFTER_MS) return true;
    if (this.#guards[slot].allows(nowMs)) return true;
    this.#deps.tell({ kind: "encoders-fight", time: this.#deps.clock.wallNow(), channelId: this.channelId, slot });
    return false;
  }

  /** An encoder with the right key begins to publish. */
  open(ingestId: number, description: SourceDescription): Source {
    const { clock } = this.#deps;
    const feed = new Feed(ingestId, description, clock.wallNow(), clock.now());
    const isBroadcastNew = this.#air.at === "off";
    const { remoteAddress, encoder } = description;
    this.#tellOf(feed, { kind: "ingest-started", remoteAddress, encoder, isBroadcastNew });
    const onAir = this.#air.at === "live" ? this.#air.feed : undefined;
    // Who has not shown a frame yet is replaced at once.
    const isIdle = onAir?.framesForMs(clock.now()) === undefined;
    const displaced = this.#seats.seat(feed, isIdle ? undefined : onAir);
    for (const each of displaced) this.#replace(each);
    if (this.#air.at === "off" || (onAir !== undefined && displaced.includes(onAir))) {
      this.#out.forgetHead();
      this.#air = { at: "live", feed };
      this.#last = feed;
      this.#tellOf(feed, { kind: "source-active", heldMs: 0 });
    }
    this.#watch();
    return {
      push: (message) => {
        if (this.#isOnAir(feed) || this.#seats.has(feed)) this.#push(feed, message);
      },
      end: (end) => {
        if (this.#seats.has(feed)) this.#leave(feed, end);
      },
    };
  }

  /** Dials a target that waits for its next attempt at once. */
  retryTarget(targetId: TargetId): void {
    this.#out.target(targetId)?.retry();
  }

  /** Ends the broadcast, or its hold, and sends every encoder away. */
  end(end: IngestEnd, how: LinkClose): void {
    const feeds = this.#seats.all();
    this.#endBroadcast(end, how);
    for (const feed of feeds) feed.description.onDismissed();
  }

  /** Sends the encoder of a key away as if its connection were lost: the key changed. Whoever came later has the new one. */
  cutSource(slot: IngestSlot, lastIngestId: number): void {
    const feeds = this.#seats.all().filter((each) => each.slot === slot && each.ingestId <= lastIngestId);
    // The one on air last: the others are no heirs to wait for.
    for (const feed of feeds.sort((left, right) => Number(this.#isOnAir(left)) - Number(this.#isOnAir(right)))) {
      if (this.#seats.has(feed)) this.#leave(feed, "ended");
      feed.description.onDismissed();
    }
  }

  /** False where the channel is not on air. */
  watch(watcher: Watcher): boolean {
    if (this.isOnAir) this.#out.watch(watcher);
    return this.isOnAir;
  }

  /** Writes what waits, target by target. */
  flush(): void {
    this.#out.flush();
  }

  /** Call once a second. */
  tick(): void {
    const nowMs = this.#deps.clock.now();
    for (const feed of this.#seats.all()) feed.tick(nowMs);
    this.#out.tick();
  }

  /** Undefined before the first broadcast. */
  sample(): ChannelSample | undefined {
    const feed = this.#last;
    if (feed === undefined) return undefined;
    const state: IngestSample["state"] = this.#air.at === "live" ? "LIVE" : this.#air.at === "held" ? "HELD" : "ENDED";
    const ingest = feed.sample(state);
    return {
      channelId: this.channelId,
      ingest: this.#differs === undefined ? ingest : { ...ingest, standbyDiffers: this.#differs },
      targets: this.#out.sample(),
    };
  }

  /** A feed whose place another has taken. */
  #replace(feed: Feed): void {
    this.#tellOf(feed, { kind: "ingest-ended", end: "replaced", isBroadcastOver: false });
    feed.description.onDismissed();
  }

  #push(feed: Feed, message: Message): void {
    const intake = feed.take(message, this.#deps.clock.now());
    const { timestamp } = message;
    if (this.#isOnAir(feed)) {
      // Behind filler, pictures go on at a keyframe only: what comes before refers to pictures the targets never saw.
      if (this.#gap !== undefined && intake.what === "frame") this.#thaw(feed, intake, timestamp);
      if (this.#gap === undefined) this.#out.forward(intake, timestamp);
    } else if (intake.what === "frame" && this.#isEntry(feed, intake)) {
      if (!this.#mayTakeOver(feed)) return this.#updateStandby();
      if (this.#isBacklog(feed, intake, timestamp)) return;
      this.#activate(feed, intake, timestamp);
      this.#out.forward(intake, timestamp);
    }
  }

  /** The encoder on air was silent and is not any more: where filler has taken its place, it goes on in its own time. */
  #thaw(feed: Feed, frame: Frame, timestamp: number): void {
    const thawedMs = feed.healthyMs(this.#deps.clock.now());
    const isEntry = this.#isEntry(feed, frame) || (frame.kind === "audio" && thawedMs >= PICTURES_WAIT_MS);
    if (!isEntry) return;
    if (this.#isBacklog(feed, frame, timestamp)) return;
    this.#goOn(feed, frame, timestamp);
    this.#watch();
  }

  /** What was held up on its way comes first, of a time that filler has covered. An encoder that stays behind just is. */
  #isBacklog(feed: Feed, frame: Frame, timestamp: number): boolean {
    if (this.#last !== feed || !this.#out.isStale(frame.kind, timestamp)) return false;
    return feed.healthyMs(this.#deps.clock.now()) < BACKLOG_WAIT_MS;
  }

  /** Media from this feed, from this frame on: by the clock it had, if it is the one that was on air last. */
  #goOn(feed: Feed, frame: Frame, timestamp: number): void {
    this.#gap = undefined;
    if (this.#last === feed && !this.#out.isStale(frame.kind, timestamp)) this.#out.resumeSource();
    else this.#out.changeSource(frame.compositionTimeMs);
    this.#last = feed;
    if (continuationOf(this.#out.head, feed.head) !== "same") this.#out.reconnect();
    this.#out.tellHead(feed.head);
  }

  #isOnAir(feed: Feed): boolean {
    return this.#air.at === "live" && this.#air.feed === feed;
  }

  /** Whether a stream may begin with this frame. */
  #isEntry(feed: Feed, frame: { readonly kind: "audio" | "video"; readonly isKeyframe: boolean }): boolean {
    return frame.isKeyframe || (frame.kind === "audio" && !feed.head.expectsVideo(this.#deps.clock.now()));
  }

  #mayTakeOver(feed: Feed): boolean {
    const nowMs = this.#deps.clock.now();
    const mayBringTracks = (feed.framesForMs(nowMs) ?? 0) < TRACKS_WAIT_MS;
    if (mayBringTracks && continuationOf(this.#out.head, feed.head) === "incomplete") return false;
    return mayGoOnAir(this.#air, feed, nowMs);
  }

  /** From here on this feed is the one that targets get. */
  #activate(feed: Feed, frame: Frame, timestamp: number): void {
    const before = this.#air;
    this.#air = { at: "live", feed };
    for (const replaced of this.#seats.goOnAir(feed)) this.#replace(replaced);
    this.#goOn(feed, frame, timestamp);
    const heldMs = before.at === "held" ? Math.round(this.#deps.clock.now() - before.sinceMs) : 0;
    this.#tellOf(feed, { kind: "source-active", heldMs });
    this.#updateStandby();
    this.#watch();
  }

  /** Tells, when it first shows, that the encoder of the other key could not take over quietly. */
  #updateStandby(): void {
    const standby = standbyOf(this.#air, this.#seats.all(), this.#deps.clock.now());
    const detail = standby === undefined ? "" : differences(this.#out.head, standby.head);
    const differs = detail === "" ? undefined : detail;
    if (differs === this.#differs) return;
    this.#differs = differs;
    if (standby !== undefined && differs !== undefined) this.#tellOf(standby, { kind: "standby-differs", detail });
  }

  /** An encoder's connection is gone. */
  #leave(feed: Feed, end: IngestEnd): void {
    const air = this.#air;
    const wasOnAir = this.#isOnAir(feed) || (air.at === "held" && air.lost === feed);
    this.#seats.vacate(feed);
    const hasHeir = this.#seats.all().length > 0;
    if (!wasOnAir) {
      this.#tellOf(feed, { kind: "ingest-ended", end, isBroadcastOver: false });
      this.#updateStandby();
      // What was waited for after a clean stop, or at the process's end, is gone too: now it is over.
      if (air.at === "held" && isFinal(air.end) && !hasHeir) this.#endBroadcast(air.end, closeAfter(air.end));
      return;
    }
    const first = air.at === "held" && isFinal(air.end) ? air.end : end;
    // A newcomer with the same key, or the other key's encoder, is about to go on: that is not the end.
    if (!hasHeir && (isFinal(first) || this.#spec.holdSeconds === 0 || !this.#out.hasStarted)) {
      return this.#endBroadcast(end, closeAfter(first));
    }
    this.#tellOf(feed, { kind: "ingest-ended", end, isBroadcastOver: false });
    this.#hold(feed, end);
  }

  #hold(lost: Feed, end: IngestEnd): void {
    if (this.#air.at !== "live") return;
    this.#air = { at: "held", sinceMs: this.#deps.clock.now(), lost, end };
    this.#tellOf(lost, { kind: "ingest-held", end, holdSeconds: this.#spec.holdSeconds });
    this.#updateStandby();
    this.#watch();
  }

  /** Notices silence, frozen encoders and the end of a hold, sends filler; sets the time of its next look. */
  #watch(): void {
    this.#closeFrozen();
    this.#endExpiredHold();
    this.#watchTimer?.cancel();
    this.#watchTimer = undefined;
    const air = this.#air;
    if (air.at === "off") return;
    const nowMs = this.#deps.clock.now();
    const feed = air.at === "live" ? air.feed : air.lost;
    const silentMs = feed.silentMs(nowMs);
    const isHolding = air.at === "held" || this.#spec.holdSeconds > 0;
    if (air.at === "live" && hasFrozen(feed, nowMs, FROZEN_AFTER_MS)) return this.#freeze(feed);
    const isFilling = this.#gap !== undefined || (isHolding && silentMs >= SILENT_AFTER_MS);
    const nextMs = isFilling ? FILLER_STEP_MS : Math.max(FILLER_STEP_MS, SILENT_AFTER_MS - silentMs);
    this.#watchTimer = this.#deps.clock.startTimer(nextMs, () => this.#watch());
    if (!isFilling) return;
    this.#gap ??= this.#out.newGap();
    this.#out.fill(this.#gap);
  }

  /** Connected, but without media: told to be lost, and held for; where nothing is held for, over. */
  #freeze(feed: Feed): void {
    const hasHeir = this.#seats.all().length > 1;
    if (this.#spec.holdSeconds > 0 || hasHeir) return this.#hold(feed, "frozen");
    this.#leave(feed, "frozen");
    feed.description.onDismissed();
  }

  #closeFrozen(): void {
    const nowMs = this.#deps.clock.now();
    for (const feed of this.#seats.all()) {
      if (!this.#seats.has(feed) || !hasFrozen(feed, nowMs, FROZEN_CLOSE_MS)) continue;
      this.#leave(feed, "frozen");
      feed.description.onDismissed();
    }
  }

  #endExpiredHold(): void {
    const air = this.#air;
    if (air.at !== "held") return;
    const heirs = this.#seats.all().filter((feed) => feed !== air.lost);
    if (this.#deps.clock.now() < holdEndMs(air, this.#spec.holdSeconds, heirs)) return;
    this.end(isFinal(air.end) ? air.end : "hold-expired", closeAfter(air.end));
  }

  #endBroadcast(end: IngestEnd, how: LinkClose): void {
    const air = this.#air;
    if (air.at === "off") return;
    const last = air.at === "live" ? air.feed : air.lost;
    const others = this.#seats.all().filter((feed) => feed !== last);
    this.#air = { at: "off" };
    this.#gap = undefined;
    this.#watchTimer?.cancel();
    this.#seats.clear();
    this.#differs = undefined;
    this.#out.stop(how);
    this.#deps.onOver(this);
    for (const feed of others) this.#tellOf(feed, { kind: "ingest-ended", end, isBroadcastOver: false });
    this.#tellOf(last, { kind: "ingest-ended", end, isBroadcastOver: true });
  }

  #tellOf(feed: Feed, what: FeedFact): void {
    const { ingestId, slot } = feed;
    this.#deps.tell({ ...what, time: this.#deps.clock.wallNow(), channelId: this.channelId, ingestId, slot });
  }

  #tellStatus(target: Target, from: ConnectStatus): void {
    this.#deps.tell({
      kind: "target-status",
      time: this.#deps.clock.wallNow(),
      channelId: this.channelId,
      targetId: target.targetId,
      from,
      status: target.status,
    });
  }
}
