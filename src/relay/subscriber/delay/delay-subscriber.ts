import type { Packer } from "../../packing/wire-form.ts";
import type { HeadMessage } from "../../stream/config/head-message.ts";
import type { Packet } from "../../stream/packet.ts";
import type { LinkClose, StreamChoice, Subscriber } from "../subscriber.ts";

export type DelaySubscriberDeps = {
  readonly choice: StreamChoice;
  /** It begins. `hasSilence`: it gets silence in place of audio. */
  readonly onBegin: (config: readonly HeadMessage[], hasSilence: boolean) => void;
  readonly onPacket: (packet: Packet, isStart: boolean) => void;
  /** The stream ended it after an error. */
  readonly onEnded: () => void;
};

/** Takes the stream that a target gets later: every packet, from the current GOP on. */
export class DelaySubscriber implements Subscriber {
  readonly choice: StreamChoice;
  readonly joinBehindMaxMs = Number.POSITIVE_INFINITY;
  readonly isInStep = false;
  readonly #deps: DelaySubscriberDeps;
  #packer: Packer | undefined;
  #isOver = false;
  /** Mean bytes a second of the rendition it gets. */
  streamPerSecond = 0;

  constructor(deps: DelaySubscriberDeps) {
    this.#deps = deps;
    this.choice = deps.choice;
  }

  get isWaitingToBegin(): boolean {
    return this.#packer === undefined && !this.#isOver;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get hasBegun(): boolean {
    return this.#packer !== undefined;
  }

  get hasSilence(): boolean {
    return this.#packer?.isAddingSilence === true;
  }

  begin(config: readonly HeadMessage[], _startMs: number, packer: Packer): void {
    this.#packer = packer;
    this.#deps.onBegin(config, this.hasSilence);
  }

  offer(packet: Packet, isStart: boolean): void {
    if (this.#packer !== undefined && !this.#isOver) this.#deps.onPacket(packet, isStart);
  }

  /** What came leaves by the clock. */
  flush(): void {}

  tick(streamPerSecond: number): void {
    this.streamPerSecond = streamPerSecond;
  }

  end(_how: LinkClose): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deps.onEnded();
  }

  /** Takes no more. */
  stop(): void {
    this.#isOver = true;
  }
}
