import type { TargetId, TargetSpec } from "../../../thread-protocol/channel-spec.ts";
import type { DroppedFrames, TargetSample } from "../../../thread-protocol/samples.ts";
import type { DecoderConfig } from "../../stream/config/decoder-config.ts";
import type { LinkClose, StreamChoice, Subscriber } from "../subscriber.ts";
import type { Supply } from "./health/idle-watch.ts";
import { choiceOf } from "./spec-change.ts";
import { streamProblem } from "./stream-problem.ts";
import { Target, type TargetDeps } from "./target.ts";

/** The stream that targets subscribe to. */
export interface TargetStream {
  /** The present decoder config. */
  readonly head: DecoderConfig;
  subscribe(subscriber: Subscriber): void;
  /** Makes renditions for these choices, so that targets which connect later find the current GOP. */
  prepare(choices: readonly StreamChoice[]): void;
  /** Gives subscribers in step the flush batch. Call before anything that ends a link: earlier packets belong to it. */
  deliver(): void;
}

export type ChannelTargetsDeps = Omit<TargetDeps, "onAccepted"> & {
  readonly stream: () => TargetStream;
  /** Takes the error of one target; the others go on. */
  readonly onFault: (error: unknown) => void;
};

/** The targets of one channel. */
export class ChannelTargets {
  readonly #deps: ChannelTargetsDeps;
  readonly #targets = new Map<TargetId, Target>();
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
    return [...this.#targets.values()].some(({ hasBegun }) => hasBegun);
  }

  /** Makes the targets match the specs; targets that did not change are not affected. */
  set(specs: readonly TargetSpec[]): void {
    const stream = this.#deps.stream();
    stream.deliver();
    const wanted = new Map(specs.map((spec) => [spec.targetId, spec]));
    for (const [targetId, target] of this.#targets) {
      if (wanted.has(targetId)) continue;
      this.#targets.delete(targetId);
      target.unwant("end");
    }
    for (const [targetId, spec] of wanted) {
      const present = this.#targets.get(targetId);
      if (present === undefined) this.#add(spec);
      else present.setSpec(spec);
    }
    stream.prepare(specs.map(choiceOf));
    this.checkStream();
  }

  #add(spec: TargetSpec): void {
    const target: Target = new Target(spec, {
      ...this.#deps,
      onAccepted: (push) => this.#begin(push),
    });
    this.#targets.set(spec.targetId, target);
    if (this.#areWanted) target.want();
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
    if (!isSameFormat) this.#each((target) => target.hasSilence && target.redial("cut"));
  }

  /** There is media: dials the targets. Not at publish: an encoder that sends nothing starts no broadcast. */
  want(): void {
    this.#areWanted = true;
    for (const target of this.#targets.values()) target.want();
  }

  /** The broadcast is over: leaves the targets as asked. */
  unwant(how: LinkClose): void {
    this.#areWanted = false;
    this.#each((target) => target.unwant(how));
  }

  /** Connects every target anew: the new stream cannot follow the former one within a connection. */
  redial(): void {
    for (const target of this.#targets.values()) target.redial("cut");
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
    this.#each((target) => target.setStreamProblem(streamProblem(target.spec, stream.head, nowMs)));
  }

  /** Call once a second. */
  tick(supply: Pick<Supply, "isSilent" | "lacksKeyframe">): void {
    this.checkStream();
    this.#beginWaiting();
    this.#each((target) => target.tick(supply));
  }

  sample(): TargetSample[] {
    return [...this.#targets.values()].map((target) => target.sample());
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
