import type { Clock } from "../base/clock.ts";
import type { TargetId, TargetSpec } from "../exchange/channel-spec.ts";
import type { TargetSample } from "../exchange/samples.ts";
import { classifyVideo } from "../protocol/flv/video-tag.ts";
import { MessageType } from "../protocol/rtmp/message.ts";
import { ChunkArena } from "./chunk-arena.ts";
import { Filler, FillerStock } from "./filler.ts";
import { GopCache } from "./gop-cache.ts";
import type { Intake } from "./intake.ts";
import { type Interleaved, Interleaver } from "./interleaver.ts";
import { cutPacket, type Packet, type PacketKind } from "./packet.ts";
import type { LinkClose } from "./ports.ts";
import { StreamHead } from "./stream-head.ts";
import type { Target } from "./target.ts";
import { Timeline } from "./timeline.ts";

export type FanOutDeps = {
  readonly clock: Clock;
  /** Makes a target; `onAccepted` is to be called when it waits for a place to begin. */
  readonly newTarget: (spec: TargetSpec, onAccepted: (target: Target) => void) => Target;
  /** Packets are waiting to be flushed. */
  readonly onDirty: () => void;
  /** Something was thrown that concerns one target; the others go on. */
  readonly onFault: (error: unknown) => void;
};

/**
 * A target that is ready this soon after a keyframe begins with that keyframe, out of the cache, and not with the next one: it
 * costs a burst too short for a platform to mind. In milliseconds of media.
 */
const JOIN_FROM_CACHE_MAX_MS = 2_000;

/** A frame as the intake classified it. */
export type Frame = Pick<Extract<Intake, { what: "frame" }>, "kind" | "isKeyframe" | "compositionTimeMs" | "payload">;

type LastCut = { timeMs: number; ordinal: number };

/**
 * A channel's way out: one stream in, placed in time and cut once, offered to every target. Who feeds it, and when filler does, is
 * the channel's business.
 */
