import { withoutTrackMaps } from "../../protocol/flv/metadata.ts";
import { withEnhancedHevc, withLegacyCodecs } from "../../protocol/flv/metadata-codecs.ts";
import { enhanceHevc, flattenTrack, legacyForm } from "../../protocol/flv/tracks.ts";
import { classifyVideo } from "../../protocol/flv/video/video-tag.ts";
import { MessageType } from "../../protocol/rtmp/message.ts";
import type { TargetSpec, TrackChoice } from "../../thread-protocol/channel-spec.ts";
import { ChunkArena } from "../packing/chunk-arena.ts";
import { FlushBatch } from "../packing/flush-batch.ts";
import { cutPacket, payloadOf } from "../packing/rtmp-chunks.ts";
import type { BlockStore } from "../stream/block-store.ts";
import type { HeadMessage } from "../stream/config/head-message.ts";
import { FillerStock } from "../stream/filler/filler-stock.ts";
import { GopCache } from "../stream/gop-cache.ts";
import { ofKind, type Packet, type PacketKind, type PacketMarks } from "../stream/packet.ts";
import { RateMeter } from "../stream/rate-meter.ts";
import type { Target } from "../subscriber/rtmp-push/target.ts";

/** The stream's rate is a mean over so many seconds. */
const RATE_SECONDS = 5;

/** In which of two forms a target is to have what can be said in either. */
export type RenditionForms = {
  /** HEVC in Enhanced RTMP's form, where it comes in the old one that is not Adobe's. */
  readonly hasHevcEnhanced: boolean;
  /** H.264, AAC and MP3 in the form of old, where they come in Enhanced RTMP's. */
  readonly isLegacy: boolean;
  /** Captions, cue points and the like, in their places. */
  readonly hasTimedData: boolean;
};

/** How the stream is shaped for a target: `tracks`: these alone. */
type RenditionShape = RenditionForms & { readonly tracks?: TrackChoice };

/** A message before it is cut. */
export type Unpacked = PacketMarks & {
  readonly kind: PacketKind;
  readonly type: number;
  readonly payload: Buffer;
  readonly timeMs: number;
  /** When it came, on the clock's `awakeNow()`. */
  readonly arrivalMs: number;
  /** It goes on with the picture of the message before. */
  readonly isFurther?: boolean;
};

const AS_IT_COMES: RenditionShape = { hasHevcEnhanced: false, isLegacy: false, hasTimedData: true };

type LastCut = { timeMs: number; ordinal: number };

/**
 * The targets that get the same bytes. Most streams have one rendition, through which everything goes as it came; targets that want
 * one track of several, or another form, have renditions of their own.
 */
