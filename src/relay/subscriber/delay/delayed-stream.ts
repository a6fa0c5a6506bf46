import type { Clock } from "../../../base/clock.ts";
import { classifyVideo, shownAfterMs } from "../../../protocol/flv/video/video-tag.ts";
import { ChunkArena } from "../../packing/chunk-arena.ts";
import { FlushBatch } from "../../packing/flush-batch.ts";
import { PackedForms } from "../../packing/packed-forms.ts";
import { cutPacket, payloadOf } from "../../packing/rtmp-chunks.ts";
import type { Packer, WireForm, WireMessage } from "../../packing/wire-form.ts";
import type { HeadMessage } from "../../stream/config/head-message.ts";
import { Filler } from "../../stream/filler/filler.ts";
import { FillerStock } from "../../stream/filler/filler-stock.ts";
import { GopCache } from "../../stream/gop-cache.ts";
import { type Packet, typeOf } from "../../stream/packet.ts";
import type { SoFar, Subscriber } from "../subscriber.ts";
import type { DelayOutput } from "./delay-line.ts";
import { DelayedHead } from "./delayed-head.ts";
import type { Segment } from "./segment.ts";

const NO_BATCH = new FlushBatch();
/** The ordinal of filler: no packet follows it, and it follows none. */
const NO_ORDINAL = Number.NaN;

export type DelayedStreamDeps = {
  readonly clock: Clock;
  /** Takes the error of the subscriber. */
  readonly onFault: (error: unknown) => void;
};

/**
 * The stream of one target behind its delay: what a rendition is for others. Keeps the current GOP for a connection
 * that comes in its middle. Its time goes on over holds and cuts: each shifts what follows.
 */
export class DelayedStream implements DelayOutput, Packer {
  readonly #deps: DelayedStreamDeps;
  readonly #forms = new PackedForms();
  readonly #head = new DelayedHead();
  readonly #gop = new GopCache();
  #subscriber: Subscriber | undefined;
  #hasSilence = false;
  #hasBegun = false;
  /** Added to the channel time of packets, in milliseconds. */
  #shiftMs = 0;
  /** The next packet follows at once, whatever its time. */
  #isJump = false;
  #lacksStart = false;
  #filler: Filler | undefined;
  readonly #arena = new ChunkArena();
  /** Time of the last packet, and when it left. */
  #lastMs = 0;
  #lastAtMs = 0;

  constructor(deps: DelayedStreamDeps) {
    this.#deps = deps;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get isAddingSilence(): boolean {
    return this.#hasSilence;
  }

  /** Whether the last frame is shown, because the delay grows. */
  get isHolding(): boolean {
    return this.#filler !== undefined;
  }

  pack(form: WireForm, packet: Packet): Buffer {
    return this.#forms.pack(form, packet);
  }

  packOwn(form: WireForm, message: WireMessage): Buffer {
    return this.#forms.packOwn(form, message);
  }

  /** A stretch of the stream begins: with another decoder config, at a start. */
  begin(head: readonly HeadMessage[], hasSilence: boolean): void {
    this.#head.reset(head);
    this.#hasSilence = hasSilence;
    this.#gop.clear();
    this.#filler = undefined;
    this.#isJump = false;
    this.#lacksStart = false;
    this.#shiftMs = 0;
    this.#hasBegun = false;
  }

  /**
   * Goes on with a subscriber that already got the stream up to now, without a delay, and shows it its last frame.
   */
  goOn(subscriber: Subscriber, { head, packets, lastMs, hasSilence }: SoFar): void {
    this.begin(head, hasSilence);
    for (const packet of packets) this.#gop.add(packet);
    this.#subscriber = subscriber;
    this.#hasBegun = true;
    this.#lastMs = lastMs;
    this.#lastAtMs = this.#deps.clock.now();
    this.hold();
  }

