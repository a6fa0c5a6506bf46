import { parseAudioSpecificConfig } from "../protocol/flv/aac-config.ts";
import { classifyAudio } from "../protocol/flv/audio-tag.ts";
import { parseAvcConfig } from "../protocol/flv/avc-config.ts";
import { classifyVideo, hasIdr } from "../protocol/flv/video-tag.ts";

/** Two pictures a second: enough to be a stream, too few to cost a keyframe's bitrate. */
const PICTURE_INTERVAL_MS = 500;
const AAC_FRAME_SAMPLES = 1_024;
const AAC_LC = 2;
const NAL_LENGTH_BYTES_USUAL = 4;

/** Raw AAC-LC frames that decode to exact zeros, by number of channels; the sample rate is not in them. */
const SILENT_AAC: ReadonlyMap<number, Buffer> = new Map([
  [1, Buffer.from("00c800802380", "hex")],
  [2, Buffer.from("210049900219002380", "hex")],
]);
/** What stands before a raw AAC frame: in the form of old, and in Enhanced RTMP's. */
const LEGACY_FRAME = Buffer.from("af01", "hex");
const ENHANCED_FRAME = Buffer.from("916d703461", "hex");

/** A frame to send at a moment of channel time. */
export type FillerFrame = {
  readonly kind: "audio" | "video";
  readonly timeMs: number;
  readonly isKeyframe: boolean;
  readonly payload: Buffer;
};

type Pictures = { readonly key: Buffer; readonly following: Buffer | undefined };

/**
 * Keeps what filler is made of while the stream is live: the last keyframe and the access unit right behind it. Sent in turn they
 * are a stream any decoder takes: no two IDR pictures follow one another (H.264 7.4.1.2.4 wants those to differ in a field that
 * a repeated one does not), and the second refers to the first alone.
 */
export class FillerStock {
  #complete: Pictures | undefined;
  #latest: Pictures | undefined;

  /** Presentation time less decoding time of the first picture of filler, in milliseconds. */
  get compositionTimeMs(): number {
    return this.pictures === undefined ? 0 : classifyVideo(this.pictures.key).compositionTimeMs;
  }

  /** What to show in turn; undefined before the first keyframe. */
  get pictures(): Pictures | undefined {
    return this.#complete ?? this.#latest;
  }

  /** Takes a video frame that went out, and copies it if it is needed. `config`: the sequence header it belongs to. */
  add(payload: Buffer, isKeyframe: boolean, config: Buffer | undefined): void {
    if (isKeyframe) {
      // Some encoders flag recovery points as keyframes: nothing can begin, or be repeated, there.
      if (this.#latest !== undefined && !isRealKeyframe(payload, config)) return;
      this.#latest = { key: Buffer.from(payload), following: undefined };
      if (!canBeFollowed(payload)) this.#complete = this.#latest;
    } else if (this.#latest !== undefined && this.#latest.following === undefined && canBeFollowed(payload)) {
      this.#latest = { key: this.#latest.key, following: Buffer.from(payload) };
      this.#complete = this.#latest;
    }
  }

  /** A sequence header changed: what is here cannot be decoded with it. */
  clear(): void {
    this.#complete = undefined;
    this.#latest = undefined;
  }
}

/** HEVC's and AV1's next picture may need more than the keyframe: those are filled with keyframes alone. */
function canBeFollowed(payload: Buffer): boolean {
  return classifyVideo(payload).codec === "avc";
}

function isRealKeyframe(payload: Buffer, config: Buffer | undefined): boolean {
  if (classifyVideo(payload).codec !== "avc") return true;
  return hasIdr(payload, config === undefined ? NAL_LENGTH_BYTES_USUAL : nalLengthBytes(config));
}

function nalLengthBytes(config: Buffer): number {
  const { bodyOffset, bodyEnd } = classifyVideo(config);
  return parseAvcConfig(config.subarray(bodyOffset, bodyEnd))?.nalLengthSize ?? NAL_LENGTH_BYTES_USUAL;
}

/**
 * Filler for one gap, made from the stream itself: the last picture, at two frames a second, and silence at its exact cadence. Each
 * kind only where the stream has it; silence only for AAC-LC, mono and stereo, since other forms of silence differ.
 */
export class Filler {
  readonly #pictures: Pictures | undefined;
  readonly #silence: { readonly payload: Buffer; readonly sampleRate: number } | undefined;
  readonly #startMs: number;
  #picturesSent = 0;
  #silencesSent = 0;

  /** `audioConfig`: the sound's sequence header; `startMs`: channel time of the first frames. */
  constructor(stock: FillerStock, audioConfig: Buffer | undefined, startMs: number) {
    this.#pictures = stock.pictures;
    this.#silence = silenceFor(audioConfig);
    this.#startMs = startMs;
  }

  /** The frames due up to this moment of channel time that were not given before, in order of time. */
  until(timeMs: number): FillerFrame[] {
    const frames: FillerFrame[] = [];
    while (this.#pictures !== undefined && this.#pictureTime() <= timeMs) {
      const { key, following } = this.#pictures;
      const isKeyframe = following === undefined || this.#picturesSent % 2 === 0;
      const payload = isKeyframe ? key : following;
      frames.push({ kind: "video", timeMs: this.#pictureTime(), isKeyframe, payload });
      this.#picturesSent += 1;
    }
    while (this.#silence !== undefined && this.#silenceTime(this.#silence.sampleRate) <= timeMs) {
      const { payload, sampleRate } = this.#silence;
      frames.push({ kind: "audio", timeMs: this.#silenceTime(sampleRate), isKeyframe: false, payload });
      this.#silencesSent += 1;
    }
    return frames.sort((left, right) => left.timeMs - right.timeMs);
  }

  #pictureTime(): number {
    return this.#startMs + this.#picturesSent * PICTURE_INTERVAL_MS;
  }

  #silenceTime(sampleRate: number): number {
    return this.#startMs + Math.round((this.#silencesSent * AAC_FRAME_SAMPLES * 1_000) / sampleRate);
  }
}

function silenceFor(config: Buffer | undefined): { readonly payload: Buffer; readonly sampleRate: number } | undefined {
  if (config === undefined) return undefined;
  const { codec, form, bodyOffset, bodyEnd } = classifyAudio(config);
  if (codec !== "aac") return undefined;
  const aac = parseAudioSpecificConfig(config.subarray(bodyOffset, bodyEnd));
  if (aac === undefined || aac.objectType !== AAC_LC || aac.sampleRate <= 0) return undefined;
  const frame = SILENT_AAC.get(aac.channels);
  if (frame === undefined) return undefined;
  return {
    payload: Buffer.concat([form === "legacy" ? LEGACY_FRAME : ENHANCED_FRAME, frame]),
    sampleRate: aac.sampleRate,
  };
}
