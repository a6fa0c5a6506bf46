import { FLV_TAGS } from "../../../src/relay/packing/flv-tags.ts";
import type { Packer, WireForm } from "../../../src/relay/packing/wire-form.ts";
import type { HeadMessage } from "../../../src/relay/stream/config/head-message.ts";
import type { Packet } from "../../../src/relay/stream/packet.ts";
import { type LinkClose, type Subscriber, WHOLE_STREAM } from "../../../src/relay/subscriber/subscriber.ts";

/** Records what it is given: the simplest possible subscriber. Also shows what a subscriber of a new kind needs. */
export class Recorder implements Subscriber {
  readonly choice = WHOLE_STREAM;
  readonly joinBehindMaxMs: number;
  readonly #form: WireForm;
  readonly isInStep = false;
  /** Type, time since the start in milliseconds, and the bytes of each message: an FLV tag, or another wire form. */
  readonly recorded: (readonly [type: number, timeMs: number, tag: Buffer])[] = [];
  endedHow: LinkClose | undefined;
  #startMs: number | undefined;

  constructor(form: WireForm = FLV_TAGS, joinBehindMaxMs = Number.POSITIVE_INFINITY) {
    this.#form = form;
    this.joinBehindMaxMs = joinBehindMaxMs;
  }

  get isWaitingToBegin(): boolean {
    return this.#startMs === undefined;
  }
  get isOver(): boolean {
    return this.endedHow !== undefined;
  }
  begin(config: readonly HeadMessage[], startMs: number, packer: Packer): void {
    this.#startMs = startMs;
    for (const message of config)
      this.recorded.push([message.type, 0, packer.packOwn(this.#form, { ...message, timeMs: startMs })]);
  }
  offer(packet: Packet, _isStart: boolean, packer: Packer): void {
    if (this.#startMs === undefined) return;
    this.recorded.push([packet.type, packet.timeMs - this.#startMs, packer.pack(this.#form, packet)]);
  }
  flush(): void {}
  tick(): void {}
  end(how: LinkClose): void {
    this.endedHow ??= how;
  }
}
