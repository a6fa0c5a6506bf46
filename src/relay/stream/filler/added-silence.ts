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
 * It goes as far as the video does, and at last up to the encoder's first audio. Then it is over for good.
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
    this.#skipTo(timeMs - BEHIND_MAX_MS);
    const frames: SilentFrame[] = [];
    while (this.#timeOf(this.#sent) < timeMs) frames.push(this.#next());
    return frames;
  }

  /**
   * The encoder's first audio is at `timeMs` of channel time. Returns the last frames: those that end then or before,
   * so that less than a frame stays empty. The silence is over.
   */
  stopAt(timeMs: number): readonly SilentFrame[] {
    if (this.#isOver) return [];
    this.#isOver = true;
    const frames: SilentFrame[] = [];
    if (this.#startMs === undefined) return frames;
    this.#skipTo(timeMs - BEHIND_MAX_MS);
    while (this.#timeOf(this.#sent + 1) <= timeMs) frames.push(this.#next());
    return frames;
  }

  #skipTo(timeMs: number): void {
    const from = Math.ceil(((timeMs - (this.#startMs ?? 0)) * SILENCE_FORMAT.sampleRate) / SAMPLES_MS);
    this.#sent = Math.max(this.#sent, from);
  }

  #next(): SilentFrame {
    const timeMs = this.#timeOf(this.#sent);
    this.#sent += 1;
    return { timeMs, payload: FRAME };
  }

  #timeOf(frame: number): number {
    return (this.#startMs ?? 0) + Math.round((frame * SAMPLES_MS) / SILENCE_FORMAT.sampleRate);
  }
}

/** Samples of a frame times milliseconds of a second. */
const SAMPLES_MS = AAC_FRAME_SAMPLES * 1_000;
