import type { Clock } from "../base/clock.ts";
import type { TargetSpec } from "../exchange/channel-spec.ts";
import { hasLegacyForm } from "../protocol/flv/tracks.ts";
import type { BlockStore } from "./block-store.ts";
import { type Lane, Lanes, type Unpacked } from "./lane.ts";
import type { Packet } from "./packet.ts";
import type { StreamHead } from "./stream-head.ts";
import type { Target } from "./target.ts";
import { type Watcher, Watchers } from "./watcher.ts";

export type DeliveryDeps = {
  readonly clock: Clock;
  readonly blocks: BlockStore;
  /** What decoders need before the first frame, as it is now. */
  readonly head: () => StreamHead;
  /** Something was thrown that concerns one target or watcher; the others go on. */
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
 * that are in step, offers it at once to those that are not, and shows it to watchers.
 */
export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #lanes: Lanes;
  readonly #watchers: Watchers;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
    this.#lanes = new Lanes(deps.blocks);
    this.#watchers = new Watchers(deps.onFault);
  }

  /** The forms the stream is wanted in. */
  get lanes(): readonly Lane[] {
    return this.#lanes.all;
  }

  /** Makes ready what these targets will want, so that they find what was sent before they are there. */
  provideFor(specs: readonly TargetSpec[]): void {
    this.#lanes.provideFor(specs);
  }

  /** A target that goes for good. */
  leave(target: Target): void {
    this.#lanes.leave(target);
  }

  /** Gives a target that waits to begin the form it takes, as the stream is now. */
  place(target: Target): Lane {
    const head = this.#deps.head();
    const isLegacyHevc = ((head.config("video")?.[0] ?? 0) & 0x8f) === LEGACY_HEVC;
    const canBeLegacy = KINDS.some((kind) => hasLegacyForm(kind, head.config(kind) ?? NOTHING));
    return this.#lanes.assign(target, target.spec.tracks, {
      hasHevcEnhanced: isLegacyHevc && target.takesHevcEnhanced,
      isLegacy: canBeLegacy && !target.takesEnhanced,
      hasTimedData: target.spec.hasTimedData ?? true,
    });
  }

  /** A target accepted us: it begins with the cached keyframe if that is new, else with the next. `nowMs`: in channel time. */
  begin(target: Target, nowMs: number): void {
    const lane = this.place(target);
    const { beganMs } = lane.gop;
    if (beganMs === undefined || nowMs - beganMs > JOIN_FROM_CACHE_MAX_MS) return;
    target.begin(beganMs, lane.head(this.#deps.head().messages()));
    for (const packet of lane.gop.packets) target.offer(packet);
  }

  /** Sends a message, in each of these forms. */
  send(message: Unpacked, lanes = this.lanes): void {
    for (const lane of lanes) {
      const packet = lane.cut(message);
      if (packet !== undefined) this.#offer(lane, packet);
    }
  }

  /** Sends a frame of a lane's own filler; a lane that was dropped meanwhile would keep it for ever. */
  sendFiller(lane: Lane, frame: Unpacked): void {
    if (this.lanes.includes(lane)) this.#offer(lane, lane.cutFiller(frame));
  }

  /** Shows a watcher the present group of pictures, and what comes. */
  watch(watcher: Watcher): void {
    this.#watchers.add(watcher, this.#lanes.main.gop.packets, () => this.#deps.head().messages());
  }

  /** Hands what was gathered to the targets in step. Before anything that ends a link: what came before belongs on it. */
  deliver(): void {
    for (const lane of this.lanes) {
      for (const target of lane.targets) {
        // No mistake with one target may reach another.
        try {
          lane.flushTo(target);
        } catch (error) {
          this.#deps.onFault(error);
        }
      }
      lane.gathering.clear();
    }
  }

  /** Writes what waits, target by target. */
  flush(): void {
    this.deliver();
    this.#watchers.flush(this.#deps.clock.awakeNow());
    for (const lane of this.lanes) lane.settle();
  }

  /** Call once a second. */
  tick(): void {
    const { clock } = this.#deps;
    this.#watchers.tick(clock.awakeNow());
    for (const lane of this.lanes) lane.tick(clock.now());
  }

  /** The broadcast is over, and its time with it. */
  startOver(): void {
    for (const lane of this.lanes) lane.startOver();
    this.#watchers.end();
  }

  #offer(lane: Lane, packet: Packet): void {
    const isStart = this.#isStart(packet);
    if (lane === this.#lanes.main && this.#watchers.areThere)
      this.#watchers.offer(packet, isStart, () => this.#deps.head().messages());
    for (const target of lane.lateTargets) {
      try {
        if (isStart && target.isWaitingToBegin) target.begin(packet.timeMs, lane.head(this.#deps.head().messages()));
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
