import type { AudioFrameFormat } from "../../../protocol/flv/audio/audio-frame-format.ts";
import type { AudioCodec, VideoCodec } from "../../../protocol/flv/fourcc.ts";
import { type StreamConfigs, synthesiseMetadata } from "../../../protocol/flv/metadata.ts";
import { withCodecsOf } from "../../../protocol/flv/metadata-codecs.ts";
import { MessageType } from "../../../protocol/rtmp/message.ts";
import type { ClassifiedMessage } from "../classify-message.ts";
import { audioFrameMs } from "./audio-frame-ms.ts";
import type { HeadMessage } from "./head-message.ts";
import { needsHeader } from "./needs-header.ts";

/** Headers kept at most: far more tracks than any encoder sends. */
const CONFIGS_MAX = 32;
/** The slot of the default audio track's sequence header. */
const DEFAULT_AUDIO = "audio 0 config";
/** How long audio waits for video that metadata announced, in milliseconds. */
const ANNOUNCED_VIDEO_WAIT_MS = 2_000;

/** How long audio waits for video whose header came, in milliseconds. */
const HEADER_WAIT_MS = 5_000;

/**
 * How long audio waits for the header of video that comes without it, in milliseconds: the stream was joined between two
 * keyframes, and FFmpeg's are up to 10 s apart.
 */
const JOINED_WAIT_MS = 12_000;

/** After so much media without audio a stream has none, in milliseconds. */
const NO_AUDIO_AFTER_MS = 3_000;

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
 * What a decoder needs before the first frame: metadata, and the sequence headers of every track. A subscriber gets
 * this first, in OBS's order: metadata, audio, video.
 */
export class DecoderConfig {
  #metadata: Buffer | undefined;
  readonly #configs = new Map<string, Config>();
  /** The format of audio without a sequence header, by track. */
  readonly #audioFrameFormats = new Map<number, AudioFrameFormat>();
  readonly #codecs: Readonly<Record<MediaKind, Map<number, Codec>>> = { audio: new Map(), video: new Map() };
  /** Metadata made from the headers; undefined until it is asked for. */
  #madeUp: Buffer | undefined;
  #isVideoAnnounced = false;
  #hasVideoHeader = false;
  /** Video comes, but so far nothing that could be decoded. */
  #hasJoinedVideo = false;
  #hasVideo = false;
  #firstFrameMs: number | undefined;
  /** Of the default audio track, in milliseconds; 0: not known. */
  #audioFrameMs = 0;

  /** The encoder's metadata, corrected to name the real codecs; undefined if the encoder sent none. */
  get metadata(): Buffer | undefined {
    return this.#metadata === undefined ? undefined : withCodecsOf(this.#metadata, this.#defaultConfigs());
  }

