import type { SoundFormat } from "../../../protocol/flv/audio/sound-format.ts";
import type { AudioCodec, VideoCodec } from "../../../protocol/flv/fourcc.ts";
import { type StreamConfigs, synthesiseMetadata } from "../../../protocol/flv/metadata.ts";
import { withCodecsOf } from "../../../protocol/flv/metadata-codecs.ts";
import { MessageType } from "../../../protocol/rtmp/message.ts";
import type { ClassifiedMessage } from "../classify-message.ts";
import type { HeadMessage } from "./head-message.ts";

/** Headers kept: far more tracks than any encoder sends. */
const CONFIGS_MAX = 32;
/** How long a stream that announced video may keep its audio-only start waiting for it, in milliseconds. */
const ANNOUNCED_VIDEO_WAIT_MS = 2_000;

/** … and one that sent its header. */
const HEADER_WAIT_MS = 5_000;

type Codec = VideoCodec | AudioCodec;
type MediaKind = "audio" | "video";
type HeadPart = {
  readonly slot: string;
  readonly trackId: number;
  readonly codec: Codec;
  readonly payload: Buffer;
};
type Config = { readonly kind: MediaKind; readonly payload: Buffer };

/**
 * What a decoder needs before the first frame: metadata, and the sequence headers of every track. Whoever joins gets this
 * first, in the order OBS sends it: metadata, audio, video.
 */
export class DecoderConfig {
  #metadata: Buffer | undefined;
  readonly #configs = new Map<string, Config>();
  /** What sound without a sequence header says of itself, by track. */
  readonly #sounds = new Map<number, SoundFormat>();
  readonly #codecs: Readonly<Record<MediaKind, Map<number, Codec>>> = { audio: new Map(), video: new Map() };
  /** Made up of the headers as they are now; undefined where it was not asked for since they changed. */
  #madeUp: Buffer | undefined;
  #isVideoAnnounced = false;
  #hasVideoHeader = false;
  #hasPictures = false;
  #firstFrameMs: number | undefined;

  /** The metadata to send on, where the encoder sent some: it names the codecs that come. */
  get metadata(): Buffer | undefined {
    return this.#metadata === undefined ? undefined : withCodecsOf(this.#metadata, this.#defaultConfigs());
  }

