import type { FlvTag } from "../flv-tag.ts";
import { AAC_SAMPLE_RATES, parseAudioSpecificConfig } from "./aac-config.ts";
import { classifyAudio } from "./audio-tag.ts";

const SAMPLES = 1_024;
const LOW_COMPLEXITY = 2;
/** AAC-LC, alone and with SBR or PS: other kinds have other numbers of samples in a frame. */
const OF_1024_SAMPLES: readonly number[] = [LOW_COMPLEXITY, 5, 29];
/**
 * So many frames show their sample rate by their times: a second. Two such stretches in a row must show the same one: where the times of
 * a source begin anew, FFmpeg sends frames 1 ms apart, and a stretch of both kinds may look like any rate.
 */
const FRAMES = 50;
/** How exactly, as a share of the rate. The nearest two rates differ by a twelfth. */
const EXACT = 0.02;
/** A step of so many frames is a gap. */
const GAP_FRAMES = 4;
/** So many frames in a row have another number of channels. */
const OTHER_CHANNELS = 10;
/** The first element of a frame: one channel, and two (ISO/IEC 14496-3, table 4.85). */
const ELEMENTS: Readonly<Record<number, number>> = { 1: 0, 2: 1 };

type Form = { readonly rate: number; readonly element: number | undefined };

/**
 * Notices AAC that goes on with another sample rate, or in mono in place of stereo, than its header says. In a transport stream each frame
 * has a header of its own. FFmpeg takes them off and writes the first alone, so that decoders play what follows a joint too high or too low.
 */
export class AacMisfit {
  #form: Form | undefined;
  /** Frames in a row whose first element is not that of the header. */
  #otherElements = 0;
  /** Frames since `#fromMs`, without a gap. */
  #frames = 0;
  #fromMs = 0;
  #lastMs = 0;
  /** The other rate that the stretch before showed. */
  #otherRate: number | undefined;

  /** Takes every tag of audio. Returns whether the last frames do not fit the header. */
  isAfter({ timestamp, payload }: Pick<FlvTag, "timestamp" | "payload">): boolean {
    const { codec, part, bodyOffset, bodyEnd } = classifyAudio(payload);
    if (codec !== "aac") return false;
    if (part === "config") this.#begin(payload.subarray(bodyOffset, bodyEnd));
    if (part !== "frame" || this.#form === undefined) return false;
    const { rate, element } = this.#form;
    const first = (payload[bodyOffset] ?? 0) >> 5;
    const isOther = element !== undefined && first !== element && Object.values(ELEMENTS).includes(first);
    this.#otherElements = isOther ? this.#otherElements + 1 : 0;
    return this.#otherElements >= OTHER_CHANNELS || this.#hasOtherRate(timestamp, rate);
  }

  #begin(config: Buffer): void {
    const parsed = parseAudioSpecificConfig(config);
    this.#frames = 0;
    this.#otherRate = undefined;
    this.#otherElements = 0;
    if (parsed === undefined || !OF_1024_SAMPLES.includes(parsed.objectType)) this.#form = undefined;
    else {
      const element = parsed.objectType === LOW_COMPLEXITY ? ELEMENTS[parsed.channels] : undefined;
      this.#form = { rate: parsed.coreSampleRate, element };
    }
  }

  #hasOtherRate(timestamp: number, rate: number): boolean {
    const stepMs = timestamp - this.#lastMs;
    this.#lastMs = timestamp;
    if (this.#frames === 0 || stepMs < 0 || stepMs > (GAP_FRAMES * SAMPLES * 1_000) / rate) {
      this.#frames = 1;
      this.#fromMs = timestamp;
      this.#otherRate = undefined;
      return false;
    }
    this.#frames += 1;
    if (this.#frames <= FRAMES) return false;
    const played = (FRAMES * SAMPLES * 1_000) / (timestamp - this.#fromMs);
    this.#frames = 1;
    this.#fromMs = timestamp;
    const isNear = (each: number) => Math.abs(played - each) <= EXACT * each;
    const before = this.#otherRate;
    this.#otherRate = isNear(rate) ? undefined : AAC_SAMPLE_RATES.find(isNear);
    return this.#otherRate !== undefined && this.#otherRate === before;
  }
}
