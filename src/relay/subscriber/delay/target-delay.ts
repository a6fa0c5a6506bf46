import type { Clock, Timer } from "../../../base/clock.ts";
import type { TargetSpec } from "../../../thread-protocol/channel-spec.ts";
import type { DelaySample } from "../../../thread-protocol/delays/delay.ts";
import { targetError } from "../../../thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../../../thread-protocol/targets/target-status.ts";
import { withOwnMemory } from "../../packing/rtmp-chunks.ts";
import type { Packet } from "../../stream/packet.ts";
import { choiceOf, leaveFor } from "../rtmp-push/spec-change.ts";
import type { Target } from "../rtmp-push/target.ts";
import type { LinkClose, SoFar, Subscriber } from "../subscriber.ts";
import { DelayLine } from "./delay-line.ts";
import type { DelayMemory } from "./delay-memory.ts";
import type { DelayShelves } from "./delay-shelf.ts";
import { DelaySubscriber } from "./delay-subscriber.ts";
import { DelayedStream } from "./delayed-stream.ts";

/** How often what is due is sent, in milliseconds: as often as other targets are flushed. */
const PLAY_MS = 50;
const MS_PER_SECOND = 1_000;

const PROBLEMS = {
  "disk-full": targetError("delay-disk-full"),
  "disk-slow": targetError("delay-disk-slow"),
  "disk-failed": targetError("delay-disk-failed"),
};

export type TargetDelayDeps = {
  /** Its timers run only while anything may be sent to targets. */
  readonly clock: Clock;
  readonly shelves: DelayShelves;
  readonly delayMemory: DelayMemory;
  /** Adds a subscriber to the channel's stream. */
  readonly subscribe: (subscriber: Subscriber) => void;
  readonly onFault: (error: unknown) => void;
};

/**
 * Delays one target: everything that its channel does with it, and the stream, reaches it a fixed time later. Stands
 * between the channel's fan-out and the target, which knows nothing of it.
 */
export class TargetDelay {
  readonly #target: Target;
  readonly #deps: TargetDelayDeps;
  readonly #stream: DelayedStream;
  readonly #line: DelayLine;
  #spec: TargetSpec;
  #subscriber: DelaySubscriber | undefined;
  #streamPerSecond = 0;
  /** Whether the channel is on air, where media enters the delay. */
  #isWanted = false;
  /** The same at its exit. */
  #isWantedLater = false;
  /** A person cut the delay: it is back with the next broadcast. */
  #isCut = false;
  #streamProblem: TargetError | undefined;
  #timer: Timer | undefined;

