import { parseAudioSpecificConfig } from "../../../protocol/flv/audio/aac-config.ts";
import { classifyAudio } from "../../../protocol/flv/audio/audio-tag.ts";
import { withSequenceEnd } from "../../../protocol/flv/video/sequence-end.ts";
import type { FillerFrames, FillerStock } from "./filler-stock.ts";
import { AAC_FRAME_SAMPLES, ENHANCED_FRAME, LEGACY_FRAME, SILENT_AAC } from "./silent-aac.ts";

/** Two frames a second: enough to be a stream, too few to cost the bitrate of keyframes. */
const FRAME_INTERVAL_MS = 500;
/** Late filler is made for at most this time, in milliseconds: as much as a target's queue holds. */
const BEHIND_MS_MAX = 5_000;
const AAC_LC = 2;

/** A frame to send at `timeMs` of channel time, in milliseconds. */
export type FillerFrame = {
  readonly kind: "audio" | "video";
  readonly timeMs: number;
  readonly isKeyframe: boolean;
  readonly payload: Buffer;
};

/**
 * Filler for one gap, made from the stream itself: the last frame, twice a second, and silence at the audio's exact
 * frame rate. Each kind only if the stream has it; silence only for AAC-LC, mono and stereo, since other codecs need
 * other bytes.
 */
export class Filler {
  readonly #frames: FillerFrames | undefined;
  readonly #silence: Silence | undefined;
  readonly #startMs: number;
  #videoSent = 0;
  #audioSent = 0;

  /** `audioConfig`: the audio's sequence header; `startMs`: channel time of the first frames. */
  constructor(stock: FillerStock, audioConfig: Buffer | undefined, startMs: number) {
    const { frames } = stock;
    this.#frames = frames === undefined ? undefined : { ...frames, key: withSequenceEnd(frames.key) };
    this.#silence = silenceFor(audioConfig);
    this.#startMs = startMs;
  }

  /** Returns the frames that are due up to `timeMs` of channel time, in order of time. Each is returned once. */
  until(timeMs: number): FillerFrame[] {
    const frames: FillerFrame[] = [];
    this.#skipTo(timeMs - BEHIND_MS_MAX);
    while (this.#frames !== undefined && this.#videoTime() <= timeMs) {
      const { key, following } = this.#frames;
      const isKeyframe = following === undefined || this.#videoSent % 2 === 0;
      const payload = isKeyframe ? key : following;
      frames.push({ kind: "video", timeMs: this.#videoTime(), isKeyframe, payload });
      this.#videoSent += 1;
    }
    while (this.#silence !== undefined && this.#audioTime(this.#silence.sampleRate) <= timeMs) {
      const { payload, sampleRate } = this.#silence;
      frames.push({ kind: "audio", timeMs: this.#audioTime(sampleRate), isKeyframe: false, payload });
      this.#audioSent += 1;
    }
    return frames.sort((left, right) => left.timeMs - right.timeMs);
  }

  /** Returns further silence that ends at `timeMs` of channel time or before. Each frame is returned once. */
  silenceUpTo(timeMs: number): FillerFrame[] {
    const frames: FillerFrame[] = [];
    if (this.#silence === undefined) return frames;
    const { payload, sampleRate } = this.#silence;
    this.#skipTo(timeMs - BEHIND_MS_MAX);
    while (this.#audioTime(sampleRate, 1) <= timeMs) {
      frames.push({ kind: "audio", timeMs: this.#audioTime(sampleRate), isKeyframe: false, payload });
      this.#audioSent += 1;
    }
    return frames;
  }

  /** Whether it has silence: there is audio, of a form that silence is at hand for. */
  get hasSilence(): boolean {
    return this.#silence !== undefined;
  }

  /** Where its last silence ends: channel time, in milliseconds. */
  get audioEndMs(): number {
    return this.#silence === undefined ? this.#startMs : this.#audioTime(this.#silence.sampleRate);
  }

  /** Leaves out frames that were due before `timeMs`: the process stood still. */
  #skipTo(timeMs: number): void {
    const passedMs = timeMs - this.#startMs;
    // In pairs: the second frame must follow its keyframe.
    const video = 2 * Math.ceil(passedMs / FRAME_INTERVAL_MS / 2);
    this.#videoSent = Math.max(this.#videoSent, video);
    if (this.#silence === undefined) return;
    const silences = Math.ceil((passedMs * this.#silence.sampleRate) / (AAC_FRAME_SAMPLES * 1_000));
    this.#audioSent = Math.max(this.#audioSent, silences);
  }

  #videoTime(): number {
    return this.#startMs + this.#videoSent * FRAME_INTERVAL_MS;
  }

  /** When the next frame of silence begins, or the one that is so many frames further. */
  #audioTime(sampleRate: number, further = 0): number {
    return this.#startMs + Math.round(((this.#audioSent + further) * AAC_FRAME_SAMPLES * 1_000) / sampleRate);
  }
}

/** One frame of silence; `sampleRate` in Hz. */
export type Silence = { readonly payload: Buffer; readonly sampleRate: number };

/** Silence in the form of this audio. Undefined where there is no audio, or no silence for its form. */
export function silenceFor(config: Buffer | undefined): Silence | undefined {
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
