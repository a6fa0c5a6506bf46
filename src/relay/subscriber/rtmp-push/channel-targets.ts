import type { TargetId, TargetSpec, TrackChoice } from "../../../thread-protocol/channel-spec.ts";
import type { DroppedFrames, TargetSample } from "../../../thread-protocol/samples.ts";
import type { DecoderConfig } from "../../stream/config/decoder-config.ts";
import type { DelayMemory } from "../delay/delay-memory.ts";
import type { DelayShelves } from "../delay/delay-shelf.ts";
import { TargetDelay } from "../delay/target-delay.ts";
import type { LinkClose, SoFar, StreamChoice, Subscriber } from "../subscriber.ts";
import type { Supply } from "./health/idle-watch.ts";
import { choiceOf } from "./spec-change.ts";
import { streamProblem } from "./stream-problem.ts";
import { Target, type TargetDeps } from "./target.ts";

/** The stream that targets subscribe to. */
export interface TargetStream {
  /** The present decoder config. */
  readonly head: DecoderConfig;
  subscribe(subscriber: Subscriber): void;
  /** A subscriber leaves that goes on elsewhere; returns what it got so far. */
  detach(subscriber: Subscriber): SoFar | undefined;
  /** Makes renditions for these choices, so that targets which connect later find the current GOP. */
  prepare(choices: readonly StreamChoice[]): void;
  /** Gives subscribers in step the flush batch. Call before anything that ends a link: earlier packets belong to it. */
  deliver(): void;
}

export type ChannelTargetsDeps = Omit<TargetDeps, "onAccepted"> & {
  readonly stream: () => TargetStream;
  readonly shelves: DelayShelves;
  readonly delayMemory: DelayMemory;
  /** Takes the error of one target; the others go on. */
  readonly onFault: (error: unknown) => void;
};

/** The targets of one channel. */
export class ChannelTargets {
  readonly #deps: ChannelTargetsDeps;
  readonly #targets = new Map<TargetId, Target>();
  /** The delays of those that have one, in front of them. */
  readonly #delays = new Map<TargetId, TargetDelay>();
  #areWanted = false;
  /** Accepted, but not begun: whether the stream has audio is not known yet. */
  readonly #untilAudio = new Set<Subscriber>();

  constructor(deps: ChannelTargetsDeps) {
    this.#deps = deps;
  }

  get all(): Iterable<Target> {
    return this.#targets.values();
  }

  get(targetId: TargetId): Target | undefined {
    return this.#targets.get(targetId);
  }

  /** Whether any of them got something of the stream, and still has that connection. */
  get haveBegun(): boolean {
    return [...this.#targets.values()].some((target) => this.#way(target).hasBegun);
  }

  /** Whether any of them gets silence where there is no audio. */
  get takeSilence(): boolean {
    for (const { spec } of this.#targets.values()) if (spec.isEnabled && spec.addsSilence === true) return true;
    return false;
  }

  /** Whether a broadcast that is over still goes out to any of them. */
  get areDraining(): boolean {
    for (const delay of this.#delays.values()) if (delay.isDraining) return true;
    return false;
  }

  /** What the channel's stream reaches first of a target: its delay, or the target. */
  #way(target: Target): Target | TargetDelay {
    return this.#delays.get(target.targetId) ?? target;
  }

  /** Makes the targets match the specs; targets that did not change are not affected. */
  set(specs: readonly TargetSpec[]): void {
    const stream = this.#deps.stream();
    stream.deliver();
    const wanted = new Map(specs.map((spec) => [spec.targetId, spec]));
    for (const [targetId, target] of this.#targets) {
      if (wanted.has(targetId)) continue;
      this.#targets.delete(targetId);
      this.#delays.get(targetId)?.stop("end");
      this.#delays.delete(targetId);
      target.unwant("end");
    }
    for (const [targetId, spec] of wanted) {
      const present = this.#targets.get(targetId);
      if (present === undefined) this.#add(spec);
      else this.#change(present, spec);
    }
    stream.prepare(specs.map(choiceOf));
    this.checkStream();
  }

  #add(spec: TargetSpec): void {
    const target: Target = new Target(spec, {
      ...this.#deps,
      onAccepted: (push) => {
        const delay = this.#delays.get(spec.targetId);
        if (delay === undefined) this.#begin(push);
        else delay.accept(push);
      },
    });
    this.#targets.set(spec.targetId, target);
    if (isDelayed(spec)) this.#delays.set(spec.targetId, this.#newDelay(target));
    if (this.#areWanted) this.#way(target).want();
  }

  #newDelay(target: Target): TargetDelay {
    const { clock, shelves, delayMemory, onFault } = this.#deps;
    return new TargetDelay(target, {
      ...{ clock, shelves, delayMemory, onFault },
      subscribe: (subscriber) => this.#begin(subscriber),
    });
  }

  #change(target: Target, spec: TargetSpec): void {
    const { targetId } = spec;
    if (!this.#delays.has(targetId) && isDelayed(spec)) this.#delay(target, spec);
    else this.#way(target).setSpec(spec);
    this.#forgetOver();
  }

  /** A target without a delay gets one. It keeps its connection where it has one and the stream goes on. */
  #delay(target: Target, spec: TargetSpec): void {
    target.setSpec(spec);
    const delay = this.#newDelay(target);
    this.#delays.set(spec.targetId, delay);
    if (!this.#areWanted) return;
    const push = spec.isEnabled ? target.begunPush : undefined;
    const got = push === undefined ? undefined : this.#deps.stream().detach(push);
    if (push !== undefined && got !== undefined) return delay.takeOver(push, got);
    target.unwant("cut");
    delay.want();
  }

  #forgetOver(): void {
    for (const [targetId, delay] of this.#delays) if (delay.isOver) this.#delays.delete(targetId);
  }

  /**
   * Gives the stream to a push. One that gets silence where there is no audio waits until that is known: its platform
   * should find both kinds at the beginning.
   */
  #begin(push: Subscriber): void {
    const stream = this.#deps.stream();
    if (!push.choice.addsSilence || stream.head.isAudioKnown(this.#deps.clock.now())) stream.subscribe(push);
    else this.#untilAudio.add(push);
  }

  #beginWaiting(): void {
    for (const push of [...this.#untilAudio]) {
      this.#untilAudio.delete(push);
      if (!push.isOver) this.#begin(push);
    }
  }

  /** The encoder sends audio after all. Targets that got silence of another format are connected anew. */
  endSilence(isSameFormat: boolean): void {
    this.#beginWaiting();
    this.#each((target) => {
      const way = this.#way(target);
      if (!way.hasSilence) return;
      if (way instanceof TargetDelay) way.endSilence(isSameFormat);
      else if (!isSameFormat) way.redial("cut");
    });
  }

