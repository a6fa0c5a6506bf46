import { FLV_TAGS } from "../../../src/relay/packing/flv-tags.ts";
import type { Packer } from "../../../src/relay/packing/wire-form.ts";
import type { HeadMessage } from "../../../src/relay/stream/config/head-message.ts";
import type { Packet } from "../../../src/relay/stream/packet.ts";
import { type LinkClose, type Subscriber, WHOLE_STREAM } from "../../../src/relay/subscriber/subscriber.ts";

/** Records what it is given: the simplest possible subscriber. Also shows what a subscriber of a new kind needs. */
export class Recorder implements Subscriber {
  readonly choice = WHOLE_STREAM;
  readonly joinBehindMaxMs = Number.POSITIVE_INFINITY;
  readonly isInStep = false;
  /** Type, time since the start in milliseconds, and the FLV tag of each message. */
  readonly recorded: (readonly [type: number, timeMs: number, tag: Buffer])[] = [];
  endedHow: LinkClose | undefined;
  #startMs: number | undefined;

  get isWaitingToBegin(): boolean {
    return this.#startMs === undefined;
  }
  get isOver(): boolean {
    return this.endedHow !== undefined;
  }
  begin(config: readonly HeadMessage[], startMs: number, packer: Packer): void {
    this.#startMs = startMs;
    for (const message of config)
      this.recorded.push([message.type, 0, packer.packOwn(FLV_TAGS, { ...message, timeMs: startMs })]);
  }
  offer(packet: Packet, _isStart: boolean, packer: Packer): void {
    if (this.#startMs === undefined) return;
    this.recorded.push([packet.type, packet.timeMs - this.#startMs, packer.pack(FLV_TAGS, packet)]);
  }
  flush(): void {}
  tick(): void {}
  end(how: LinkClose): void {
    this.endedHow ??= how;
  }
}
