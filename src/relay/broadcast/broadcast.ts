import type { Clock, Timer } from "../../base/clock.ts";
import { WallSteps } from "../../base/wall-steps.ts";
import type { IngestSlot, TrackChoice } from "../../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../../thread-protocol/facts.ts";
import type { FreezeTimes } from "../../thread-protocol/freeze-times.ts";
import type { IngestSample } from "../../thread-protocol/samples.ts";
import type { Publisher } from "../publisher/publisher.ts";
import { PublisherSlots } from "../publisher/publisher-slots.ts";
import type { FanOut, Frame } from "../rendition/fan-out.ts";
import type { MediaMessage } from "../stream/media-message.ts";
import type { Slate } from "../stream/slate/slate.ts";
import type { ChannelTargets } from "../subscriber/rtmp-push/channel-targets.ts";
import { hasFrozen, holdEndMs, isGivenUp, isMissed, mayGoOnAir, nextLookMs } from "./broadcast-rules.ts";
import {
  type BroadcastEffect,
  type BroadcastEvent,
  type BroadcastState,
  type Hold,
  holdOf,
  lastOf,
  next,
  type PublisherFact,
  STATES,
} from "./broadcast-state.ts";
import { OnAirMedia } from "./on-air-media.ts";
import { StandbyWatch } from "./standby-watch.ts";

export type BroadcastDeps = {
  readonly clock: Clock;
  readonly out: FanOut;
  readonly targets: Pick<ChannelTargets, "missed" | "takeSilence">;
  readonly onFact: (publisher: Publisher, fact: PublisherFact) => void;
  /** The broadcast is over: the last moment to sample it. */
  readonly onOver: () => void;
  /** The channel's present settings. */
  readonly settings: () => { readonly holdSeconds: number; readonly freezeTimes: FreezeTimes };
};

/**
 * The publishers of one channel and its broadcasts, one after the other. The state machine is `broadcast-state`: this feeds it
 * events and carries out its effects.
 */
export class Broadcast {
  readonly #deps: BroadcastDeps;
  readonly #media: OnAirMedia;
  readonly #slots = new PublisherSlots();
  readonly #standby = new StandbyWatch();
  readonly #clockSteps: WallSteps;
  #state: BroadcastState<Publisher> = { at: "off" };
  #lookTimer: Timer | undefined;

  constructor(deps: BroadcastDeps) {
    this.#deps = deps;
    const { out, targets, clock, onFact } = deps;
    this.#clockSteps = new WallSteps(clock);
    this.#media = new OnAirMedia({ out, targets, clock, onFact, onFillerOver: () => this.look() });
  }

  /** Whether a broadcast runs, also while it is held. */
  get isRunning(): boolean {
    return this.#state.at !== "off";
  }

  /** Whether media of the publisher on air are missed. */
  get isMissed(): boolean {
    return isMissed(this.#state, this.#awakeMs);
  }

  /** Whether silence replaces the audio of the publisher on air, which has stopped, for receivers of these tracks. */
  isAudioFilledFor(tracks: TrackChoice | undefined): boolean {
    return this.#media.isAudioFilledFor(tracks);
  }

  get publishers(): readonly Publisher[] {
    return this.#slots.all();
  }

  /** The publisher that came last with this key. */
  latest(slot: IngestSlot): Publisher | undefined {
    return this.#slots.latest(slot);
  }

  /** Whether this publisher is connected and was not replaced. */
  has(publisher: Publisher): boolean {
    return this.#isOnAir(publisher) || this.#slots.has(publisher);
  }

  /** The clock for judging publishers: time in which they could not be heard does not count. */
  get #awakeMs(): number {
    return this.#deps.clock.awakeNow();
  }

