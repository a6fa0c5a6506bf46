import type { Timer } from "../base/clock.ts";
import type { ChannelId, ChannelSpec, IngestSlot, Latency, TargetId } from "../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../thread-protocol/facts.ts";
import { FREEZE_TIMES, type FreezeTimes } from "../thread-protocol/freeze-times.ts";
import type { HoldChange } from "../thread-protocol/hold-limits.ts";
import type { ChannelSample } from "../thread-protocol/samples.ts";
import {
  type BroadcastState,
  closeAfter,
  DEAD_AFTER_MS,
  extended,
  hasFrozen,
  holdEndMs,
  isFinal,
  isGivenUp,
  isMissed,
  mayGoOnAir,
  nextLookMs,
  type PublisherFact,
  STATES,
} from "./broadcast-state.ts";
import type { ChannelDeps } from "./channel-deps.ts";
import { FrozenPictures } from "./frozen-pictures.ts";
import { Publisher, type PublisherDescription, type PublisherHandle } from "./publisher/publisher.ts";
import { PublisherSlots } from "./publisher/publisher-slots.ts";
import { takeoverGuards } from "./publisher/takeover-guard.ts";
import { FanOut, type Frame } from "./rendition/fan-out.ts";
import type { FillerRun } from "./rendition/filler-run.ts";
import { StandbyWatch } from "./standby-watch.ts";
import { continuationOf } from "./stream/config/compatibility.ts";
import type { MediaMessage } from "./stream/media-message.ts";
import type { ChannelTargets } from "./subscriber/rtmp-push/channel-targets.ts";
import type { Target } from "./subscriber/rtmp-push/target.ts";
import type { LinkClose, Subscriber } from "./subscriber/subscriber.ts";
import { targetsOf } from "./target-facts.ts";

/**
 * One channel: decides which encoder is on air, holds the targets when it is lost, and ends the broadcast. The way out to the
 * targets is the fan-out's.
 * A newcomer takes over at its first keyframe, until then the present one stays on air. A standby (the other key) takes over, also at
 * a keyframe, when the one on air is lost or silent; the main one returns after half a minute of health.
 */
export class Channel {
  #spec: ChannelSpec;
  readonly #deps: ChannelDeps;
  readonly #out: FanOut;
  readonly #targets: ChannelTargets;
  #air: BroadcastState = { at: "off" };
  readonly #slots = new PublisherSlots();
  /** The feed on air, or the last one that was. */
  #last: Publisher | undefined;
  #fillerRun: FillerRun | undefined;
  #watchTimer: Timer | undefined;
  readonly #standby = new StandbyWatch();
  readonly #guards = takeoverGuards();
  readonly #pictures: FrozenPictures;

  constructor(spec: ChannelSpec, deps: ChannelDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#targets = targetsOf(spec.channelId, deps, () => this.#out);
    const { clock, blocks, onDirty, onFault } = deps;
    this.#out = new FanOut({ clock, blocks, onDirty, onFault, connections: this.#targets });
    this.#targets.set(spec.targets);
    this.#pictures = new FrozenPictures({ out: this.#out, tell: (publisher, fact) => this.#tellOf(publisher, fact) });
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
    return this.#targets.all;
  }

