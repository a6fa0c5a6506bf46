import { parseAudioSpecificConfig } from "../../../protocol/flv/audio/aac-config.ts";
import { classifyAudio } from "../../../protocol/flv/audio/audio-tag.ts";
import type { FillerStock, Pictures } from "./filler-stock.ts";

/** Two pictures a second: enough to be a stream, too few to cost a keyframe's bitrate. */
const PICTURE_INTERVAL_MS = 500;
/** So much filler is made up for at most, in milliseconds: as much as a target's queue holds. */
const BEHIND_MS_MAX = 5_000;
const AAC_FRAME_SAMPLES = 1_024;
const AAC_LC = 2;

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
    this.#pictures = copied(stock.pictures);
    this.#silence = silenceFor(audioConfig);
    this.#startMs = startMs;
  }

  /** The frames due up to this moment of channel time that were not given before, in order of time. */
  until(timeMs: number): FillerFrame[] {
    const frames: FillerFrame[] = [];
    this.#skipTo(timeMs - BEHIND_MS_MAX);
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

  /** What was due before is left out: the process stood still. */
  #skipTo(timeMs: number): void {
    const passedMs = timeMs - this.#startMs;
    // In pairs: what follows the keyframe is shown behind that alone.
    const pictures = 2 * Math.ceil(passedMs / PICTURE_INTERVAL_MS / 2);
    this.#picturesSent = Math.max(this.#picturesSent, pictures);
    if (this.#silence === undefined) return;
    const silences = Math.ceil((passedMs * this.#silence.sampleRate) / (AAC_FRAME_SAMPLES * 1_000));
    this.#silencesSent = Math.max(this.#silencesSent, silences);
  }

  #pictureTime(): number {
    return this.#startMs + this.#picturesSent * PICTURE_INTERVAL_MS;
  }

  #silenceTime(sampleRate: number): number {
    return this.#startMs + Math.round((this.#silencesSent * AAC_FRAME_SAMPLES * 1_000) / sampleRate);
  }
}

/** The stock goes on with the stream while the gap's last filler still waits. */
function copied(pictures: Pictures | undefined): Pictures | undefined {
  if (pictures === undefined) return undefined;
  const { key, following } = pictures;
  return { key: Buffer.from(key), following: following === undefined ? undefined : Buffer.from(following) };
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