  /** Whether a message says something about the stream that is not known yet. */
  isNews(classified: ClassifiedMessage): boolean {
    switch (classified.what) {
      case "metadata":
        return this.#metadata?.equals(classified.payload) !== true;
      case "config":
        return classified.parts.some(({ slot, payload }) => this.#configs.get(slot)?.payload.equals(payload) !== true);
      case "frame": {
        const { kind, trackId, codec, audioFormat, header } = classified;
        if (header !== undefined || this.codecs(kind).get(trackId) !== codec) return true;
        return audioFormat !== undefined && !isSameFormat(this.#audioFrameFormats.get(trackId), audioFormat);
      }
      default:
        return false;
    }
  }

  /** The sequence headers, by track and kind of configuration. */
  get configs(): ReadonlyMap<string, Config> {
    return this.#configs;
  }

  /** Takes metadata; returns whether it differs from what was there. */
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
   * Takes a sequence header; returns whether it is new and was kept. Encoders repeat identical headers, and receivers
   * treat each as a discontinuity. The payload is copied. `slot` identifies the track, and the kind of configuration
   * within it.
   */
  setConfig(kind: MediaKind, slot: string, payload: Buffer): boolean {
    if (kind === "video") this.#hasVideoHeader = true;
    const known = this.#configs.get(slot)?.payload;
    if (known?.equals(payload) === true || (known === undefined && this.#configs.size >= CONFIGS_MAX)) return false;
    this.#madeUp = undefined;
    this.#configs.set(slot, { kind, payload: Buffer.from(payload) });
    if (slot === DEFAULT_AUDIO) this.#audioFrameMs = audioFrameMs(payload);
    return true;
  }

  /** Takes the codecs and headers of a message with sequence headers. */
  takeConfig({ kind, parts }: { readonly kind: MediaKind; readonly parts: readonly HeadPart[] }): void {
    for (const { slot, trackId, codec, payload } of parts) {
      this.setCodec(kind, trackId, codec);
      this.setConfig(kind, slot, payload);
    }
  }

  /** The codec of each track, where known. */
  codecs(kind: MediaKind): ReadonlyMap<number, Codec> {
    // Written out since it runs for every frame: V8 does not cache a lookup by a name that varies.
    return kind === "video" ? this.#codecs.video : this.#codecs.audio;
  }

  /** Takes a track's codec; returns whether it is new. The headers of the codec before it are forgotten. */
  setCodec(kind: MediaKind, trackId: number, codec: Codec): boolean {
    const codecs = kind === "video" ? this.#codecs.video : this.#codecs.audio;
    const before = codecs.get(trackId);
    if (before === codec) return false;
    if (before !== undefined) this.#forgetTrack(kind, trackId);
    codecs.set(trackId, codec);
    return true;
  }

  /** Forgets a track's headers and codec: it changes. */
  forgetTrack(kind: MediaKind, trackId: number): void {
    this.#forgetTrack(kind, trackId);
    this.#codecs[kind].delete(trackId);
  }

  #forgetTrack(kind: MediaKind, trackId: number): void {
    this.#madeUp = undefined;
    for (const slot of this.#configs.keys()) if (slot.startsWith(`${kind} ${trackId} `)) this.#configs.delete(slot);
    if (kind === "audio") this.#audioFrameFormats.delete(trackId);
    if (kind === "audio" && trackId === 0) this.#audioFrameMs = 0;
  }

  /** The format of audio without a sequence header; undefined if it is not known. */
  audioFrameFormat(trackId: number): AudioFrameFormat | undefined {
    return this.#audioFrameFormats.get(trackId);
  }

  setAudioFrameFormat(trackId: number, audioFormat: AudioFrameFormat): void {
    if (!isSameFormat(this.#audioFrameFormats.get(trackId), audioFormat))
      this.#audioFrameFormats.set(trackId, audioFormat);
  }

  /** How long a frame of the default audio track plays, in milliseconds, by its sequence header; 0 where that is not known. */
  frameMs(kind: MediaKind, trackId: number): number {
    return kind === "audio" && trackId === 0 ? this.#audioFrameMs : 0;
  }

  /** Notes that a frame came, after its codec: this distinguishes streams with video from those without. */
  sawFrame(kind: MediaKind, isKeyframe: boolean, nowMs: number): void {
    this.#firstFrameMs ??= nowMs;
    if (kind !== "video" || this.#hasVideo) return;
    this.#hasVideo = isKeyframe || this.#hasVideoHeader || !needsHeader(this.#codecs.video.get(0));
    this.#hasJoinedVideo = true;
  }

  /** Time since the first frame, in milliseconds; 0 before it. */
  shownForMs(nowMs: number): number {
    return this.#firstFrameMs === undefined ? 0 : nowMs - this.#firstFrameMs;
  }

  /** Whether video has come for so long without any audio that none is expected any more. */
  lacksAudio(nowMs: number): boolean {
    return this.#hasVideo && this.#codecs.audio.size === 0 && this.shownForMs(nowMs) >= NO_AUDIO_AFTER_MS;
  }

  /** Whether audio has come, or will not come. */
  isAudioKnown(nowMs: number): boolean {
    return this.#codecs.audio.size > 0 || this.lacksAudio(nowMs);
  }

  /** False if only audio comes: metadata and headers may announce video that never does. */
  expectsVideo(nowMs: number): boolean {
    return this.#hasVideo || this.shownForMs(nowMs) < this.#videoWaitMs;
  }

  get #videoWaitMs(): number {
    if (this.#hasJoinedVideo) return JOINED_WAIT_MS;
    if (this.#hasVideoHeader) return HEADER_WAIT_MS;
    return this.#isVideoAnnounced ? ANNOUNCED_VIDEO_WAIT_MS : 0;
  }

  /** The sequence header of a kind's default track, or of its first one. */
  config(kind: MediaKind): Buffer | undefined {
    return this.trackConfig(kind, 0) ?? this.#of(kind)[0];
  }

  /** The sequence header of one track. */
  trackConfig(kind: MediaKind, trackId: number): Buffer | undefined {
    return this.#configs.get(`${kind} ${trackId} config`)?.payload;
  }

  /**
   * The messages to send before the first frame. Metadata is made from the sequence headers if the encoder sent none.
   */
  messages(): HeadMessage[] {
    const payload = this.metadata ?? this.madeUpMetadata ?? Buffer.alloc(0);
    return [
      { kind: "data", type: MessageType.DataAmf0, payload },
      ...this.#of("audio").map((payload) => ({ kind: "audio", type: MessageType.Audio, payload }) as const),
      ...this.#of("video").map((payload) => ({ kind: "video", type: MessageType.Video, payload }) as const),
    ];
  }

  /** Metadata made from the headers; undefined if the encoder sent metadata. */
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

function isSameFormat(known: AudioFrameFormat | undefined, audioFormat: AudioFrameFormat): boolean {
  return known?.sampleRate === audioFormat.sampleRate && known.channels === audioFormat.channels;
}
