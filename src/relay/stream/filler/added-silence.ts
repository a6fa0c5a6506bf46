import { AAC_FRAME_SAMPLES, LEGACY_FRAME, SILENT_AAC } from "./silent-aac.ts";

/** AAC-LC, 48 kHz, stereo: what every platform takes. A sequence header, as an FLV tag's body. */
export const SILENCE_CONFIG: Buffer = Buffer.from("af001190", "hex");
/** The same in the words of metadata. */
export const SILENCE_FORMAT = { codecId: 10, sampleRate: 48_000, sampleBits: 16, channels: 2 } as const;

const FRAME: Buffer = Buffer.concat([LEGACY_FRAME, SILENT_AAC.get(SILENCE_FORMAT.channels) ?? Buffer.alloc(0)]);
/** Longer stretches without video are left out: a target would get them in one burst. In milliseconds. */
const BEHIND_MAX_MS = 5_000;

/** A frame of silence, at `timeMs` of channel time. */
export type SilentFrame = { readonly timeMs: number; readonly payload: Buffer };

/**
 * Silence for a stream without audio, at AAC's exact frame rate: frame n begins n × 1,024 samples after the first one.
 * It goes as far as the video does. It ends for good when the encoder sends audio.
 */
export class AddedSilence {
  #startMs: number | undefined;
  #sent = 0;
  #isOver = false;

  /** Whether it still goes on. */
  get isRunning(): boolean {
    return !this.#isOver;
  }

  /** Where its last frame ends: channel time, in milliseconds. */
  get endMs(): number {
    return this.#startMs === undefined ? 0 : this.#timeOf(this.#sent);
  }

  /**
   * Returns the frames that begin before `timeMs` of channel time. Each is returned once. The first call sets where they
   * begin: with the first video frame, so after it in the order of messages.
   */
  before(timeMs: number): readonly SilentFrame[] {
    if (this.#isOver) return [];
    this.#startMs ??= timeMs;
    const from = Math.ceil(((timeMs - BEHIND_MAX_MS - this.#startMs) * SILENCE_FORMAT.sampleRate) / SAMPLES_MS);
    this.#sent = Math.max(this.#sent, from);
    const frames: SilentFrame[] = [];
    for (let frameMs = this.#timeOf(this.#sent); frameMs < timeMs; frameMs = this.#timeOf(this.#sent)) {
      frames.push({ timeMs: frameMs, payload: FRAME });
      this.#sent += 1;
    }
    return frames;
  }

  /** The encoder sends audio. */
  stop(): void {
    this.#isOver = true;
  }

  #timeOf(frame: number): number {
    return (this.#startMs ?? 0) + Math.round((frame * SAMPLES_MS) / SILENCE_FORMAT.sampleRate);
  }
}

/** Samples of a frame times milliseconds of a second. */
const SAMPLES_MS = AAC_FRAME_SAMPLES * 1_000;