  /** A publisher has connected. It goes on air at once where nothing is, or where the one on air has not sent a frame yet. */
  open(publisher: Publisher): void {
    const onAir = this.#state.at === "live" ? this.#state.publisher : undefined;
    const isIdle = onAir?.framesForMs(this.#awakeMs) === undefined;
    const displaced = this.#slots.add(publisher, isIdle ? undefined : onAir);
    for (const each of displaced) this.#replace(each);
    if (this.#state.at === "off" || (onAir !== undefined && displaced.includes(onAir))) {
      this.#media.begin(publisher);
      this.#step({ kind: "on-air", publisher });
    }
    this.look();
  }

  /** A publisher sends a message. It is forwarded if the publisher is on air, or goes on air with this message. */
  push(publisher: Publisher, message: MediaMessage): void {
    const awakeMs = this.#awakeMs;
    const nowMs = this.#deps.clock.now();
    const classified = publisher.take(message, nowMs, awakeMs);
    const { timestamp } = message;
    if (this.#isOnAir(publisher)) return this.#media.forward(publisher, classified, { timestamp, nowMs, awakeMs });
    if (classified.what !== "frame") return;
    if (!this.#media.isEntry(publisher, classified)) return this.#missOfFrozen(publisher);
    const mayTakeOver = this.#media.isComplete(publisher, awakeMs) && mayGoOnAir(this.#state, publisher, awakeMs);
    if (!mayTakeOver) return this.#updateStandby();
    if (this.#media.isBacklog(publisher, classified, timestamp)) return this.#deps.targets.missed("overTime");
    this.#takeOver(publisher, classified, timestamp);
    this.#media.forwardFirst(classified, { timestamp, nowMs, awakeMs });
  }

  /** The connection of a publisher is gone. Does nothing where it was replaced or dismissed before. */
  leave(publisher: Publisher, end: IngestEnd): void {
    if (!this.#slots.has(publisher)) return;
    this.#slots.remove(publisher);
    this.#step({ kind: "left", publisher, end, hasHeir: this.#slots.all().length > 0 });
  }

  /** Closes the connections of these publishers, as if they were lost. */
  dismiss(publishers: readonly Publisher[], end: IngestEnd): void {
    // The publisher on air comes last, so that the others do not count as heirs.
    const inOrder = [...publishers].sort((left, right) => Number(this.#isOnAir(left)) - Number(this.#isOnAir(right)));
    for (const publisher of inOrder) {
      this.leave(publisher, end);
      publisher.description.onDismissed();
    }
  }

  /** A person changes the hold, or the broadcast is ended from outside. */
  command(event: Extract<BroadcastEvent<Publisher>, { kind: "hold-extended" | "hold-ended" | "ended" }>): void {
    this.#step(event);
  }

  /** Notices silence, frozen publishers and the end of a hold; sends filler; sets the time of the next check. */
  look(): void {
    const { holdSeconds, freezeTimes } = this.#deps.settings();
    for (const publisher of this.#slots.all()) {
      const isConnected = this.#slots.has(publisher);
      if (isConnected && isGivenUp(publisher, this.#awakeMs, freezeTimes)) this.dismiss([publisher], "frozen");
    }
    const hold = holdOf(this.#state);
    if (hold !== undefined && this.#holdLeftMs(hold) <= 0) this.#step({ kind: "hold-expired" });
    this.#lookTimer?.cancel();
    const state = this.#state;
    const publisher = lastOf(state);
    if (publisher === undefined) return;
    if (state.at === "live" && hasFrozen(publisher, this.#awakeMs, freezeTimes)) {
      return this.#step({ kind: "froze", hasHeir: this.#slots.all().length > 1 });
    }
    const isFilling = this.#media.look(state, state.at !== "live" || holdSeconds > 0, freezeTimes);
    const nextMs = nextLookMs(publisher, isFilling, this.#awakeMs);
    this.#lookTimer = this.#deps.clock.startTimer(nextMs, () => this.look());
    this.#media.fill();
  }

  /** Sets the channel's slate; undefined removes it. */
  setSlate(slate: Slate | undefined): void {
    this.#media.setSlate(slate);
  }

  /** Shows the slate in place of the publisher, or the publisher again from its next keyframe on. */
  setCurtain(isClosed: boolean): void {
    if (!this.isRunning) return;
    this.#media.setCurtain(isClosed);
    this.look();
  }

  /** Publishes how long the targets are held. Call when that may have changed. */
  publishHoldEnd(): void {
    const hold = holdOf(this.#state);
    if (hold !== undefined) this.#deps.onFact(hold.lost, { kind: "hold-set", leftMs: this.#holdLeftMs(hold) });
  }

  /** Counters of the publisher on air, or of the last one. Undefined before the first broadcast. */
  sample(): IngestSample | undefined {
    const { last } = this.#media;
    const clockStepMs = last === undefined ? 0 : this.#clockSteps.since(last.clockMark);
    const sample = last?.sample(STATES[this.#state.at], this.#awakeMs, clockStepMs);
    const { differs } = this.#standby;
    const { slateMisfit } = this.#media;
    if (sample === undefined) return undefined;
    return {
      ...sample,
      ...(differs === undefined ? {} : { standbyDiffers: differs }),
      ...(this.#media.isCurtainClosed ? { isCurtainClosed: true } : {}),
      ...(this.#media.isSlateShown ? { isSlateShown: true } : {}),
      ...(slateMisfit === undefined ? {} : { slateMisfit }),
    };
  }

  #isOnAir(publisher: Publisher): boolean {
    return this.#state.at === "live" && this.#state.publisher === publisher;
  }

  /** A frozen publisher's frames before its next keyframe are lost to the targets. */
  #missOfFrozen(publisher: Publisher): void {
    if (this.#state.at === "frozen" && this.#state.lost === publisher) this.#deps.targets.missed("untilKeyframe");
  }

  #takeOver(publisher: Publisher, frame: Frame, timestamp: number): void {
    for (const replaced of this.#slots.goOnAir(publisher)) this.#replace(replaced);
    this.#endTestPattern(publisher);
    this.#media.switchTo(publisher, frame, timestamp);
    this.#step({ kind: "on-air", publisher });
    this.#updateStandby();
    this.look();
  }

  /** A test pattern ends where an encoder goes on air, with either key. */
  #endTestPattern(onAir: Publisher): void {
    for (const publisher of this.#slots.all()) {
      if (!publisher.isTestPattern || publisher === onAir) continue;
      this.#slots.remove(publisher);
      this.#replace(publisher);
    }
  }

  /** Another publisher has taken the slot of this one. */
  #replace(publisher: Publisher): void {
    const end = publisher.isTestPattern ? "test-pattern-over" : "replaced";
    this.#deps.onFact(publisher, { kind: "ingest-ended", end, isBroadcastOver: false });
    publisher.description.onDismissed();
  }

  #step(event: BroadcastEvent<Publisher>): void {
    const { clock, out, settings } = this.#deps;
    const { holdSeconds } = settings();
    const context = { nowMs: clock.now(), awakeMs: this.#awakeMs, holdSeconds, hasStarted: out.hasStarted };
    const { next: state, effects } = next(this.#state, event, context);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: BroadcastEffect<Publisher>): void {
    switch (effect.kind) {
      case "fact":
        return this.#deps.onFact(effect.publisher, this.#withSlate(effect.fact));
      case "update-standby":
        return this.#updateStandby();
      case "begin-hold":
        this.#media.hold();
        this.publishHoldEnd();
        this.#updateStandby();
        return this.look();
      case "stop":
        return this.#stop(effect);
    }
  }

  /** A hold says whether viewers see the slate in it. */
  #withSlate(fact: PublisherFact): PublisherFact {
    return fact.kind === "ingest-held" && this.#media.hasSlate ? { ...fact, isSlateShown: true } : fact;
  }

  #stop({ last, end, how, dismisses }: Extract<BroadcastEffect<Publisher>, { kind: "stop" }>): void {
    const { out, onFact, onOver } = this.#deps;
    const publishers = this.#slots.all();
    this.#lookTimer?.cancel();
    this.#media.stop();
    this.#slots.clear();
    this.#standby.forget();
    out.stop(how);
    onOver();
    for (const publisher of publishers) {
      if (publisher !== last) onFact(publisher, { kind: "ingest-ended", end, isBroadcastOver: false });
    }
    onFact(last, { kind: "ingest-ended", end, isBroadcastOver: true });
    const dismissed = { all: publishers, last: [last], none: [] }[dismisses];
    for (const publisher of dismissed) publisher.description.onDismissed();
  }

  /** Reports, when it first shows, that the targets would have to reconnect if the standby took over. */
  #updateStandby(): void {
    const { out, onFact } = this.#deps;
    const news = this.#standby.look(this.#state, this.#slots.all(), out.head, this.#awakeMs);
    if (news !== undefined) onFact(news.standby, { kind: "standby-differs", detail: news.detail });
  }

  #holdLeftMs(hold: Hold<Publisher>): number {
    return holdEndMs(hold, this.#deps.settings().holdSeconds, this.#slots.all()) - this.#awakeMs;
  }
}