export class FanOut {
  readonly #deps: FanOutDeps;
  readonly #targets = new Map<TargetId, Target>();
  #isWanted = false;
  /** Pictures before a source's first keyframe refer to ones that nobody saw. */
  #needsKeyframe = true;
  /** Channel time of the present source's first frame. */
  #startMs: number | undefined;
  /** Latest presentation time of any frame, in channel time. */
  #presentedMs = 0;
  /** What targets on air were told: headers are sent again only where they differ. */
  #head = new StreamHead();
  #timeline = new Timeline();
  #interleaver = new Interleaver();
  readonly #gop = new GopCache();
  readonly #stock = new FillerStock();
  #arena = new ChunkArena();
  readonly #lastCut: Record<PacketKind, LastCut> = {
    audio: { timeMs: 0, ordinal: 0 },
    video: { timeMs: 0, ordinal: 0 },
    data: { timeMs: 0, ordinal: 0 },
  };

  constructor(deps: FanOutDeps) {
    this.#deps = deps;
  }

  get head(): StreamHead {
    return this.#head;
  }

  /** Whether there has been media since the broadcast began. */
  get hasStarted(): boolean {
    return this.#isWanted;
  }

  get targets(): Iterable<Target> {
    return this.#targets.values();
  }

  target(targetId: TargetId): Target | undefined {
    return this.#targets.get(targetId);
  }

  /** Brings the targets to what is wanted; those that did not change do not notice. */
  setTargets(specs: readonly TargetSpec[]): void {
    const wanted = new Map(specs.map((spec) => [spec.targetId, spec]));
    for (const [targetId, target] of this.#targets) {
      if (wanted.has(targetId)) continue;
      this.#targets.delete(targetId);
      target.close("end");
    }
    for (const [targetId, spec] of wanted) {
      const present = this.#targets.get(targetId);
      if (present !== undefined) {
        present.setSpec(spec);
        continue;
      }
      const target = this.#deps.newTarget(spec, (accepted) => this.#beginFromCache(accepted));
      this.#targets.set(targetId, target);
      if (this.#isWanted) target.want();
    }
  }

  /** There is media: targets are dialled. Not at publish: an encoder that sends nothing starts no broadcast. */
  #start(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    for (const target of this.#targets.values()) target.want();
  }

  /** The broadcast is over: targets are left as asked, and the next one begins afresh. */
  stop(how: LinkClose): void {
    this.#sendFrames(this.#interleaver.drain());
    this.#interleaver = new Interleaver();
    this.#isWanted = false;
    this.#each((target) => target.unwant(how));
    this.#forgetStream();
    this.#arena = new ChunkArena();
    this.#timeline = new Timeline();
    this.#startMs = undefined;
    this.#presentedMs = 0;
    for (const last of Object.values(this.#lastCut)) last.timeMs = 0;
  }

  /**
   * Another encoder feeds from here on, in step with the wall clock. `compositionTimeMs`: of its first picture, which must not be
   * presented before the last one.
   */
  changeSource(compositionTimeMs: number): void {
    this.#sendFrames(this.#interleaver.drain());
    this.#interleaver = new Interleaver();
    this.#gop.clear();
    // Filler is to show the encoder that was lost, not the one before it.
    this.#stock.clear();
    this.#needsKeyframe = true;
    this.#startMs = undefined;
    this.#timeline.changeSource(this.#presentedMs + 1 - compositionTimeMs);
  }

  /** Nothing of what was told before holds for what comes. */
  forgetHead(): void {
    this.#forgetStream();
  }

  /** What comes cannot follow what was sent within one connection: every target is dialled anew. */
  reconnect(): void {
    this.#forgetStream();
    for (const target of this.#targets.values()) target.redial("cut");
  }

  /** Sends what an encoder's message means. The first media has the targets dialled. */
  forward(intake: Intake, timestamp: number): void {
    switch (intake.what) {
      case "ignored":
        return;
      case "metadata-cleared":
        return this.#head.clearMetadata();
      case "metadata":
        return this.#sendMetadata(intake.payload, intake.announcesVideo);
      case "config":
        this.#start();
        return this.#sendConfig(intake.kind, intake.slot, intake.payload);
      case "frame":
        this.#start();
        return this.#sendFrame(intake, timestamp);
    }
  }

  /** Tells the targets what of a source's headers they were not told yet. */
  tellHead(head: StreamHead): void {
    const { metadata } = head;
    if (metadata === undefined) this.#head.clearMetadata();
    else this.#sendMetadata(metadata, head.config("video") !== undefined);
    for (const [slot, { kind, payload }] of head.configs) this.#sendConfig(kind, slot, payload);
  }

  #sendMetadata(payload: Buffer, announcesVideo: boolean): void {
    if (!this.#head.setMetadata(payload, announcesVideo)) return;
    this.#send("data", MessageType.DataAmf0, { isConfig: true, isKeyframe: false }, payload, this.#timeline.lastMs);
  }

  #sendConfig(kind: "audio" | "video", slot: string, payload: Buffer): void {
    if (!this.#head.setConfig(kind, slot, payload)) return;
    this.#sendFrames(this.#interleaver.drain());
    this.#gop.clear();
    if (kind === "video") this.#stock.clear();
    this.#send(kind, typeOf(kind), { isConfig: true, isKeyframe: false }, payload, this.#timeline.lastMs);
  }

  #sendFrame({ kind, isKeyframe, compositionTimeMs, payload }: Frame, timestamp: number): void {
    const nowMs = this.#deps.clock.now();
    this.#head.sawFrame(kind, nowMs);
    if (kind === "video" && this.#needsKeyframe) {
      if (!isKeyframe) return;
      this.#needsKeyframe = false;
    }
    if (kind === "video") this.#stock.add(payload, isKeyframe, this.#head.config("video"));
    const timeMs = this.#timeline.map(kind, timestamp, nowMs);
    // Sound joins a source from its first picture on.
    this.#startMs ??= timeMs;
    if (kind === "audio" && timeMs < this.#startMs) return;
    this.#presentedMs = Math.max(this.#presentedMs, timeMs + compositionTimeMs);
    const frame = { kind, isKeyframe, payload, timeMs, arrivalMs: nowMs };
    this.#sendFrames(this.#interleaver.add(frame, this.#timeline.lastMs));
  }

  #sendFrames(frames: readonly Interleaved[]): void {
    for (const { kind, isKeyframe, payload, timeMs } of frames) {
      this.#send(kind, typeOf(kind), { isConfig: false, isKeyframe }, payload, this.#timeline.send(timeMs));
    }
  }

  /** Filler that begins at this moment, behind everything that came before. */
  newFiller(): Filler {
    this.#sendFrames(this.#interleaver.drain());
    const presentMs = this.#timeline.presentMs(this.#deps.clock.now());
    const floorMs = this.#presentedMs + 1 - this.#stock.compositionTimeMs;
    return new Filler(this.#stock, this.#head, Math.max(presentMs, floorMs));
  }

  /** Sends the filler that is due. */
  fill(filler: Filler): void {
    const untilMs = this.#timeline.presentMs(this.#deps.clock.now());
    for (const { kind, timeMs, isKeyframe, payload } of filler.until(untilMs)) {
      const compositionTimeMs = kind === "video" ? classifyVideo(payload).compositionTimeMs : 0;
      this.#presentedMs = Math.max(this.#presentedMs, timeMs + compositionTimeMs);
      this.#send(kind, typeOf(kind), { isConfig: false, isKeyframe }, payload, this.#timeline.send(timeMs));
    }
  }

  /** Whether a frame of the encoder on air lies behind what filler has covered: its backlog, of a time that is gone. */
  isStale(kind: "audio" | "video", timestamp: number): boolean {
    const timeMs = this.#timeline.expected(kind, timestamp);
    return timeMs === undefined || timeMs < this.#timeline.lastMs;
  }

  /** The encoder on air goes on by its own clock, behind filler. */
  resumeSource(): void {
    this.#gop.clear();
    this.#needsKeyframe = true;
  }

  /** Writes what waits, target by target. */
  flush(): void {
    this.#each((target) => target.pump());
    this.#arena.settle();
  }

  /** Call once a second. */
  tick(): void {
    this.#each((target) => target.tick());
  }

  sample(): TargetSample[] {
    return [...this.#targets.values()].map((target) => target.sample());
  }

  /** Cuts a message and offers it to every target. */
  #send(
    kind: PacketKind,
    type: number,
    flags: { readonly isConfig: boolean; readonly isKeyframe: boolean },
    payload: Buffer,
    timeMs: number,
  ): void {
    const last = this.#lastCut[kind];
    const fields = { kind, type, ...flags, timeMs, ordinal: last.ordinal + 1 };
    // Metadata says nothing of time: it stays where the connection began, and its step cannot grow beyond what a header holds.
    const packet = cutPacket(this.#arena, fields, kind === "data" ? 0 : timeMs - last.timeMs, payload);
    last.timeMs = timeMs;
    last.ordinal += 1;
    const isStart = this.#isStart(packet);
    this.#each((target) => {
      if (isStart && target.isWaitingToBegin) target.begin(timeMs, this.#head.messages());
      target.offer(packet);
    });
    if (!packet.isConfig) this.#gop.add(packet);
    this.#deps.onDirty();
  }

  /** No mistake with one target may reach another. */
  #each(run: (target: Target) => void): void {
    for (const target of this.#targets.values()) {
      try {
        run(target);
      } catch (error) {
        this.#deps.onFault(error);
      }
    }
  }

  /** Whether a connection may begin with this packet: a keyframe, or sound where there are no pictures. */
  #isStart(packet: Packet): boolean {
    if (packet.isKeyframe) return true;
    return packet.kind === "audio" && !packet.isConfig && !this.#head.expectsVideo(this.#deps.clock.now());
  }

  #beginFromCache(target: Target): void {
    const first = this.#gop.packets[0];
    if (first === undefined || this.#timeline.lastMs - first.timeMs > JOIN_FROM_CACHE_MAX_MS) return;
    target.begin(first.timeMs, this.#head.messages());
    for (const packet of this.#gop.packets) target.offer(packet);
    this.#deps.onDirty();
  }

  #forgetStream(): void {
    this.#needsKeyframe = true;
    this.#head = new StreamHead();
    this.#gop.clear();
    this.#stock.clear();
  }
}

function typeOf(kind: "audio" | "video"): number {
  return kind === "audio" ? MessageType.Audio : MessageType.Video;
}
