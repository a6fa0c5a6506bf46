import type { Clock } from "../../base/clock.ts";
import type { TrackChoice } from "../../thread-protocol/channel-spec.ts";
import type { FreezeTimes } from "../../thread-protocol/freeze-times.ts";
import type { SlateMisfit } from "../../thread-protocol/samples.ts";
import type { Publisher } from "../publisher/publisher.ts";
import type { FanOut, Frame } from "../rendition/fan-out.ts";
import type { FillerRun } from "../rendition/filler-run.ts";
import type { ClassifiedMessage } from "../stream/classify-message.ts";
import { continuationOf } from "../stream/config/compatibility.ts";
import type { MessageTimes } from "../stream/media-message.ts";
import { type Slate, slateLike, slateMisfit } from "../stream/slate/slate.ts";
import type { ChannelTargets } from "../subscriber/rtmp-push/channel-targets.ts";
import { isMissed } from "./broadcast-rules.ts";
import type { BroadcastState, PublisherFact } from "./broadcast-state.ts";
import { FrozenVideo } from "./frozen-video.ts";
import { StoppedAudio } from "./stopped-audio.ts";

export type OnAirMediaDeps = {
  readonly out: FanOut;
  readonly targets: Pick<ChannelTargets, "missed" | "takeSilence">;
  readonly clock: Clock;
  readonly onFact: (publisher: Publisher, fact: PublisherFact) => void;
  /** Media of the publisher on air replaces filler: called before it is forwarded. */
  readonly onFillerOver: () => void;
};

/** Decides what a channel's targets are sent at each moment: media of the publisher on air, or filler. */
export class OnAirMedia {
  readonly #deps: OnAirMediaDeps;
  readonly #out: FanOut;
  readonly #frozenVideo: FrozenVideo;
  readonly #stoppedAudio: StoppedAudio;
  /** The last frame of the stream, or its slate. */
  #fillerRun: FillerRun | undefined;
  #slate: Slate | undefined;
  #isCurtainClosed = false;
  #last: Publisher | undefined;
  /** Whose clock channel time follows. */
  #clockOf: Publisher | undefined;

  constructor(deps: OnAirMediaDeps) {
    this.#deps = deps;
    this.#out = deps.out;
    this.#frozenVideo = new FrozenVideo(deps);
    this.#stoppedAudio = new StoppedAudio(deps.out);
  }

  /** The publisher on air, or the last one that was; undefined before the first broadcast. */
  get last(): Publisher | undefined {
    return this.#last;
  }

  get isSlateShown(): boolean {
    return this.#fillerRun?.isSlate === true;
  }

  /** Whether the slate is shown, or would be if media were missing now. */
  get hasSlate(): boolean {
    return this.isSlateShown || this.#fittingSlate !== undefined;
  }

  /** Why the channel's slate cannot stand for the stream as it is now; undefined where it can, or there is none. */
  get slateMisfit(): SlateMisfit | undefined {
    return this.#slate === undefined || !this.#out.hasStarted ? undefined : slateMisfit(this.#slate, this.#out.head);
  }

  /** Whether silence replaces the publisher's audio, which has stopped, for receivers of these tracks. */
  isAudioFilledFor(tracks: TrackChoice | undefined): boolean {
    return this.#stoppedAudio.isFilledFor(tracks);
  }

  get isCurtainClosed(): boolean {
    return this.#isCurtainClosed;
  }

  /** Sets the channel's slate; undefined removes it. One that is shown now stays until it is over. */
  setSlate(slate: Slate | undefined): void {
    this.#slate = slate;
  }

  /** While the curtain is closed, the slate is shown in place of the publisher. Without a slate that fits: filler. */
  setCurtain(isClosed: boolean): void {
    this.#isCurtainClosed = isClosed;
  }

  /** A publisher is on air that has sent no frame yet: its stream begins from nothing. */
  begin(publisher: Publisher): void {
    this.#out.forgetHead();
    this.#last = publisher;
    this.#clockOf = publisher;
  }

