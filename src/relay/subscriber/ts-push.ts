import type { Packer, WireForm } from "../packing/wire-form.ts";
import type { HeadMessage } from "../stream/config/head-message.ts";
import type { Packet } from "../stream/packet.ts";
import type { Link } from "./rtmp-push/link.ts";
import { SendQueue } from "./rtmp-push/send-queue.ts";
import type { LinkClose, StreamChoice, Subscriber } from "./subscriber.ts";

export type TsPushDeps = {
  readonly link: Link;
  /** How the link's packets are written. */
  readonly form: WireForm;
  /** What the target accepts at present. */
  readonly choice: () => StreamChoice;
  /** It got the beginning of the stream. */
  readonly onBegun: () => void;
  /** It ended, but not at the target's wish. */
  readonly onEnded: () => void;
};

/**
 * Sends the stream as a transport stream over one link that keeps and repeats packets by itself, as SRT does. Every
 * packet is written when it comes; the link gives up what is too late.
 */
export class TsPush implements Subscriber {
  /** It begins at a keyframe that comes: all targets of the form share one count of packets. */
  readonly joinBehindMaxMs = -1;
  readonly isInStep = false;
  /** Always empty: it only tells whether the stream has begun, and counts what was missed. */
  readonly queue = new SendQueue(0);
  readonly #deps: TsPushDeps;
  #hasBegun = false;
  #isOver = false;
  #packer: Packer | undefined;
  /** Mean bytes a second of the rendition it gets. */
  streamPerSecond = 0;

  constructor(deps: TsPushDeps) {
    this.#deps = deps;
  }

  get choice(): StreamChoice {
    return this.#deps.choice();
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get isWaitingToBegin(): boolean {
    return !this.#hasBegun && !this.#isOver;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether it gets silence in place of audio that the stream does not have. */
  get hasSilence(): boolean {
    return this.#packer?.isAddingSilence === true;
  }

  begin(config: readonly HeadMessage[], startMs: number, packer: Packer): void {
    this.#packer = packer;
    for (const message of config) packer.packOwn(this.#deps.form, { ...message, timeMs: startMs });
    this.queue.begin(startMs, []);
    this.#hasBegun = true;
    this.#deps.onBegun();
  }

  offer(packet: Packet, _isStart: boolean, packer: Packer): void {
    if (!this.#hasBegun || this.#isOver) return;
    const bytes = packer.pack(this.#deps.form, packet);
    if (bytes.length > 0) this.#deps.link.write(bytes);
  }

  /** Nothing waits here. */
  flush(): void {}

  /** Nothing waits here. */
  pump(): void {}

  tick(streamPerSecond: number): void {
    this.streamPerSecond = streamPerSecond;
  }

  end(how: LinkClose): void {
    if (this.#isOver) return;
    this.close();
    this.#deps.link.close(how);
    this.#deps.onEnded();
  }

  /** Stops writing. The caller closes the link. */
  close(): void {
    this.#isOver = true;
  }
}