  /** There is media: dials the targets. Not at publish: an encoder that sends nothing starts no broadcast. */
  want(): void {
    this.#areWanted = true;
    this.#forgetOver();
    for (const target of this.#targets.values()) this.#way(target).want();
  }

  /** The broadcast is over: leaves the targets as asked, the delayed ones later. */
  unwant(how: LinkClose): void {
    this.#areWanted = false;
    this.#each((target) => this.#way(target).unwant(how));
  }

  /** Drops what is delayed, and leaves those targets now. */
  stopDelays(how: LinkClose): void {
    for (const delay of this.#delays.values()) delay.stop(how);
  }

  /** Drops what is delayed of a target, which goes on live at the next keyframe; does nothing without a delay. */
  cutDelay(targetId: TargetId): void {
    this.#delays.get(targetId)?.cut();
  }

  /** Connects every target anew: the new stream cannot follow the former one within a connection. */
  redial(): void {
    for (const target of this.#targets.values()) this.#way(target).redial("cut");
  }

  /** A frame of the encoder went to no target. */
  missed(cause: keyof DroppedFrames): void {
    this.#each((target) => target.missed(cause));
  }

  /** Disconnects targets that cannot take the stream, and dials them again once they can. */
  checkStream(): void {
    const stream = this.#deps.stream();
    stream.deliver();
    const nowMs = this.#deps.clock.now();
    this.#each((target) => {
      const way = this.#way(target);
      way.setStreamProblem(streamProblem(way.spec, stream.head, nowMs));
    });
  }

  /** Call once a second. */
  tick(supply: Pick<Supply, "isSilent" | "lacksKeyframe">): void {
    this.checkStream();
    this.#beginWaiting();
    this.#each((target) => {
      this.#delays.get(target.targetId)?.tick();
      target.tick(supply);
    });
  }

  /** `isAudioFilledFor`: whether silence replaces the stream's audio for targets of these tracks. */
  sample(isAudioFilledFor: (tracks: TrackChoice | undefined) => boolean): TargetSample[] {
    return [...this.#targets.values()].map((target) => {
      const delay = this.#delays.get(target.targetId)?.sample();
      const sample = delay === undefined ? target.sample() : { ...target.sample(), delay };
      return target.hasBegun && isAudioFilledFor(this.#way(target).spec.tracks)
        ? { ...sample, hasSilence: true }
        : sample;
    });
  }

  /** No mistake with one target may reach another. */
  #each(run: (target: Target) => unknown): void {
    for (const target of this.#targets.values()) {
      try {
        run(target);
      } catch (error) {
        this.#deps.onFault(error);
      }
    }
  }
}

function isDelayed({ delaySeconds = 0 }: TargetSpec): boolean {
  return delaySeconds > 0;
}
