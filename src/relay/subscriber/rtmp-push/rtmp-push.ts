import type { Clock } from "../../../base/clock.ts";
import type { FlushBatch } from "../../packing/flush-batch.ts";
import type { Packer } from "../../packing/wire-form.ts";
import type { HeadMessage } from "../../stream/config/head-message.ts";
import type { Packet } from "../../stream/packet.ts";
import type { WaitingMemory } from "../../stream/waiting-memory.ts";
import type { LinkClose, StreamChoice, Subscriber } from "../subscriber.ts";
import type { Link } from "./link.ts";
import type { ReconnectRequest } from "./reconnect-request.ts";
import { SendQueue } from "./send-queue.ts";

/** The most bytes of one write. */
const WRITE_BYTES_MAX = 128 * 1024;
/**
 * … and of the next write after one that the kernel had no room for, so that progress shows even if the target takes bytes
 * slowly. Each write that the kernel takes at once doubles it: behind TLS there is one write in a turn of the event loop,
 * and a target that can take more must catch up.
 */
const WRITE_BYTES_MAX_BEHIND = 4 * 1024;
/**
 * A target that is ready this soon after a keyframe begins with that keyframe, from the cache: the burst is too short
 * for a platform to object. In milliseconds of media.
 */
const JOIN_BEHIND_MAX_MS = 2_000;

export type RtmpPushDeps = {
  readonly link: Link;
  readonly clock: Clock;
  readonly memory: WaitingMemory;
  readonly reconnect: ReconnectRequest;
  /** What the target accepts at present. */
  readonly choice: () => StreamChoice;
  /** It got the beginning of the stream. */
  readonly onBegun: () => void;
  /** It lost frames, because the target is too slow. */
  readonly onLoss: () => void;
  /** A keyframe comes, and the target has asked to be connected again. */
  readonly onReconnectDue: () => void;
  /** It ended, but not at the target's wish. */
  readonly onEnded: () => void;
};

/**
 * Sends the stream over one link that the target accepted. Packets are sent as they are stored, as RTMP chunks: the
 * whole flush batch while it is in step, else what its own bounded queue holds.
 */
export class RtmpPush implements Subscriber {
  readonly joinBehindMaxMs = JOIN_BEHIND_MAX_MS;
  readonly queue: SendQueue;
  readonly #deps: RtmpPushDeps;
  readonly #link: Link;
  #hasBegun = false;
  #isInStep = false;
  /** The most bytes of the next write. */
  #writeBytesMax = WRITE_BYTES_MAX;
  #isOver = false;
  #packer: Packer | undefined;
  /** Mean bytes a second of the rendition it gets. */
  streamPerSecond = 0;

  /** `streamId`: the message stream id that the target gave. */
  constructor(streamId: number, deps: RtmpPushDeps) {
    this.queue = new SendQueue(streamId, deps.memory);
    this.#deps = deps;
    this.#link = deps.link;
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

  get isInStep(): boolean {
    return this.#isInStep;
  }

  /** Whether it gets silence in place of audio. */
  get hasSilence(): boolean {
    return this.#packer?.isAddingSilence === true;
  }

  begin(config: readonly HeadMessage[], startMs: number, packer: Packer): void {
    this.#packer = packer;
    this.queue.begin(startMs, config);
    this.#hasBegun = true;
    this.#deps.onBegun();
  }

  offer(packet: Packet): void {
    if (!this.#hasBegun || this.#isOver) return;
    if (packet.isKeyframe && this.#deps.reconnect.isDue(this.#deps.clock.now())) return this.#deps.onReconnectDue();
    if (!this.queue.offer(packet)) this.#deps.onLoss();
  }

  flush(batch: FlushBatch): void {
    if (this.#isInStep && batch.packets.length > 0) {
      if (this.#writeAsItLies(batch)) return;
      this.#isInStep = false;
      for (const packet of batch.packets) this.offer(packet);
    }
    this.pump();
    this.#isInStep = this.#hasBegun && !this.#isOver && this.queue.isEmpty;
  }

  #writeAsItLies(batch: FlushBatch): boolean {
    const link = this.#link;
    if (link.pendingBytes > 0) return false;
    this.queue.taken();
    if (link.creditBytes <= 0) return false;
    if (batch.hasKeyframe && this.#deps.reconnect.isAsked) return false;
    const slices = this.queue.isFollowedBy(batch) ? batch.slices : undefined;
    if (slices === undefined) return false;
    for (const slice of slices) link.write(slice);
    this.queue.passed(batch);
    this.#fitWrites();
    if (link.isHolding) this.queue.hold(batch);
    return true;
  }

  /** Writes what waits, as far as the socket takes it at once. */
  pump(): void {
    const link = this.#link;
    if (this.#isOver) return;
    while (link.pendingBytes === 0) {
      this.queue.taken();
      if (link.creditBytes <= 0) return;
      const bytes = this.queue.take(Math.min(this.#writeBytesMax, link.creditBytes));
      if (bytes === undefined) {
        this.#writeBytesMax = WRITE_BYTES_MAX;
        return;
      }
      link.write(bytes);
      this.#fitWrites();
    }
  }

  #fitWrites(): void {
    const { isBehind, creditBytes } = this.#link;
    const isFull = isBehind || creditBytes <= 0;
    this.#writeBytesMax = isFull ? WRITE_BYTES_MAX_BEHIND : Math.min(WRITE_BYTES_MAX, 2 * this.#writeBytesMax);
  }

  tick(streamPerSecond: number): void {
    this.streamPerSecond = streamPerSecond;
  }

  /** Writes everything that waits, bounded by the queue, then closes the link; with `abort` it closes at once. */
  end(how: LinkClose): void {
    if (this.#isOver) return;
    if (how !== "abort") this.#writeAll();
    this.close();
    this.#link.close(how);
    this.#deps.onEnded();
  }

  /** Stops writing. The caller closes the link. */
  close(): void {
    this.#isOver = true;
    this.#isInStep = false;
    this.queue.abandon();
  }

  #writeAll(): void {
    for (let bytes = this.queue.take(WRITE_BYTES_MAX); bytes !== undefined; ) {
      this.#link.write(bytes);
      bytes = this.queue.take(WRITE_BYTES_MAX);
    }
  }
}
