/** A step that differs from the elapsed time by more than this is a jump, in milliseconds. */
const JUMP_MS = 2_000;
/** With this many jumps in this time it is not a clock in milliseconds. */
const JUMPS_MAX = 5;
const JUMPS_WITHIN_MS = 10_000;
/** In each window, in milliseconds, only the frame counts that the network delayed least. */
const WINDOW_MS = 1_000;
/** A wrong clock drifts away in each window; data that a network delayed arrives in one burst and catches up. */
const WINDOWS = 4;
const MOVED_MS_MIN = 10;
/** Off by this much and still drifting, in milliseconds: reported; and no longer trusted. */
const REPORTED_MS = 2_000;
const OFF_MS_MAX = 5_000;

/** Compares one track's time with ours. */
class TrackTrust {
  #last: { readonly timestamp: number; readonly nowMs: number } | undefined;
  /** How far the track's time ran ahead of ours since it began or jumped, in milliseconds. */
  #leadMs = 0;
  #windowBeganMs = 0;
  #windowLeadMs = Number.NEGATIVE_INFINITY;
  /** The lead at the end of the last windows, as long as it moves in one direction. */
  #stood: number[] = [];
  #jumpsMs: number[] = [];

  take(timestamp: number, nowMs: number): void {
    const last = this.#last;
    this.#last = { timestamp, nowMs };
    if (last === undefined) return this.#begin(nowMs);
    const stepMs = (timestamp - last.timestamp) | 0;
    const passedMs = nowMs - last.nowMs;
    if (stepMs < -JUMP_MS || stepMs > passedMs + JUMP_MS) {
      this.#jumpsMs = [...this.#jumpsMs.filter((atMs) => nowMs - atMs < JUMPS_WITHIN_MS), nowMs];
      return this.#begin(nowMs);
    }
    this.#leadMs += stepMs - passedMs;
    this.#windowLeadMs = Math.max(this.#windowLeadMs, this.#leadMs);
    if (nowMs - this.#windowBeganMs >= WINDOW_MS) this.#turn(nowMs);
  }

  /** Whether its time cannot be trusted. */
  get isWrong(): boolean {
    return this.#jumpsMs.length >= JUMPS_MAX || this.#isRunningAway(OFF_MS_MAX);
  }

  /** How fast (positive) or slow it is over the last seconds, in millionths; undefined unless it runs away. */
  get ppm(): number | undefined {
    if (!this.#isRunningAway(REPORTED_MS)) return undefined;
    const movedMs = (this.#stood.at(-1) ?? 0) - (this.#stood[0] ?? 0);
    return Math.round((movedMs / (WINDOWS * WINDOW_MS)) * 1_000_000);
  }

  #isRunningAway(beyondMs: number): boolean {
    const stands = this.#stood.at(-1) ?? 0;
    if (this.#stood.length <= WINDOWS || Math.abs(stands) < beyondMs) return false;
    return stands > (this.#stood[0] ?? 0) === stands > 0;
  }

  #begin(nowMs: number): void {
    this.#leadMs = 0;
    this.#windowLeadMs = 0;
    this.#windowBeganMs = nowMs;
    this.#stood = [];
  }

  #turn(nowMs: number): void {
    const before = this.#stood.at(-1) ?? 0;
    const movedMs = this.#windowLeadMs - before;
    const direction = before - (this.#stood.at(-2) ?? before);
    const goesOn = Math.abs(movedMs) >= MOVED_MS_MIN && (direction === 0 || direction > 0 === movedMs > 0);
    this.#stood = goesOn ? [...this.#stood.slice(-WINDOWS), this.#windowLeadMs] : [this.#windowLeadMs];
    this.#windowBeganMs = nowMs;
    this.#windowLeadMs = Number.NEGATIVE_INFINITY;
  }
}

/**
 * Decides whether an encoder's timestamps are milliseconds of real time. Some encoders count microseconds, frames,
 * whole seconds or nothing at all, and some clocks drift away. Audio and video are judged apart but trusted together,
 * so that they stay in step.
 */
export class ClockTrust {
  readonly #audio = new TrackTrust();
  readonly #video = new TrackTrust();
  #isWrong = false;

  /** Takes a frame of a default track. */
  take(kind: "audio" | "video", timestamp: number, nowMs: number): void {
    if (this.#isWrong) return;
    const track = kind === "video" ? this.#video : this.#audio;
    track.take(timestamp, nowMs);
    this.#isWrong = track.isWrong;
  }

  /** Stays true once it is, until another encoder comes. */
  get isWrong(): boolean {
    return this.#isWrong;
  }

  /** How fast (positive) or slow the clock is, in millionths; undefined unless it runs away. */
  get ppm(): number | undefined {
    return this.#video.ppm ?? this.#audio.ppm;
  }
}
