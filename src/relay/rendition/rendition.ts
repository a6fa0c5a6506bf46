import { withMetadata, withoutTrackMaps } from "../../protocol/flv/metadata.ts";
import { withEnhancedHevc, withLegacyCodecs } from "../../protocol/flv/metadata-codecs.ts";
import { enhanceHevc, flattenTrack, legacyForm } from "../../protocol/flv/tracks.ts";
import { classifyVideo } from "../../protocol/flv/video/video-tag.ts";
import { MessageType } from "../../protocol/rtmp/message.ts";
import type { TrackChoice } from "../../thread-protocol/channel-spec.ts";
import { ChunkArena } from "../packing/chunk-arena.ts";
import { FlushBatch } from "../packing/flush-batch.ts";
import { PackedForms } from "../packing/packed-forms.ts";
import { cutPacket, payloadOf } from "../packing/rtmp-chunks.ts";
import type { Packer, WireForm, WireMessage } from "../packing/wire-form.ts";
import type { BlockStore } from "../stream/block-store.ts";
import type { HeadMessage } from "../stream/config/head-message.ts";
import { AddedSilence, SILENCE_CONFIG, SILENCE_FORMAT } from "../stream/filler/added-silence.ts";
import { FillerStock } from "../stream/filler/filler-stock.ts";
import { GopCache } from "../stream/gop-cache.ts";
import { ofKind, type Packet, type PacketKind, type PacketMarks } from "../stream/packet.ts";
import { RateMeter } from "../stream/rate-meter.ts";
import type { Subscriber } from "../subscriber/subscriber.ts";

/** The stream's rate is a mean over this many seconds. */
const RATE_SECONDS = 5;

/** How a rendition changes the stream. */
export type RenditionShape = {
  /** Only these two tracks, in the form without tracks; absent: all tracks, unchanged. */
  readonly tracks?: TrackChoice;
  /** HEVC in Enhanced RTMP's form, also where it arrives under codec id 12. */
  readonly hasHevcEnhanced: boolean;
  /** H.264, AAC and MP3 in the legacy form, also where they arrive in Enhanced RTMP's. */
  readonly isLegacy: boolean;
  /** Captions, cue points and other timed data, in their places. */
  readonly hasTimedData: boolean;
  /** Silence in place of audio, which the stream does not have. */
  readonly hasSilence: boolean;
};

/** A message before it is cut into chunks. */
export type Unpacked = PacketMarks & {
  readonly kind: PacketKind;
  readonly type: number;
  readonly payload: Buffer;
  readonly timeMs: number;
  /** When it arrived, on the clock's `awakeNow()`. */
  readonly arrivalMs: number;
  /** It continues the frame that the message before it began. */
  readonly isFurther?: boolean;
};

const NO_PACKETS: readonly Packet[] = [];
const SILENCE_MARKS: PacketMarks = { isConfig: false, isKeyframe: false, trackId: 0, startsTrack: false };

type LastCut = { timeMs: number; ordinal: number };

/**
 * One form of the stream, made once for all subscribers that get it. Most streams have one rendition, which changes
 * nothing; there is one more for each choice of tracks or forms that a target makes.
 *
 * Packets are stored as RTMP chunks: the copy that the GOP cache needs anyway is also what targets are sent. Other wire
 * forms are packed from it, once for each form and only for subscribers that ask (`pack`).
 */