  /**
   * Forwards a message of the publisher on air. While filler is sent, drops messages at which the stream cannot
   * continue.
   */
  forward(publisher: Publisher, classified: ClassifiedMessage, times: MessageTimes): void {
    const { timestamp, awakeMs } = times;
    if (this.#isFilling && classified.what === "frame" && !this.#isCurtainClosed)
      this.#endFiller(publisher, classified, timestamp);
    if (this.#isFilling) return;
    this.#frozenVideo.take(classified, awakeMs);
    this.#stoppedAudio.take(classified, timestamp);
    this.#out.forward(classified, times);
  }

  /** Forwards the frame with which a publisher went on air. */
  forwardFirst(frame: ClassifiedMessage, times: MessageTimes): void {
    if (!this.#isFilling) this.#out.forward(frame, times);
  }

  /** Whether a stream may begin with this frame: a keyframe, or audio of a publisher that sends no video. */
  isEntry(publisher: Publisher, frame: Frame): boolean {
    return frame.isKeyframe || (frame.kind === "audio" && !publisher.head.expectsVideo(this.#deps.clock.now()));
  }

  /** Whether the targets can continue with this publisher now, without missing tracks that it may still send. */
  isComplete(publisher: Publisher, awakeMs: number): boolean {
    return !publisher.mayBringTracks(awakeMs) || continuationOf(this.#out.head, publisher.head) !== "incomplete";
  }

  /** Whether this frame was delayed on its way: filler has covered its time, and newer frames come right after it. */
  isBacklog(publisher: Publisher, frame: Frame, timestamp: number): boolean {
    const staleMs = this.#clockOf === publisher ? this.#out.staleMs(frame.kind, timestamp) : 0;
    return publisher.isCatchingUp(staleMs ?? 0, this.#deps.clock.awakeNow());
  }

  /** Continues with this publisher from this frame on: by its own clock if it was the last one on air. */
  switchTo(publisher: Publisher, frame: Frame, timestamp: number): void {
    this.#last = publisher;
    this.#forgetStopped();
    // Behind the curtain nothing of it is sent.
    if (this.#isCurtainClosed && this.#isFilling) return;
    this.#fillerRun = undefined;
    if (this.#clockOf === publisher && this.#out.staleMs(frame.kind, timestamp) === 0) this.#out.resumePublisher();
    else this.#out.changePublisher(frame.compositionTimeMs);
    this.#clockOf = publisher;
    if (continuationOf(this.#out.head, publisher.head) !== "same") this.#out.reconnect();
    this.#out.offerConfig(publisher.head);
  }

  /**
   * Begins filler where media is missing. `mayFill`: the channel holds its targets. Returns whether filler is sent now.
   */
  look(state: BroadcastState<Publisher>, mayFill: boolean, freezeTimes: FreezeTimes): boolean {
    const awakeMs = this.#deps.clock.awakeNow();
    const isCovered = this.#isCurtainClosed && state.at !== "off" && this.#out.hasStarted;
    if ((mayFill && isMissed(state, awakeMs)) || isCovered || this.#fillerRun !== undefined) this.#beginFilling();
    if (this.#isFilling) return true;
    if (state.at !== "live") return false;
    this.#stoppedAudio.look(state.publisher, awakeMs, this.#deps.targets.takeSilence);
    return this.#frozenVideo.look(state.publisher, awakeMs, freezeTimes);
  }

  /** Sends the filler that is due. */
  fill(): void {
    if (this.#fillerRun !== undefined) this.#out.fill(this.#fillerRun);
  }

  /** The publisher is lost: stops watching it. */
  hold(): void {
    this.#forgetStopped();
  }

  #forgetStopped(): void {
    this.#frozenVideo.forget();
    this.#stoppedAudio.forget();
  }

  /** The broadcast is over. */
  stop(): void {
    this.#fillerRun = undefined;
    this.#isCurtainClosed = false;
    this.#forgetStopped();
  }

  get #isFilling(): boolean {
    return this.#fillerRun !== undefined;
  }

  /** Shows the slate where it fits the stream, else filler; a slate that came later replaces filler. */
  #beginFilling(): void {
    if (this.isSlateShown) return;
    this.#stoppedAudio.forget();
    const slate = this.#fittingSlate;
    if (slate !== undefined) this.#fillerRun = this.#out.newSlateRun(slateLike(slate, this.#out.head));
    else this.#fillerRun ??= this.#out.newFillerRun();
  }

  get #fittingSlate(): Slate | undefined {
    return this.#out.hasStarted && this.slateMisfit === undefined ? this.#slate : undefined;
  }

  #endFiller(publisher: Publisher, frame: Frame, timestamp: number): void {
    const isAudioAlone = frame.kind === "audio" && publisher.isAudioAlone(this.#deps.clock.awakeNow());
    // Frames before a keyframe refer to frames that the targets never got.
    if (!this.isEntry(publisher, frame) && !isAudioAlone) return this.#deps.targets.missed("untilKeyframe");
    if (this.isBacklog(publisher, frame, timestamp)) return this.#deps.targets.missed("overTime");
    this.switchTo(publisher, frame, timestamp);
    this.#deps.onFillerOver();
  }
}
