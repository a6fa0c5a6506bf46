import type { Clock } from "../../base/clock.ts";
import { withOwnMemory } from "../packing/rtmp-chunks.ts";
import type { BlockStore } from "../stream/block-store.ts";
import type { DecoderConfig } from "../stream/config/decoder-config.ts";
import type { FillerStock } from "../stream/filler/filler-stock.ts";
import type { Packet } from "../stream/packet.ts";
import type { LinkClose, SoFar, StreamChoice, Subscriber } from "../subscriber/subscriber.ts";
import type { Rendition, Unpacked } from "./rendition.ts";
import { Renditions } from "./renditions.ts";

/** A stream that another server sent until now is joined so much further behind, in milliseconds: its targets wait for it. */
const GOING_ON_MS = 1_000;

export type RenditionFanOutDeps = {
  readonly clock: Clock;
  readonly blocks: BlockStore;
  /** The frames of filler for the default tracks. */
  readonly stock: FillerStock;
  /** The present decoder config. */
  readonly head: () => DecoderConfig;
  /** Takes the error of one subscriber; the others go on. */
  readonly onFault: (error: unknown) => void;
};

/**
 * Brings packets to subscribers. Cuts a message once for each rendition, keeps it until the flush for subscribers in
 * step, and offers it at once to all others.
 */
export class RenditionFanOut {
  readonly #deps: RenditionFanOutDeps;
  readonly #renditions: Renditions;

  constructor(deps: RenditionFanOutDeps) {
    this.#deps = deps;
    this.#renditions = new Renditions(deps.blocks, deps.stock);
  }

  get renditions(): readonly Rendition[] {
    return this.#renditions.all;
  }

  /** Makes renditions for these choices, so that later subscribers find the current GOP. */
  prepare(choices: readonly StreamChoice[]): void {
    this.#renditions.prepare(choices);
  }

  /**
   * Adds a subscriber. It begins with the first cached keyframe that is not too old for it, else with the next one. `nowMs`:
   * channel time, in milliseconds.
   */
  subscribe(subscriber: Subscriber, nowMs: number): void {
    const config = this.#deps.head();
    const rendition = this.#renditions.assign(subscriber, config, this.#deps.clock.now());
    const { joinBehindMaxMs } = subscriber;
    const moreMs = rendition.gop.keepsFirstGroups && joinBehindMaxMs > 0 ? GOING_ON_MS : 0;
    const packets = rendition.gop.packetsSince(nowMs - joinBehindMaxMs - moreMs);
    const [first] = packets;
    if (first === undefined) return;
    this.#guard(subscriber, () => {
      subscriber.begin(rendition.head(config.messages()), first.timeMs, rendition);
      for (const packet of packets) subscriber.offer(packet, packet.isKeyframe, rendition);
    });
  }

  /** A subscriber leaves that goes on elsewhere; returns what it got so far. `lastMs`: channel time, in milliseconds. */
  detach(subscriber: Subscriber, lastMs: number): SoFar | undefined {
    this.deliver();
    const rendition = this.renditions.find(({ subscribers }) => subscribers.has(subscriber));
    if (rendition === undefined) return undefined;
    rendition.leave(subscriber);
    return {
      head: rendition.head(this.#deps.head().messages()),
      packets: rendition.gop.packets.map(withOwnMemory),
      lastMs,
      hasSilence: rendition.isAddingSilence,
    };
  }

  /** The stream's codecs or forms changed: subscribers that did not begin yet may get another rendition. */
  reassignWaiting(): void {
    const waiting = this.renditions.flatMap(({ subscribers }) =>
      [...subscribers].filter(({ isWaitingToBegin }) => isWaitingToBegin),
    );
    for (const subscriber of waiting) this.#renditions.assign(subscriber, this.#deps.head(), this.#deps.clock.now());
  }

  /** Sends a message through these renditions. Returns the packet of the one that changes nothing. */
  send(message: Unpacked, renditions = this.renditions): Packet | undefined {
    let unchanged: Packet | undefined;
    for (const rendition of renditions) {
      if (rendition.isAddingSilence) for (const silent of rendition.cutSilence(message)) this.#offer(rendition, silent);
      const packet = rendition.cut(message);
      if (packet === undefined) continue;
      if (rendition === this.renditions[0]) unchanged = packet;
      this.#offer(rendition, packet);
    }
    return unchanged;
  }

  /** Sends a frame of a rendition's own filler. A rendition that was dropped meanwhile would keep it for ever. */
  sendFiller(rendition: Rendition, frame: Unpacked): void {
    if (this.renditions.includes(rendition)) this.#offer(rendition, rendition.cutFiller(frame));
  }

  /** Gives subscribers in step the flush batch. Call before anything that ends a link: earlier packets belong to it. */
  deliver(): void {
    for (const rendition of this.renditions) {
      // Written out, without #guard: a closure for each subscriber at each flush is not free.
      for (const subscriber of rendition.subscribers) {
        try {
          if (subscriber.isOver) rendition.leave(subscriber);
          else rendition.flushTo(subscriber);
        } catch (error) {
          this.#endFaulty(subscriber, error);
        }
      }
      rendition.batch.clear();
    }
  }

  /** Makes every subscriber send what waits for it. */
  flush(): void {
    this.deliver();
    for (const rendition of this.renditions) rendition.settle();
  }

  /** The next subscribers begin with a later keyframe. */
  clearGops(): void {
    for (const rendition of this.renditions) rendition.gop.clear();
  }

  /** The stream goes on that another server sent until now: subscribers begin with its first keyframe. */
  keepFirstGroups(): void {
    for (const rendition of this.renditions) rendition.gop.keepFirstGroups(true);
  }

  /** Call once a second. */
  tick(): void {
    const nowMs = this.#deps.clock.now();
    for (const rendition of this.renditions) {
      const streamPerSecond = rendition.tick(nowMs);
      for (const subscriber of rendition.subscribers) this.#guard(subscriber, () => subscriber.tick(streamPerSecond));
    }
  }

  /** The broadcast is over: ends the remaining subscribers, and forgets the stream. */
  startOver(how: LinkClose): void {
    for (const rendition of this.renditions) {
      for (const subscriber of rendition.subscribers) {
        rendition.leave(subscriber);
        this.#guard(subscriber, () => subscriber.end(how));
      }
      rendition.startOver();
    }
    this.#renditions.dropSilent();
  }

  #offer(rendition: Rendition, packet: Packet): void {
    if (rendition.lateSubscribers.size === 0) return;
    const isStart = this.#isStart(packet);
    for (const subscriber of rendition.lateSubscribers) {
      try {
        if (isStart && subscriber.isWaitingToBegin)
          subscriber.begin(rendition.head(this.#deps.head().messages()), packet.timeMs, rendition);
        subscriber.offer(packet, isStart, rendition);
      } catch (error) {
        this.#endFaulty(subscriber, error);
      }
    }
  }

  /** Whether a connection may begin with this packet: a keyframe, or audio where there is no video. */
  #isStart(packet: Packet): boolean {
    if (packet.isKeyframe) return true;
    return packet.kind === "audio" && !packet.isConfig && !this.#deps.head().expectsVideo(this.#deps.clock.now());
  }

  /** No mistake with one subscriber may reach another. */
  #guard(subscriber: Subscriber, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#endFaulty(subscriber, error);
    }
  }

  #endFaulty(subscriber: Subscriber, error: unknown): void {
    this.#deps.onFault(error);
    this.#renditions.leave(subscriber);
    try {
      subscriber.end("abort");
    } catch {
      // Its first fault was reported.
    }
  }
}