  /** What says whether an encoder is silent: time in which it could not have been heard does not count. */
  get #awakeMs(): number {
    return this.#deps.clock.awakeNow();
  }

  get #freezeTimes(): FreezeTimes {
    return this.#spec.freeze ?? FREEZE_TIMES;
  }

  /** Takes a newer spec; targets that did not change do not notice. */
  apply(spec: ChannelSpec): void {
    if (spec.revision <= this.#spec.revision) return;
    this.#spec = spec;
    this.#targets.set(spec.targets);
    this.#tellHoldEnd();
    this.#watch();
  }

  /** Whether an encoder may come now; to be asked before it is told anything. Counts what would be a takeover. */
  admits(slot: IngestSlot): boolean {
    const present = this.#slots.latest(slot);
    // A dead connection locks nobody out, and replacing it is no fight.
    if (present === undefined || present.silentMs(this.#awakeMs) >= DEAD_AFTER_MS) return true;
    if (this.#guards[slot].allows(this.#deps.clock.now())) return true;
    this.#deps.tell({ kind: "encoders-fight", time: this.#deps.clock.wallNow(), channelId: this.channelId, slot });
    return false;
  }

  /** An encoder with the right key begins to publish. */
  open(ingestId: number, description: PublisherDescription): PublisherHandle {
    const { clock } = this.#deps;
    const times = { nowMs: clock.now(), awakeMs: this.#awakeMs };
    const publisher = new Publisher(ingestId, description, clock.wallNow(), times);
    const isBroadcastNew = this.#air.at === "off";
    const { remoteAddress, encoder, keyRemoved = [] } = description;
    const key = keyRemoved.length === 0 ? {} : { keyRemoved };
    this.#tellOf(publisher, { kind: "ingest-started", remoteAddress, encoder, ...key, isBroadcastNew });
    const onAir = this.#air.at === "live" ? this.#air.publisher : undefined;
    // Who has not shown a frame yet is replaced at once.
    const isIdle = onAir?.framesForMs(this.#awakeMs) === undefined;
    const displaced = this.#slots.add(publisher, isIdle ? undefined : onAir);
    for (const each of displaced) this.#replace(each);
    if (this.#air.at === "off" || (onAir !== undefined && displaced.includes(onAir))) {
      this.#out.forgetHead();
      this.#air = { at: "live", publisher };
      this.#last = publisher;
      this.#tellOf(publisher, { kind: "source-active", heldMs: 0 });
    }
    this.#watch();
    return {
      push: (message) => {
        if (this.#isOnAir(publisher) || this.#slots.has(publisher)) this.#push(publisher, message);
      },
      end: (end) => {
        if (this.#slots.has(publisher)) this.#leave(publisher, end);
      },
    };
  }

  /** Extends a hold by a minute, or ends it. Does nothing where no hold runs: a broadcast whose encoder is back goes on. */
  changeHold(how: HoldChange): void {
    if (this.#air.at === "held" && how === "end") return this.end("ended", "end");
    this.#air = extended(this.#air, this.#spec.holdSeconds);
    this.#tellHoldEnd();
  }

  /** Dials a target that waits for its next attempt at once. */
  retryTarget(targetId: TargetId): void {
    this.#targets.get(targetId)?.retry();
  }

  /** Ends the broadcast, or its hold, and sends every encoder away. */
  end(end: IngestEnd, how: LinkClose): void {
    const publishers = this.#slots.all();
    this.#endBroadcast(end, how);
    for (const publisher of publishers) publisher.description.onDismissed();
  }

  /** Sends the encoder of a key away as if its connection were lost: the key changed. Whoever came later has the new one. */
  cutSource(slot: IngestSlot, lastIngestId: number): void {
    const publishers = this.#slots.all().filter((each) => each.slot === slot && each.ingestId <= lastIngestId);
    // The one on air last: the others are no heirs to wait for.
    for (const publisher of publishers.sort(
      (one, other) => Number(this.#isOnAir(one)) - Number(this.#isOnAir(other)),
    )) {
      if (this.#slots.has(publisher)) this.#leave(publisher, "ended");
      publisher.description.onDismissed();
    }
  }

  /** Gives the stream to one more subscriber, until the broadcast is over; false where the channel is not on air. */
  subscribe(subscriber: Subscriber): boolean {
    if (this.isOnAir) this.#out.subscribe(subscriber);
    return this.isOnAir;
  }

  /** Writes what waits, target by target. */
  flush(): void {
    this.#out.flush();
  }

  /** Call once a second. */
  tick(): void {
    const nowMs = this.#deps.clock.now();
    for (const publisher of this.#slots.all()) publisher.tick(nowMs);
    this.#out.tick();
    const isSilent = this.#air.at !== "off" && isMissed(this.#air, this.#awakeMs);
    this.#targets.tick({ isSilent, lacksKeyframe: this.#out.lacksKeyframe });
  }

  /** Undefined before the first broadcast. */
  sample(): ChannelSample | undefined {
    const publisher = this.#last;
    if (publisher === undefined) return undefined;
    const ingest = publisher.sample(STATES[this.#air.at], this.#awakeMs);
    const { differs } = this.#standby;
    return {
      channelId: this.channelId,
      ingest: differs === undefined ? ingest : { ...ingest, standbyDiffers: differs },
      targets: this.#targets.sample(),
    };
  }

  /** A feed whose place another has taken. */
  #replace(publisher: Publisher): void {
    this.#tellOf(publisher, { kind: "ingest-ended", end: "replaced", isBroadcastOver: false });
    publisher.description.onDismissed();
  }

  #push(publisher: Publisher, message: MediaMessage): void {
    const awakeMs = this.#awakeMs;
    const taken = publisher.take(message, this.#deps.clock.now(), awakeMs);
    if (this.#isOnAir(publisher)) {
      // Behind filler, pictures go on at a keyframe only: what comes before refers to pictures the targets never saw.
      if (this.#fillerRun !== undefined && taken.what === "frame") this.#thaw(publisher, taken, message.timestamp);
      if (this.#fillerRun !== undefined) return;
      this.#pictures.take(taken, awakeMs);
      this.#out.forward(taken, message.timestamp);
    } else if (taken.what === "frame") {
      const isHeldFor = this.#air.at === "held" && this.#air.lost === publisher;
      if (!this.#isEntry(publisher, taken)) return isHeldFor ? this.#targets.missed("untilKeyframe") : undefined;
      if (!this.#mayTakeOver(publisher)) return this.#updateStandby();
      if (this.#isBacklog(publisher, taken, message.timestamp)) return this.#targets.missed("overTime");
      this.#activate(publisher, taken, message.timestamp);
      this.#out.forward(taken, message.timestamp);
    }
  }

  /** The encoder on air was silent and is not any more: where filler has taken its place, it goes on in its own time. */
  #thaw(publisher: Publisher, frame: Frame, timestamp: number): void {
    const isAudioAlone = frame.kind === "audio" && publisher.isAudioAlone(this.#awakeMs);
    if (!this.#isEntry(publisher, frame) && !isAudioAlone) return this.#targets.missed("untilKeyframe");
    if (this.#isBacklog(publisher, frame, timestamp)) return this.#targets.missed("overTime");
    this.#goOn(publisher, frame, timestamp);
    this.#watch();
  }

  /** What was held up on its way comes first, of a time that filler has covered. An encoder that stays behind just is. */
  #isBacklog(publisher: Publisher, frame: Frame, timestamp: number): boolean {
    const staleMs = this.#last === publisher ? this.#out.staleMs(frame.kind, timestamp) : 0;
    return publisher.isCatchingUp(staleMs ?? 0, this.#awakeMs);
  }

  /** Media from this feed, from this frame on: by the clock it had, if it is the one that was on air last. */
  #goOn(publisher: Publisher, frame: Frame, timestamp: number): void {
    this.#fillerRun = undefined;
    this.#pictures.forget();
    if (this.#last === publisher && this.#out.staleMs(frame.kind, timestamp) === 0) this.#out.resumeSource();
    else this.#out.changeSource(frame.compositionTimeMs);
    this.#last = publisher;
    if (continuationOf(this.#out.head, publisher.head) !== "same") this.#out.reconnect();
    this.#out.tellHead(publisher.head);
  }

  #isOnAir(publisher: Publisher): boolean {
    return this.#air.at === "live" && this.#air.publisher === publisher;
  }

  /** Whether a stream may begin with this frame. */
  #isEntry(publisher: Publisher, frame: { readonly kind: "audio" | "video"; readonly isKeyframe: boolean }): boolean {
    return frame.isKeyframe || (frame.kind === "audio" && !publisher.head.expectsVideo(this.#deps.clock.now()));
  }

  #mayTakeOver(publisher: Publisher): boolean {
    const awakeMs = this.#awakeMs;
    if (publisher.mayBringTracks(awakeMs) && continuationOf(this.#out.head, publisher.head) === "incomplete")
      return false;
    return mayGoOnAir(this.#air, publisher, awakeMs);
  }

  /** From here on this feed is the one that targets get. */
  #activate(publisher: Publisher, frame: Frame, timestamp: number): void {
    const before = this.#air;
    this.#air = { at: "live", publisher };
    for (const replaced of this.#slots.goOnAir(publisher)) this.#replace(replaced);
    this.#goOn(publisher, frame, timestamp);
    const heldMs = before.at === "held" ? Math.round(this.#deps.clock.now() - before.sinceMs) : 0;
    this.#tellOf(publisher, { kind: "source-active", heldMs });
    this.#updateStandby();
    this.#watch();
  }

  /** Tells, when it first shows, that the encoder of the other key could not take over quietly. */
  #updateStandby(): void {
    const news = this.#standby.look(this.#air, this.#slots.all(), this.#out.head, this.#awakeMs);
    if (news !== undefined) this.#tellOf(news.standby, { kind: "standby-differs", detail: news.detail });
  }

  /** An encoder's connection is gone. */
  #leave(publisher: Publisher, end: IngestEnd): void {
    const air = this.#air;
    const wasOnAir = this.#isOnAir(publisher) || (air.at === "held" && air.lost === publisher);
    this.#slots.remove(publisher);
    const hasHeir = this.#slots.all().length > 0;
    if (!wasOnAir) {
      this.#tellOf(publisher, { kind: "ingest-ended", end, isBroadcastOver: false });
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
    this.#tellOf(publisher, { kind: "ingest-ended", end, isBroadcastOver: false });
    this.#hold(publisher, end);
  }

  #hold(lost: Publisher, end: IngestEnd): void {
    if (this.#air.at !== "live") return;
    this.#air = { at: "held", sinceMs: this.#deps.clock.now(), sinceAwakeMs: this.#awakeMs, extendedMs: 0, lost, end };
    this.#pictures.forget();
    this.#tellOf(lost, { kind: "ingest-held", end, holdSeconds: this.#spec.holdSeconds });
    this.#tellHoldEnd();
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
    const awakeMs = this.#awakeMs;
    const publisher = air.at === "live" ? air.publisher : air.lost;
    const isHolding = air.at === "held" || this.#spec.holdSeconds > 0;
    if (air.at === "live" && hasFrozen(publisher, awakeMs, this.#freezeTimes)) return this.#freeze(publisher);
    if (this.#fillerRun === undefined && isHolding && isMissed(air, awakeMs))
      this.#fillerRun = this.#out.newFillerRun();
    const isFilling =
      this.#fillerRun !== undefined ||
      (air.at === "live" && this.#pictures.look(publisher, awakeMs, this.#freezeTimes));
    const nextMs = nextLookMs(publisher, isFilling, awakeMs);
    this.#watchTimer = this.#deps.clock.startTimer(nextMs, () => this.#watch());
    if (this.#fillerRun !== undefined) this.#out.fill(this.#fillerRun);
  }

  /** Connected, but without media: told to be lost, and held for; where nothing is held for, over. */
  #freeze(publisher: Publisher): void {
    const hasHeir = this.#slots.all().length > 1;
    if (this.#spec.holdSeconds > 0 || hasHeir) return this.#hold(publisher, "frozen");
    this.#leave(publisher, "frozen");
    publisher.description.onDismissed();
  }

  #closeFrozen(): void {
    for (const publisher of this.#slots.all()) {
      if (!this.#slots.has(publisher) || !isGivenUp(publisher, this.#awakeMs, this.#freezeTimes)) continue;
      this.#leave(publisher, "frozen");
      publisher.description.onDismissed();
    }
  }

  #endExpiredHold(): void {
    const air = this.#air;
    if (air.at !== "held" || this.#holdLeftMs(air) > 0) return;
    this.end(isFinal(air.end) ? air.end : "hold-expired", closeAfter(air.end));
  }

  /** Says until when the targets are held: when the hold begins, and when that may have changed. */
  #tellHoldEnd(): void {
    const air = this.#air;
    if (air.at === "held") this.#tellOf(air.lost, { kind: "hold-set", leftMs: this.#holdLeftMs(air) });
  }

  #holdLeftMs(air: BroadcastState & { readonly at: "held" }): number {
    return holdEndMs(air, this.#spec.holdSeconds, this.#slots.all()) - this.#awakeMs;
  }

  #endBroadcast(end: IngestEnd, how: LinkClose): void {
    const air = this.#air;
    if (air.at === "off") return;
    const last = air.at === "live" ? air.publisher : air.lost;
    const others = this.#slots.all().filter((publisher) => publisher !== last);
    this.#air = { at: "off" };
    this.#fillerRun = undefined;
    this.#pictures.forget();
    this.#watchTimer?.cancel();
    this.#slots.clear();
    this.#standby.forget();
    this.#out.stop(how);
    this.#deps.onOver();
    for (const publisher of others) this.#tellOf(publisher, { kind: "ingest-ended", end, isBroadcastOver: false });
    this.#tellOf(last, { kind: "ingest-ended", end, isBroadcastOver: true });
  }

  #tellOf(publisher: Publisher, what: PublisherFact): void {
    const { ingestId, slot } = publisher;
    this.#deps.tell({ ...what, time: this.#deps.clock.wallNow(), channelId: this.channelId, ingestId, slot });
  }
}