  /** Gives the stream to the target's connection, from the current GOP on if it takes one that old. */
  subscribe(subscriber: Subscriber): void {
    this.#subscriber = subscriber;
    const { beganMs } = this.#gop;
    if (beganMs === undefined || this.isHolding || this.#lastMs - beganMs > subscriber.joinBehindMaxMs) return;
    this.#guard(() => {
      subscriber.begin(this.#head.messages(), beganMs, this);
      for (const [index, packet] of this.#gop.packets.entries()) subscriber.offer(packet, index === 0, this);
      subscriber.flush(NO_BATCH);
    });
  }

  /** The silence is over: the encoder's audio takes its place. */
  endSilence(): void {
    this.#hasSilence = false;
  }

  /** A sequence header or metadata. */
  config(packet: Packet): void {
    if (this.#head.take(packet.kind, payloadOf(packet))) this.#gop.clear();
    this.#offer({ ...packet, timeMs: packet.timeMs + this.#shiftMs }, false);
  }

  play(segment: Segment, index: number, isStart: boolean): void {
    const { clock } = this.#deps;
    if (this.#isJump || this.#filler !== undefined) this.#resume(segment, index);
    const packet = segment.packet(index, clock.awakeNow(), this.#shiftMs);
    if (isStart) this.#lacksStart = false;
    if (this.#lacksStart && packet.kind === "video") return;
    this.#hasBegun = true;
    this.#lastMs = packet.timeMs;
    this.#lastAtMs = clock.now();
    this.#gop.add(packet);
    this.#offer(packet, isStart);
  }

  /** Shows the last frame from now on, until the next packet. */
  hold(): void {
    const stock = stockOf(this.#gop.packets);
    const startMs = Math.max(this.#presentMs, this.#presentedMs + 1 - stock.compositionTimeMs);
    this.#filler = new Filler(stock, this.#head.audio, startMs);
  }

  jump(): void {
    this.#filler = undefined;
    this.#isJump = true;
  }

  gap(): void {
    this.#lacksStart = true;
    this.#gop.clear();
  }

  /** Makes the subscriber send what waits, filler too. */
  flush(): void {
    if (this.#filler !== undefined) this.#fill(this.#filler);
    const subscriber = this.#subscriber;
    if (subscriber === undefined) return;
    if (subscriber.isOver) this.#subscriber = undefined;
    else this.#guard(() => subscriber.flush(NO_BATCH));
    this.#forms.forgetBytes();
  }

  /** Call once a second. `streamPerSecond`: bytes a second of the stream. */
  tick(streamPerSecond: number): void {
    const subscriber = this.#subscriber;
    if (subscriber?.isOver === false) this.#guard(() => subscriber.tick(streamPerSecond));
  }

  /** What follows has a time that continues the time before it, however much was left out or added. */
  #resume(segment: Segment, index: number): void {
    const packet = segment.packet(index, 0, 0);
    this.#isJump = false;
    if (!this.#hasBegun) return;
    const composition = packet.kind === "video" ? shownAfterMs(classifyVideo(payloadOf(packet))) : 0;
    this.#shiftMs = Math.max(this.#presentMs, this.#presentedMs + 1 - composition) - packet.timeMs;
    this.#filler = undefined;
    this.#gop.clear();
  }

  /** The stream's time at present, in milliseconds. */
  get #presentMs(): number {
    return this.#lastMs + Math.round(this.#deps.clock.now() - this.#lastAtMs);
  }

  /** When the last frame is shown. */
  get #presentedMs(): number {
    return this.#gop.packets.reduce((latestMs, packet) => {
      const isVideo = packet.kind === "video" && !packet.isConfig;
      return isVideo ? Math.max(latestMs, packet.timeMs + shownAfterMs(classifyVideo(payloadOf(packet)))) : latestMs;
    }, this.#lastMs);
  }

  #fill(filler: Filler): void {
    const { clock } = this.#deps;
    for (const { kind, timeMs, isKeyframe, payload } of filler.until(this.#presentMs)) {
      const marks = { isConfig: false, isKeyframe, trackId: 0, startsTrack: isKeyframe };
      const fields = { kind, type: typeOf(kind), ...marks, timeMs, arrivalMs: clock.awakeNow(), ordinal: NO_ORDINAL };
      this.#offer(cutPacket(this.#arena, fields, 0, payload), isKeyframe);
    }
    this.#arena.clear();
  }

  #offer(packet: Packet, isStart: boolean): void {
    const subscriber = this.#subscriber;
    if (subscriber === undefined || subscriber.isOver) return;
    this.#guard(() => {
      if (isStart && subscriber.isWaitingToBegin) subscriber.begin(this.#head.messages(), packet.timeMs, this);
      subscriber.offer(packet, isStart, this);
    });
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#deps.onFault(error);
      const subscriber = this.#subscriber;
      this.#subscriber = undefined;
      subscriber?.end("abort");
    }
  }
}

/** The frames to show, of this GOP. */
function stockOf(packets: readonly Packet[]): FillerStock {
  const stock = new FillerStock();
  let lastMs: number | undefined;
  for (const packet of packets) {
    if (packet.kind !== "video" || packet.trackId !== 0 || packet.isConfig) continue;
    // A frame may come in several messages.
    if (packet.timeMs === lastMs && !packet.isKeyframe) stock.goOn(payloadOf(packet));
    else stock.add(payloadOf(packet), packet.isKeyframe, undefined);
    lastMs = packet.timeMs;
  }
  return stock;
}
