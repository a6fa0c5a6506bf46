import type { StreamMeasures } from "../../thread-protocol/samples.ts";
import { ClockTrust } from "../stream/clock-trust.ts";
import { RateMeter } from "../stream/rate-meter.ts";
import { DriftMeter } from "./drift-meter.ts";
import { EncoderClock } from "./encoder-clock.ts";
import { VideoMeter } from "./video-meter.ts";

/** A frame of a default track, as far as it is measured. */
export type MeasuredFrame = {
  readonly kind: "audio" | "video";
  readonly bytes: number;
  /** By the encoder's clock, in milliseconds, 32 bits. */
  readonly timestamp: number;
  readonly compositionTimeMs: number;
  readonly isKeyframe: boolean;
  /** It continues the frame of the message before. */
  readonly isFurther?: boolean;
  /** Of audio: how long it plays, by its codec, in milliseconds; 0 or absent: not known. */
  readonly frameMs?: number;
};

/** Longer than any sensible encoder's keyframe interval, in milliseconds; a shorter one is not reported. */
const KEYFRAME_MISSED_MS = 8_000;

/**
 * Rates are means over this many seconds: more than a keyframe interval, so that keyframes do not make them rise and
 * fall.
 */
const RATE_SECONDS = 10;

/** Measures an encoder's default tracks for the ingest check: a few numbers for each frame, whatever the stream. */
export class StreamMeter {
  readonly #audio = newTrackMeter();
  readonly #video = newTrackMeter();
  readonly #keyframes = new VideoMeter();
  readonly #trust = new ClockTrust();
  #hasVideo = false;

  take(frame: MeasuredFrame, nowMs: number): void {
    const { kind, bytes, timestamp, compositionTimeMs, isKeyframe, frameMs = 0 } = frame;
    const { rate, clock, drift } = kind === "video" ? this.#video : this.#audio;
    rate.add(bytes);
    this.#trust.take(kind, timestamp, nowMs, frameMs);
    if (frame.isFurther === true) return;
    const stepMs = clock.step(timestamp, nowMs);
    drift.take(stepMs, nowMs);
    if (kind === "audio") return;
    this.#hasVideo = true;
    this.#keyframes.take(stepMs, compositionTimeMs, isKeyframe, nowMs);
  }

  /** Call once a second. */
  tick(nowMs: number): void {
    this.#audio.rate.tick(nowMs);
    this.#video.rate.tick(nowMs);
  }

  /** Between the last two keyframes, by the encoder's clock, in milliseconds; undefined before the second one. */
  get keyframeIntervalMs(): number | undefined {
    return this.#keyframes.intervalMs;
  }

  get measures(): StreamMeasures {
    const videoBytesPerSecond = this.#video.rate.bytesPerSecond;
    const audioBytesPerSecond = this.#audio.rate.bytesPerSecond;
    const gapMs = this.#keyframes.longestKeyframeGapMs;
    const { withoutKeyframeMs, hasKeyframe } = this.#keyframes;
    const clockDriftPpm = (this.#hasVideo ? this.#video : this.#audio).drift.ppm ?? this.#trust.ppm;
    return {
      ...(videoBytesPerSecond === undefined ? {} : { videoBytesPerSecond }),
      ...(audioBytesPerSecond === undefined ? {} : { audioBytesPerSecond }),
      ...(gapMs === undefined ? {} : { longestKeyframeSeconds: gapMs / 1_000 }),
      ...(this.#hasVideo ? { bFrames: this.#keyframes.bFrames } : {}),
      ...(withoutKeyframeMs === undefined || (hasKeyframe && withoutKeyframeMs < KEYFRAME_MISSED_MS)
        ? {}
        : { secondsWithoutKeyframe: withoutKeyframeMs / 1_000, hasKeyframe }),
      ...(clockDriftPpm === undefined ? {} : { clockDriftPpm }),
      ...(this.#trust.isWrong ? { isClockWrong: true } : {}),
    };
  }
}

function newTrackMeter() {
  return { rate: new RateMeter(RATE_SECONDS), clock: new EncoderClock(), drift: new DriftMeter() };
}