  constructor(target: Target, deps: TargetDelayDeps) {
    this.#target = target;
    this.#deps = deps;
    this.#spec = target.spec;
    const { clock, shelves, delayMemory: memory, onFault } = deps;
    this.#stream = new DelayedStream({ clock, onFault });
    this.#line = new DelayLine(this.#specMs, {
      ...{ now: () => clock.now(), output: this.#stream, shelves, memory },
      onProblem: () => this.#noteProblem(),
    });
  }

  get #specMs(): number {
    return (this.#spec.delaySeconds ?? 0) * MS_PER_SECOND;
  }

  /** Whether a broadcast that is over still goes out. */
  get isDraining(): boolean {
    return !this.#isWanted && !this.#line.isEmpty;
  }

  /** Whether it neither delays anything nor is to. */
  get isOver(): boolean {
    return this.#specMs === 0 && !this.#isWanted && this.#line.isEmpty && !this.#isWantedLater;
  }

  /** Whether it has got something of the present stream. */
  get hasBegun(): boolean {
    return this.#subscriber?.hasBegun === true;
  }

  get hasSilence(): boolean {
    return this.#subscriber?.hasSilence === true;
  }

  get spec(): TargetSpec {
    return this.#spec;
  }

  want(): void {
    this.#isWanted = true;
    if (!this.#spec.isEnabled) return;
    if (this.#isCut) {
      this.#isCut = false;
      this.#line.setDelay(this.#specMs);
    }
    this.#mark(() => {
      this.#isWantedLater = true;
      this.#target.want();
    });
    this.#begin();
  }

  /** The broadcast is over: what is delayed still goes out. */
  unwant(how: LinkClose): void {
    this.#isWanted = false;
    this.#endInput();
    this.#mark(() => {
      this.#isWantedLater = false;
      this.#target.unwant(how);
    });
    // No keyframe comes any more that a cut could wait for.
    if (this.#line.isCutting) this.#line.skip();
  }

  /** Drops what is delayed and leaves the target now: it was removed, or the channel is left at once. */
  stop(how: LinkClose): void {
    this.#endInput();
    this.#line.clear();
    this.#isWanted = false;
    this.#isWantedLater = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#target.unwant(how);
  }

  /** The new stream cannot follow the former one within a connection. */
  redial(how: LinkClose): void {
    if (!this.#isWanted) return;
    this.#endInput();
    this.#mark(() => this.#target.redial(how));
    this.#beginLater();
  }

  /** Audio came in place of silence. `isSameFormat`: the connection can go on. */
  endSilence(isSameFormat: boolean): void {
    if (!isSameFormat) this.redial("cut");
    else this.#mark(() => this.#stream.endSilence());
  }

  /** Sets why the target cannot take the stream that comes in; undefined: it can. */
  setStreamProblem(problem: TargetError | undefined): void {
    if (this.#streamProblem?.message === problem?.message) return;
    this.#streamProblem = problem;
    if (this.#isWanted) this.#mark(() => this.#target.setStreamProblem(problem));
    else if (this.#line.isEmpty) this.#target.setStreamProblem(problem);
  }

  /** The target accepted: its connection gets the delayed stream. */
  accept(push: Subscriber): void {
    this.#stream.subscribe(push);
  }

  /**
   * Goes on with a connection that got the stream without a delay: it shows its last frame until the delay is over.
   */
  takeOver(push: Subscriber, got: SoFar): void {
    this.#isWanted = true;
    this.#isWantedLater = true;
    this.#stream.goOn(push, got);
    this.#begin(true);
  }

  /** Applies a new spec. */
  setSpec(spec: TargetSpec): void {
    const before = this.#spec;
    this.#spec = spec;
    if (before.delaySeconds !== spec.delaySeconds) {
      this.#isCut = false;
      this.#line.setDelay(this.#specMs);
      this.#run();
    }
    if (!spec.isEnabled) return this.#turnOff(spec);
    const { tracks, hasTimedData, addsSilence } = before;
    const isChoiceSame = leaveFor({ ...spec, tracks, hasTimedData, addsSilence } as TargetSpec, spec) === undefined;
    if (isChoiceSame || !this.#isWanted) this.#target.setSpec(spec);
    else {
      // What is delayed has the former tracks: the target changes with them.
      this.#endInput();
      this.#mark(() => this.#target.setSpec(this.#spec));
      this.#beginLater();
    }
    if (!before.isEnabled && this.#isWanted) this.want();
  }

  #turnOff(spec: TargetSpec): void {
    const isWanted = this.#isWanted;
    this.stop("end");
    this.#isWanted = isWanted;
    this.#target.setSpec(spec);
  }

  /** Drops what is delayed: the target goes on live at the next keyframe. What is left of a broadcast that is over ends. */
  cut(): void {
    this.#isCut = true;
    if (this.isDraining) this.#line.skip();
    else this.#line.setDelay(0);
    this.#run();
  }

  /** Call once a second. */
  tick(): void {
    this.#streamPerSecond = this.#subscriber?.streamPerSecond ?? this.#streamPerSecond;
    this.#stream.tick(this.#streamPerSecond);
    if (this.#subscriber?.isOver === true) this.#begin();
  }

  sample(): DelaySample | undefined {
    if (!this.#isWanted && this.#line.isEmpty) return undefined;
    const { delayMs, bufferedMs, bufferedBytes, diskBytes, problem } = this.#line;
    const state = !this.#isWanted
      ? "DRAINING"
      : this.#isCut && delayMs === 0
        ? "LIVE"
        : this.#target.hasBegun && !this.#stream.isHolding
          ? "DELAYED"
          : "FILLING";
    return {
      ...{ state, delayMs, bufferedMs: Math.round(bufferedMs), bufferedBytes, diskBytes },
      ...(problem === undefined ? {} : { problem }),
    };
  }

  /** The line takes no more, or takes more again. What it has still goes out, then the target is left with the reason. */
  #noteProblem(): void {
    const { problem } = this.#line;
    if (!this.#isWanted || !this.#spec.isEnabled) return;
    this.#endInput();
    const error = problem === undefined ? this.#streamProblem : PROBLEMS[problem];
    this.#mark(() => this.#target.setStreamProblem(error));
    if (problem === undefined) this.#beginLater();
  }

  /** Lets the stream come in from its current GOP on. */
  #begin(isContinued = false): void {
    if (!this.#isWanted || !this.#spec.isEnabled || this.#line.problem !== undefined) return;
    this.#endInput();
    let continues = isContinued;
    const subscriber: DelaySubscriber = new DelaySubscriber({
      choice: { ...choiceOf(this.#spec), takesHevcEnhanced: this.#spec.codecs?.video?.includes("hevc") === true },
      onBegin: (config, hasSilence) => {
        const bytes = config.reduce((sum, { payload }) => sum + payload.length, 0);
        if (!continues) this.#mark(() => this.#stream.begin(config, hasSilence), bytes);
        continues = false;
      },
      onPacket: (packet, isStart) => this.#add(packet, isStart),
      onEnded: () => this.#target.redial("cut"),
    });
    this.#subscriber = subscriber;
    this.#deps.subscribe(subscriber);
    this.#run();
  }

  /** The same when what happens at present is over. */
  #beginLater(): void {
    this.#deps.clock.startTimer(0, () => {
      if (this.#subscriber === undefined) this.#begin();
    });
  }

  #endInput(): void {
    this.#subscriber?.stop();
    this.#subscriber = undefined;
  }

  #add(packet: Packet, isStart: boolean): void {
    if (packet.isConfig) {
      const own = withOwnMemory(packet);
      this.#mark(() => this.#stream.config(own), own.end);
    } else this.#line.add(packet, isStart);
    this.#run();
  }

  #mark(run: () => void, bytes?: number): void {
    this.#line.mark(run, bytes);
    this.#run();
  }

  /** Plays as long as there is something to play. */
  #run(): void {
    this.#timer ??= this.#deps.clock.startTimer(PLAY_MS, () => {
      this.#timer = undefined;
      if (!this.#line.isEmpty || this.#stream.isHolding) this.#run();
      this.#line.play();
      this.#stream.flush();
    });
  }
}