export class Rendition {
  readonly shape: RenditionShape;
  readonly #targets = new Set<Target>();
  /** Those of its targets that were not in step after the last flush, or came since: packets are offered to them one by one. */
  readonly #late = new Set<Target>();
  readonly gop = new GopCache();
  /** What was cut since the last flush. */
  readonly batch = new FlushBatch();
  readonly #rate = new RateMeter(RATE_SECONDS);
  /** What filler of its own is made of; only where it shows other tracks than the default ones. */
  readonly stock: FillerStock | undefined;
  readonly #arena: ChunkArena;
  readonly #lastCut: Record<PacketKind, LastCut> = {
    audio: { timeMs: 0, ordinal: 0 },
    video: { timeMs: 0, ordinal: 0 },
    data: { timeMs: 0, ordinal: 0 },
  };

  constructor(shape: RenditionShape, blocks: BlockStore) {
    this.shape = shape;
    this.#arena = new ChunkArena(blocks);
    const { video = 0, audio = 0 } = shape.tracks ?? {};
    this.stock = video === 0 && audio === 0 ? undefined : new FillerStock();
  }

  get targets(): ReadonlySet<Target> {
    return this.#targets;
  }

  get lateTargets(): ReadonlySet<Target> {
    return this.#late;
  }

  join(target: Target): void {
    this.#targets.add(target);
    this.#late.add(target);
  }

  leave(target: Target): void {
    this.#targets.delete(target);
    this.#late.delete(target);
  }

  /** Hands a target what was gathered, and writes what waits for it. */
  flushTo(target: Target): void {
    const wasInStep = target.isInStep;
    try {
      target.flush(this.batch);
    } finally {
      if (target.isInStep !== wasInStep) {
        if (wasInStep) this.#late.add(target);
        else this.#late.delete(target);
      }
    }
  }

  /** Cuts a message; undefined where nothing of it goes this way. */
  cut(message: Unpacked): Packet | undefined {
    const payload = isTimed(message) ? this.#timed(message.payload) : this.shaped(message.kind, message.payload);
    if (payload === undefined) return undefined;
    const packet = this.#cut(message, payload);
    if (this.stock !== undefined && packet.kind === "video") {
      if (packet.isConfig) this.stock.clear();
      else if (message.isFurther === true && !packet.isKeyframe) this.stock.goOn(payload);
      else this.stock.add(payload, packet.isKeyframe, undefined);
    }
    return packet;
  }

  /** Takes the group of pictures that another rendition has, so that who comes to a form nobody wanted before begins with it. */
  takeOver(other: Rendition): void {
    for (const packet of other.gop.packets) this.cut({ ...packet, payload: payloadOf(packet) });
    this.batch.clear();
  }

  /** Cuts a frame of the rendition's own filler. */
  cutFiller(message: Unpacked): Packet {
    return this.#cut(message, message.payload);
  }

  #cut(message: Unpacked, payload: Buffer): Packet {
    const { kind, type, timeMs, arrivalMs } = message;
    const last = ofKind(this.#lastCut, kind);
    const { isConfig, isKeyframe, trackId, startsTrack } =
      this.shape.tracks === undefined ? message : marksOfOnlyTrack(message, payload);
    const ordinal = last.ordinal + 1;
    const fields = { kind, type, isConfig, isKeyframe, trackId, startsTrack, timeMs, arrivalMs, ordinal };
    // Metadata says nothing of time: it stays where the connection began, and its step cannot grow beyond what a header holds.
    const packet = cutPacket(this.#arena, fields, kind === "data" ? 0 : timeMs - last.timeMs, payload);
    last.timeMs = timeMs;
    last.ordinal += 1;
    if (!packet.isConfig) this.gop.add(packet);
    this.batch.add(packet);
    this.#rate.add(packet.end - packet.start);
    return packet;
  }

  /** Call once a second. */
  tick(nowMs: number): void {
    this.#rate.tick(nowMs);
    for (const target of this.#targets) target.streamPerSecond = this.#rate.bytesPerSecondSoFar;
  }

  /** What targets of this rendition get before their first media. */
  head(messages: readonly HeadMessage[]): HeadMessage[] {
    return messages.flatMap((message) => {
      const payload = this.shaped(message.kind, message.payload);
      return payload === undefined ? [] : [{ ...message, payload }];
    });
  }

  /** Everything that was gathered is written, or waits where it is kept. */
  settle(): void {
    this.batch.clear();
    this.#arena.settle(this.gop.oldestBlock);
  }

  /** The broadcast is over, and its time with it. */
  startOver(): void {
    this.gop.clear();
    this.batch.clear();
    this.#arena.clear();
    for (const last of Object.values(this.#lastCut)) last.timeMs = 0;
  }

  #timed(payload: Buffer): Buffer | undefined {
    return this.shape.hasTimedData ? payload : undefined;
  }

  /** A message's payload as it goes this way; undefined where nothing of it does. */
  shaped(kind: PacketKind, payload: Buffer): Buffer | undefined {
    const { tracks, hasHevcEnhanced, isLegacy } = this.shape;
    if (kind === "data") return shapedMetadata(payload, this.shape);
    const flat =
      tracks !== undefined ? flattenTrack(kind, payload, tracks[kind]) : isLegacy ? legacyForm(kind, payload) : payload;
    return hasHevcEnhanced && kind === "video" && flat !== undefined ? enhanceHevc(flat) : flat;
  }
}

/** Timed data goes among the sound, on its chunk stream and by its steps of time: what says something of a moment is to stay there. */
function isTimed({ kind, type }: Unpacked): boolean {
  return kind === "audio" && type === MessageType.DataAmf0;
}

/** Metadata names the codecs in the form they have here. */
function shapedMetadata(payload: Buffer, { tracks, hasHevcEnhanced, isLegacy }: RenditionShape): Buffer {
  const own = tracks === undefined ? payload : withoutTrackMaps(payload);
  const named = tracks !== undefined || isLegacy ? withLegacyCodecs(own) : own;
  return hasHevcEnhanced ? withEnhancedHevc(named) : named;
}

/** The only track there is, is the default one. */
function marksOfOnlyTrack({ kind, isConfig }: Unpacked, payload: Buffer): PacketMarks {
  const isStart = kind === "video" && !isConfig && classifyVideo(payload).isKeyframe;
  return { isConfig, isKeyframe: isStart, trackId: 0, startsTrack: isStart };
}

/** Renditions of one fan-out, by what they do to the stream. */
export class Renditions {
  readonly #blocks: BlockStore;
  readonly #main: Rendition;
  readonly #shaped = new Map<string, Rendition>();
  #all: readonly Rendition[];

  constructor(blocks: BlockStore) {
    this.#blocks = blocks;
    this.#main = new Rendition(AS_IT_COMES, blocks);
    this.#all = [this.#main];
  }

  /** All of them, the one that leaves everything as it is first. */
  get all(): readonly Rendition[] {
    return this.#all;
  }

  /** The one that leaves everything as it is. */
  get main(): Rendition {
    return this.#main;
  }

  /** Makes the renditions that targets will want, so that they have what was sent before those are ready; drops the others. */
  provideFor(specs: readonly TargetSpec[]): void {
    const shapes = specs.map((spec) =>
      shapeOf(spec.tracks, { ...AS_IT_COMES, hasTimedData: spec.hasTimedData ?? true }),
    );
    const wanted = new Set(shapes.map(keyOf));
    for (const [key, rendition] of this.#shaped)
      if (!wanted.has(key) && rendition.targets.size === 0) this.#shaped.delete(key);
    for (const shape of shapes) this.#rendition(shape);
    this.#relist();
  }

  /** The rendition of a target from here on. */
  assign(target: Target, tracks: TrackChoice | undefined, forms: RenditionForms): Rendition {
    this.leave(target);
    const rendition = this.#rendition(shapeOf(tracks, forms));
    rendition.join(target);
    this.#relist();
    return rendition;
  }

  leave(target: Target): void {
    for (const rendition of this.#all) rendition.leave(target);
  }

  #rendition(shape: RenditionShape): Rendition {
    const key = keyOf(shape);
    if (key === keyOf(AS_IT_COMES)) return this.#main;
    const known = this.#shaped.get(key);
    if (known !== undefined) return known;
    const rendition = new Rendition(shape, this.#blocks);
    this.#shaped.set(key, rendition);
    if (shape.tracks === undefined) rendition.takeOver(this.#main);
    return rendition;
  }

  #relist(): void {
    this.#all = [this.#main, ...this.#shaped.values()];
  }
}

/** A track that was chosen is in the form of old anyway. */
function shapeOf(
  tracks: TrackChoice | undefined,
  { hasHevcEnhanced, isLegacy, hasTimedData }: RenditionForms,
): RenditionShape {
  const forms = { hasHevcEnhanced, isLegacy, hasTimedData };
  return tracks === undefined ? forms : { tracks, ...forms, isLegacy: false };
}

function keyOf({ tracks, hasHevcEnhanced, isLegacy, hasTimedData }: RenditionShape): string {
  return `${tracks?.video}/${tracks?.audio}/${hasHevcEnhanced}/${isLegacy}/${hasTimedData}`;
}
