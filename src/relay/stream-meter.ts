import type { StreamMeasures } from "../exchange/samples.ts";
import { DriftMeter } from "./drift-meter.ts";
import { EncoderClock } from "./encoder-clock.ts";
import { PictureMeter } from "./picture-meter.ts";
import { RateMeter } from "./rate-meter.ts";

/** A frame of a default track, as far as it is measured. */
export type MeasuredFrame = {
  readonly kind: "audio" | "video";
  readonly bytes: number;
  /** By the encoder's clock, in milliseconds, 32 bits. */
  readonly timestamp: number;
  readonly compositionTimeMs: number;
  readonly isKeyframe: boolean;
};

/** Measures an encoder's default tracks, for the ingest check. A few numbers a frame, whatever the stream. */
export class StreamMeter {
  readonly #rates = { audio: new RateMeter(), video: new RateMeter() };
  readonly #clocks = { audio: new EncoderClock(), video: new EncoderClock() };
  readonly #pictures = new PictureMeter();
  readonly #drifts = { audio: new DriftMeter(), video: new DriftMeter() };
  #hasPictures = false;

  take({ kind, bytes, timestamp, compositionTimeMs, isKeyframe }: MeasuredFrame, nowMs: number): void {
    this.#rates[kind].add(bytes);
    const stepMs = this.#clocks[kind].step(timestamp, nowMs);
    this.#drifts[kind].take(stepMs, nowMs);
    if (kind === "audio") return;
    this.#hasPictures = true;
    this.#pictures.take(stepMs, compositionTimeMs, isKeyframe, nowMs);
  }

  /** Call once a second. */
  tick(nowMs: number): void {
    this.#rates.audio.tick(nowMs);
    this.#rates.video.tick(nowMs);
  }

  get measures(): StreamMeasures {
    const videoBytesPerSecond = this.#rates.video.bytesPerSecond;
    const audioBytesPerSecond = this.#rates.audio.bytesPerSecond;
    const gapMs = this.#pictures.longestKeyframeGapMs;
    const clockDriftPpm = this.#drifts[this.#hasPictures ? "video" : "audio"].ppm;
    return {
      ...(videoBytesPerSecond === undefined ? {} : { videoBytesPerSecond }),
      ...(audioBytesPerSecond === undefined ? {} : { audioBytesPerSecond }),
      ...(gapMs === undefined ? {} : { longestKeyframeSeconds: gapMs / 1_000 }),
      ...(this.#hasPictures ? { bFrames: this.#pictures.bFrames } : {}),
      ...(clockDriftPpm === undefined ? {} : { clockDriftPpm }),
    };
  }
}
