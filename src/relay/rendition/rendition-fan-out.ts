import type { Clock } from "../../base/clock.ts";
import { hasLegacyForm } from "../../protocol/flv/tracks.ts";
import type { TargetSpec } from "../../thread-protocol/channel-spec.ts";
import type { BlockStore } from "../stream/block-store.ts";
import type { DecoderConfig } from "../stream/config/decoder-config.ts";
import type { Packet } from "../stream/packet.ts";
import { type PreviewSubscriber, PreviewSubscribers } from "../subscriber/preview/preview-subscriber.ts";
import type { Target } from "../subscriber/rtmp-push/target.ts";
import { type Rendition, Renditions, type Unpacked } from "./rendition.ts";

export type RenditionFanOutDeps = {
  readonly clock: Clock;
  readonly blocks: BlockStore;
  /** What decoders need before the first frame, as it is now. */
  readonly head: () => DecoderConfig;
  /** Something was thrown that concerns one target or preview; the others go on. */
  readonly onFault: (error: unknown) => void;
};

/**
 * A target that is ready this soon after a keyframe begins with that keyframe, out of the cache, and not with the next one: it
 * costs a burst too short for a platform to mind. In milliseconds of media.
 */
const JOIN_FROM_CACHE_MAX_MS = 2_000;

/** First byte of HEVC in the form that is not Adobe's, less its frame type. */
const LEGACY_HEVC = 12;
const KINDS = ["audio", "video"] as const;
const NOTHING = Buffer.alloc(0);

/**
 * Brings packets to whoever is there: cuts a message once for each form it is wanted in, gathers it until the flush for the targets
 * that are in step, offers it at once to those that are not, and shows it to previews.
 */
export class RenditionFanOut {
  readonly #deps: RenditionFanOutDeps;
  readonly #renditions: Renditions;
  readonly #previews: PreviewSubscribers;

  constructor(deps: RenditionFanOutDeps) {
    this.#deps = deps;
    this.#renditions = new Renditions(deps.blocks);
    this.#previews = new PreviewSubscribers(deps.onFault);
  }

  /** The forms the stream is wanted in. */
  get renditions(): readonly Rendition[] {
    return this.#renditions.all;
  }

  /** Makes ready what these targets will want, so that they find what was sent before they are there. */
  provideFor(specs: readonly TargetSpec[]): void {
    this.#renditions.provideFor(specs);
  }

  /** A target that goes for good. */
  leave(target: Target): void {
    this.#renditions.leave(target);
  }

  /** Gives a target that waits to begin the form it takes, as the stream is now. */
  place(target: Target): Rendition {
    const head = this.#deps.head();
    const isLegacyHevc = ((head.config("video")?.[0] ?? 0) & 0x8f) === LEGACY_HEVC;
    const canBeLegacy = KINDS.some((kind) => hasLegacyForm(kind, head.config(kind) ?? NOTHING));
    return this.#renditions.assign(target, target.spec.tracks, {
      hasHevcEnhanced: isLegacyHevc && target.takesHevcEnhanced,
      isLegacy: canBeLegacy && !target.takesEnhanced,
      hasTimedData: target.spec.hasTimedData ?? true,
    });
  }

  /** A target accepted us: it begins with the cached keyframe if that is new, else with the next. `nowMs`: in channel time. */
  begin(target: Target, nowMs: number): void {
    const rendition = this.place(target);
    const { beganMs } = rendition.gop;
    if (beganMs === undefined || nowMs - beganMs > JOIN_FROM_CACHE_MAX_MS) return;
    target.begin(beganMs, rendition.head(this.#deps.head().messages()));
    for (const packet of rendition.gop.packets) target.offer(packet);
  }

  /** Sends a message, in each of these forms. */
  send(message: Unpacked, renditions = this.renditions): void {
    for (const rendition of renditions) {
      const packet = rendition.cut(message);
      if (packet !== undefined) this.#offer(rendition, packet);
    }
  }

  /** Sends a frame of a rendition's own filler; a rendition that was dropped meanwhile would keep it for ever. */
  sendFiller(rendition: Rendition, frame: Unpacked): void {
    if (this.renditions.includes(rendition)) this.#offer(rendition, rendition.cutFiller(frame));
  }

  /** Shows a preview the present group of pictures, and what comes. */
  watch(preview: PreviewSubscriber): void {
    this.#previews.add(preview, this.#renditions.main.gop.packets, () => this.#deps.head().messages());
  }

  /** Hands what was gathered to the targets in step. Before anything that ends a link: what came before belongs on it. */
  deliver(): void {
    for (const rendition of this.renditions) {
      for (const target of rendition.targets) {
        // No mistake with one target may reach another.
        try {
          rendition.flushTo(target);
        } catch (error) {
          this.#deps.onFault(error);
        }
      }
      rendition.batch.clear();
    }
  }

  /** Writes what waits, target by target. */
  flush(): void {
    this.deliver();
    this.#previews.flush(this.#deps.clock.awakeNow());
    for (const rendition of this.renditions) rendition.settle();
  }

  /** Call once a second. */
  tick(): void {
    const { clock } = this.#deps;
    this.#previews.tick(clock.awakeNow());
    for (const rendition of this.renditions) rendition.tick(clock.now());
  }

  /** The broadcast is over, and its time with it. */
  startOver(): void {
    for (const rendition of this.renditions) rendition.startOver();
    this.#previews.end();
  }

  #offer(rendition: Rendition, packet: Packet): void {
    const isStart = this.#isStart(packet);
    if (rendition === this.#renditions.main && this.#previews.areThere)
      this.#previews.offer(packet, isStart, () => this.#deps.head().messages());
    for (const target of rendition.lateTargets) {
      try {
        if (isStart && target.isWaitingToBegin)
          target.begin(packet.timeMs, rendition.head(this.#deps.head().messages()));
        target.offer(packet);
      } catch (error) {
        this.#deps.onFault(error);
      }
    }
  }

  /** Whether a connection may begin with this packet: a keyframe, or sound where there are no pictures. */
  #isStart(packet: Packet): boolean {
    if (packet.isKeyframe) return true;
    return packet.kind === "audio" && !packet.isConfig && !this.#deps.head().expectsVideo(this.#deps.clock.now());
  }
}