  /** Whether a message says anything of the stream that is not known yet. */
  isNews(classified: ClassifiedMessage): boolean {
    switch (classified.what) {
      case "metadata":
        return this.#metadata?.equals(classified.payload) !== true;
      case "config":
        return classified.parts.some(({ slot, payload }) => this.#configs.get(slot)?.payload.equals(payload) !== true);
      case "frame": {
        const { kind, trackId, codec, sound, header } = classified;
        if (header !== undefined || this.#codecs[kind].get(trackId) !== codec) return true;
        return sound !== undefined && !isSameSound(this.#sounds.get(trackId), sound);
      }
      default:
        return false;
    }
  }

  /** The sequence headers, by track and kind of configuration. */
  get configs(): ReadonlyMap<string, Config> {
    return this.#configs;
  }

  /** Takes the metadata to send on; true if it differs from what was there. */
  setMetadata(payload: Buffer, announcesVideo: boolean): boolean {
    this.#isVideoAnnounced = announcesVideo;
    if (this.#metadata?.equals(payload) === true) return false;
    this.#metadata = payload;
    return true;
  }

  clearMetadata(): void {
    this.#metadata = undefined;
  }

  /**
   * Takes a sequence header; true if it differs from what was there and was kept. Encoders repeat identical ones, and receivers take each
   * for a discontinuity. The payload is copied. `slot` tells tracks, and kinds of configuration within one, apart.
   */
  setConfig(kind: MediaKind, slot: string, payload: Buffer): boolean {
    if (kind === "video") this.#hasVideoHeader = true;
    const known = this.#configs.get(slot)?.payload;
    if (known?.equals(payload) === true || (known === undefined && this.#configs.size >= CONFIGS_MAX)) return false;
    this.#madeUp = undefined;
    this.#configs.set(slot, { kind, payload: Buffer.from(payload) });
    return true;
  }

  /** Takes what a message with sequence headers says of its tracks. */
  takeConfig({ kind, parts }: { readonly kind: MediaKind; readonly parts: readonly HeadPart[] }): void {
    for (const { slot, trackId, codec, payload } of parts) {
      this.setCodec(kind, trackId, codec);
      this.setConfig(kind, slot, payload);
    }
  }

  /** The codec of each track that has shown one. */
  codecs(kind: MediaKind): ReadonlyMap<number, Codec> {
    return this.#codecs[kind];
  }

  /** A track's codec showed; true if that is news. The headers of the one that it had before are forgotten. */
  setCodec(kind: MediaKind, trackId: number, codec: Codec): boolean {
    const codecs = kind === "video" ? this.#codecs.video : this.#codecs.audio;
    const before = codecs.get(trackId);
    if (before === codec) return false;
    if (before !== undefined) this.#forgetTrack(kind, trackId);
    codecs.set(trackId, codec);
    return true;
  }

  /** A track is about to be another: its headers, and what it is. */
  forgetTrack(kind: MediaKind, trackId: number): void {
    this.#forgetTrack(kind, trackId);
    this.#codecs[kind].delete(trackId);
  }

  #forgetTrack(kind: MediaKind, trackId: number): void {
    this.#madeUp = undefined;
    for (const slot of this.#configs.keys()) if (slot.startsWith(`${kind} ${trackId} `)) this.#configs.delete(slot);
    if (kind === "audio") this.#sounds.delete(trackId);
  }

  /** What sound without a sequence header says of itself; undefined where nothing does. */
  sound(trackId: number): SoundFormat | undefined {
    return this.#sounds.get(trackId);
  }

  setSound(trackId: number, sound: SoundFormat): void {
    if (!isSameSound(this.#sounds.get(trackId), sound)) this.#sounds.set(trackId, sound);
  }

  /** A frame came: tells streams with pictures from those without. */
  sawFrame(kind: MediaKind, nowMs: number): void {
    if (kind === "video") this.#hasPictures = true;
    this.#firstFrameMs ??= nowMs;
  }

  /** How long there have been frames, in milliseconds. */
  shownForMs(nowMs: number): number {
    return this.#firstFrameMs === undefined ? 0 : nowMs - this.#firstFrameMs;
  }

  /** False where sound alone is all there is, or all that will come: metadata and headers may promise pictures that never do. */
  expectsVideo(nowMs: number): boolean {
    if (this.#hasPictures) return true;
    const waitMs = this.#hasVideoHeader ? HEADER_WAIT_MS : this.#isVideoAnnounced ? ANNOUNCED_VIDEO_WAIT_MS : 0;
    return this.shownForMs(nowMs) < waitMs;
  }

  /** The sequence header of a kind's default track, or of the first there is. */
  config(kind: MediaKind): Buffer | undefined {
    return this.trackConfig(kind, 0) ?? this.#of(kind)[0];
  }

  /** The sequence header of one track. */
  trackConfig(kind: MediaKind, trackId: number): Buffer | undefined {
    return this.#configs.get(`${kind} ${trackId} config`)?.payload;
  }

  /** The messages to send before the first frame. Metadata is made up from the sequence headers where none came. */
  messages(): HeadMessage[] {
    const payload = this.metadata ?? this.madeUpMetadata ?? Buffer.alloc(0);
    return [
      { kind: "data", type: MessageType.DataAmf0, payload },
      ...this.#of("audio").map((payload) => ({ kind: "audio", type: MessageType.Audio, payload }) as const),
      ...this.#of("video").map((payload) => ({ kind: "video", type: MessageType.Video, payload }) as const),
    ];
  }

  /** Metadata that was made up, where the encoder sent none; undefined where it did. */
  get madeUpMetadata(): Buffer | undefined {
    if (this.#metadata !== undefined) return undefined;
    this.#madeUp ??= synthesiseMetadata(this.#defaultConfigs());
    return this.#madeUp;
  }

  #defaultConfigs(): StreamConfigs {
    const [videoConfig, audioConfig] = [this.config("video"), this.config("audio")];
    return {
      ...(videoConfig === undefined ? {} : { videoConfig }),
      ...(audioConfig === undefined ? {} : { audioConfig }),
    };
  }

  #of(kind: MediaKind): Buffer[] {
    return [...this.#configs.values()].filter((config) => config.kind === kind).map(({ payload }) => payload);
  }
}

function isSameSound(known: SoundFormat | undefined, sound: SoundFormat): boolean {
  return known?.sampleRate === sound.sampleRate && known.channels === sound.channels;
}