export class Rendition implements Packer {
  readonly shape: RenditionShape;
  readonly #subscribers = new Set<Subscriber>();
  /** Subscribers that were not in step after the last flush, or came since: packets are offered to them one by one. */
  readonly #late = new Set<Subscriber>();
  readonly #forms = new PackedForms();
  readonly gop = new GopCache();
  /** What was cut since the last flush. */
  readonly batch = new FlushBatch();
  readonly #rate = new RateMeter(RATE_SECONDS);
  /** Frames for its own filler; only if it shows other tracks than the default ones. */
  readonly stock: FillerStock | undefined;
  /** Filler frames that lie in this arena. */
  readonly #stored: FillerStock | undefined;
  readonly #arena: ChunkArena;
  /** Absent: none is added. */
  readonly #silence: AddedSilence | undefined;
  readonly #lastCut: Record<PacketKind, LastCut> = {
    audio: { timeMs: 0, ordinal: 0 },
    video: { timeMs: 0, ordinal: 0 },
    data: { timeMs: 0, ordinal: 0 },
  };

  /** `mainStock`: the filler frames that are packets of this rendition, where it has no filler of its own. */
  constructor(shape: RenditionShape, blocks: BlockStore, mainStock?: FillerStock) {
    this.shape = shape;
    this.#arena = new ChunkArena(blocks);
    this.#silence = shape.hasSilence ? new AddedSilence() : undefined;
    const { video = 0, audio = 0 } = shape.tracks ?? {};
    this.stock = video === 0 && audio === 0 ? undefined : new FillerStock(payloadOf);
    this.#stored = this.stock ?? mainStock;
  }

  get subscribers(): ReadonlySet<Subscriber> {
    return this.#subscribers;
  }

  get isInUse(): boolean {
    return [...this.#subscribers].some(({ isOver }) => !isOver);
  }

  get isAddingSilence(): boolean {
    return this.#silence?.isRunning === true;
  }

  get lateSubscribers(): ReadonlySet<Subscriber> {
    return this.#late;
  }

  join(subscriber: Subscriber): void {
    this.#subscribers.add(subscriber);
    this.#late.add(subscriber);
  }

  leave(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    this.#late.delete(subscriber);
  }

  /** Gives a subscriber the flush batch, and makes it send what waits. */
  flushTo(subscriber: Subscriber): void {
    const wasInStep = subscriber.isInStep;
    subscriber.flush(this.batch);
    if (subscriber.isInStep === wasInStep) return;
    if (wasInStep) this.#late.add(subscriber);
    else this.#late.delete(subscriber);
  }

  pack(form: WireForm, packet: Packet): Buffer {
    return this.#forms.pack(form, packet);
  }

  packOwn(form: WireForm, message: WireMessage): Buffer {
    return this.#forms.packOwn(form, message);
  }

  /** Cuts the silence that is due before a message; nothing where the rendition adds none. Audio frames end it. */
  cutSilence(message: Unpacked): readonly Packet[] {
    if (this.#silence === undefined || message.isConfig || message.type === MessageType.DataAmf0) return NO_PACKETS;
    const { kind, timeMs: untilMs, arrivalMs } = message;
    const frames = kind === "video" ? this.#silence.before(untilMs) : this.#silence.stopAt(untilMs);
    return frames.map(({ timeMs, payload }) =>
      this.#cut({ ...SILENCE_MARKS, kind: "audio", type: MessageType.Audio, payload, timeMs, arrivalMs }, payload),
    );
  }

  /** Cuts a message into a packet; undefined if the message is not a part of this rendition. */
  cut(message: Unpacked): Packet | undefined {
    const payload = isTimed(message) ? this.#timed(message.payload) : this.shaped(message.kind, message.payload);
    if (payload === undefined || this.#isUnderSilence(message)) return undefined;
    const packet = this.#cut(message, payload);
    if (this.stock !== undefined && packet.kind === "video") {
      if (packet.isConfig) this.stock.clear();
      else if (message.isFurther === true && !packet.isKeyframe) this.stock.goOn(payload);
      else this.stock.add(payload, packet.isKeyframe, undefined, 0, packet);
    }
    return packet;
  }

  /** Takes over what another rendition has in its cache, so that the first subscriber of a new form can begin with it. */
  takeOver(other: Rendition): void {
    this.gop.keepFirstGroups(other.gop.keepsFirstGroups);
    for (const packet of other.gop.packetsSince(Number.NEGATIVE_INFINITY)) {
      const message = { ...packet, payload: payloadOf(packet) };
      this.cutSilence(message);
      this.cut(message);
    }
    this.batch.clear();
  }

  /** The encoder's audio begins after the last silent frame. */
  #isUnderSilence({ kind, type, isConfig, timeMs }: Unpacked): boolean {
    if (this.#silence === undefined || kind !== "audio" || type !== MessageType.Audio) return false;
    return !isConfig && timeMs < this.#silence.endMs;
  }

  /** Cuts a frame of this rendition's own filler. */
  cutFiller(message: Unpacked): Packet {
    return this.#cut(message, message.payload);
  }

  #cut(message: Unpacked, payload: Buffer): Packet {
    const { kind, type, timeMs, arrivalMs } = message;
    const last = ofKind(this.#lastCut, kind);
    const { isConfig, isKeyframe, trackId, startsTrack } =
      this.shape.tracks === undefined ? message : marksOfOnlyTrack(message, payload);
    const ordinal = last.ordinal + 1;
    // The blocks of the former group are free with this flush then. A group within one block is not worth a new one.
    if (isKeyframe && this.gop.isBefore(this.#arena.block)) this.#arena.startBlock();
    const fields = { kind, type, isConfig, isKeyframe, trackId, startsTrack, timeMs, arrivalMs, ordinal };
    // Metadata has no time of its own: it stays at 0, so its delta always fits a header.
    const packet = cutPacket(this.#arena, fields, kind === "data" ? 0 : timeMs - last.timeMs, payload);
    last.timeMs = timeMs;
    last.ordinal += 1;
    if (!packet.isConfig) this.gop.add(packet);
    this.batch.add(packet);
    this.#rate.add(packet.end - packet.start);
    return packet;
  }

  /** Call once a second. Returns the rate in bytes a second, a mean over the last seconds. */
  tick(nowMs: number): number {
    this.#rate.tick(nowMs);
    return this.#rate.bytesPerSecondSoFar;
  }

  /** Returns this rendition's decoder config. */
  head(messages: readonly HeadMessage[]): HeadMessage[] {
    return this.#withSilence(messages).flatMap((message) => {
      const payload = this.shaped(message.kind, message.payload);
      return payload === undefined ? [] : [{ ...message, payload }];
    });
  }

  /** The silence's header has the place of the audio's: after metadata. */
  #withSilence(messages: readonly HeadMessage[]): readonly HeadMessage[] {
    if (!this.isAddingSilence || messages.some(({ kind }) => kind === "audio")) return messages;
    const silence = { kind: "audio", type: MessageType.Audio, payload: SILENCE_CONFIG } as const;
    const isMetadata = ({ kind }: HeadMessage) => kind === "data";
    return [...messages.filter(isMetadata), silence, ...messages.filter((message) => !isMetadata(message))];
  }

  /** Call after a flush: memory that no subscriber and no cache keeps is reused. */
  settle(): void {
    this.batch.clear();
    this.#forms.forgetBytes();
    this.#arena.settle(this.gop.oldestBlock, this.#stored?.blocks);
  }

  /** The broadcast is over, and its time with it. */
  startOver(): void {
    this.gop.clear();
    this.gop.keepFirstGroups(false);
    this.batch.clear();
    this.#arena.clear();
    this.#stored?.clear();
    for (const last of Object.values(this.#lastCut)) last.timeMs = 0;
  }

  #timed(payload: Buffer): Buffer | undefined {
    return this.shape.hasTimedData ? payload : undefined;
  }

  /** Returns a message's payload in this rendition; undefined if the message is not a part of it. */
  shaped(kind: PacketKind, payload: Buffer): Buffer | undefined {
    const { tracks, hasHevcEnhanced, isLegacy } = this.shape;
    if (kind === "data") {
      const shaped = shapedMetadata(payload, this.shape);
      return this.isAddingSilence ? withSilentAudio(shaped) : shaped;
    }
    const flat =
      tracks !== undefined ? flattenTrack(kind, payload, tracks[kind]) : isLegacy ? legacyForm(kind, payload) : payload;
    return hasHevcEnhanced && kind === "video" && flat !== undefined ? enhanceHevc(flat) : flat;
  }
}

/** Timed data is sent among the audio, on its chunk stream and with its deltas, so that it stays at its moment. */
function isTimed({ kind, type }: Unpacked): boolean {
  return kind === "audio" && type === MessageType.DataAmf0;
}

/** Metadata must name the codecs in the form of this rendition. */
function shapedMetadata(payload: Buffer, { tracks, hasHevcEnhanced, isLegacy }: RenditionShape): Buffer {
  const own = tracks === undefined ? payload : withoutTrackMaps(payload);
  const named = tracks !== undefined || isLegacy ? withLegacyCodecs(own) : own;
  return hasHevcEnhanced ? withEnhancedHevc(named) : named;
}

/** Metadata that names the silence as the stream's audio. */
function withSilentAudio(payload: Buffer): Buffer {
  const { codecId, sampleRate, sampleBits, channels } = SILENCE_FORMAT;
  return withMetadata(payload, [
    ["audiocodecid", codecId],
    ["audiosamplerate", sampleRate],
    ["audiosamplesize", sampleBits],
    ["audiochannels", channels],
    ["stereo", true],
  ]);
}

/** A chosen track is the only one, and so the default one. */
function marksOfOnlyTrack({ kind, isConfig }: Unpacked, payload: Buffer): PacketMarks {
  const isStart = kind === "video" && !isConfig && classifyVideo(payload).isKeyframe;
  return { isConfig, isKeyframe: isStart, trackId: 0, startsTrack: isStart };
}
