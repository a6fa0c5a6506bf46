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
/** Audio's timestamps and the length of its frames by their codec agree within this share; 44.1 and 48 kHz do not. */
const AGREE_SHARE = 0.05;
/** A step beyond this, in milliseconds, is a gap in the audio. */
const GAP_MS = 500;

/**
 * A window's highest lead; how far the timestamps went, and how long the frames play by their codec, without gaps. All in
 * milliseconds.
 */
type Window = { readonly leadMs: number; readonly steppedMs: number; readonly playedMs: number };

/** Compares one track's time with ours. */
class TrackTrust {
  /** The last frame, in fields: an object for each frame would be garbage at the rate of the stream. */
  #hasBegun = false;
  #timestamp = 0;
  #arrivalMs = 0;
  /** How far the track's time ran ahead of ours since it began or jumped, in milliseconds. */
  #leadMs = 0;
  #windowBeganMs = 0;
  #windowLeadMs = Number.NEGATIVE_INFINITY;
  #steppedMs = 0;
  #playedMs = 0;
  /** The last windows, as long as their lead moves in one direction. */
  #stood: Window[] = [];
  #jumpsMs: number[] = [];

  /** `frameMs`: how long the frame plays, by its codec; 0 where that is not known. */
  take(timestamp: number, nowMs: number, frameMs = 0): void {
    const stepMs = (timestamp - this.#timestamp) | 0;
    const passedMs = nowMs - this.#arrivalMs;
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    this.#timestamp = timestamp;
    this.#arrivalMs = nowMs;
    if (isFirst) return this.#begin(nowMs);
    if (stepMs < -JUMP_MS || stepMs > passedMs + JUMP_MS) {
      this.#jumpsMs = [...this.#jumpsMs.filter((atMs) => nowMs - atMs < JUMPS_WITHIN_MS), nowMs];
      return this.#begin(nowMs);
    }
    this.#leadMs += stepMs - passedMs;
    if (Math.abs(stepMs) <= GAP_MS) {
      this.#steppedMs += stepMs;
      this.#playedMs += frameMs;
    }
    this.#windowLeadMs = Math.max(this.#windowLeadMs, this.#leadMs);
    if (nowMs - this.#windowBeganMs >= WINDOW_MS) this.#turn(nowMs);
  }

  /** Whether it is no clock in milliseconds. */
  get isJumping(): boolean {
    return this.#jumpsMs.length >= JUMPS_MAX;
  }

  /** Whether it is far from our time, and goes on moving away. */
  get isAway(): boolean {
    return this.#isRunningAway(OFF_MS_MAX);
  }

  /** How far its time ran ahead of ours since it began or jumped, in milliseconds; undefined before its first frame. */
  get leadMs(): number | undefined {
    return this.#hasBegun ? this.#leadMs : undefined;
  }

  /** Whether its timestamps go as far as its frames play, by their codec. */
  get isAsPlayed(): boolean {
    const sum = (field: "steppedMs" | "playedMs") => this.#stood.reduce((total, window) => total + window[field], 0);
    const playedMs = sum("playedMs");
    return playedMs > 0 && Math.abs(sum("steppedMs") - playedMs) <= AGREE_SHARE * playedMs;
  }

  /** How fast (positive) or slow it is over the last seconds, in millionths; undefined unless it runs away. */
  get ppm(): number | undefined {
    if (!this.#isRunningAway(REPORTED_MS)) return undefined;
    const movedMs = (this.#stood.at(-1)?.leadMs ?? 0) - (this.#stood[0]?.leadMs ?? 0);
    return Math.round((movedMs / (WINDOWS * WINDOW_MS)) * 1_000_000);
  }

  #isRunningAway(beyondMs: number): boolean {
    const standsMs = this.#stood.at(-1)?.leadMs ?? 0;
    if (this.#stood.length <= WINDOWS || Math.abs(standsMs) < beyondMs) return false;
    return standsMs > (this.#stood[0]?.leadMs ?? 0) === standsMs > 0;
  }

  #begin(nowMs: number): void {
    this.#leadMs = 0;
    this.#stood = [];
    this.#beginWindow(nowMs);
    this.#windowLeadMs = 0;
  }

  #turn(nowMs: number): void {
    const before = this.#stood.at(-1)?.leadMs ?? 0;
    const movedMs = this.#windowLeadMs - before;
    const direction = before - (this.#stood.at(-2)?.leadMs ?? before);
    const goesOn = Math.abs(movedMs) >= MOVED_MS_MIN && (direction === 0 || direction > 0 === movedMs > 0);
    const window = { leadMs: this.#windowLeadMs, steppedMs: this.#steppedMs, playedMs: this.#playedMs };
    this.#stood = goesOn ? [...this.#stood.slice(-WINDOWS), window] : [window];
    this.#beginWindow(nowMs);
  }

  #beginWindow(nowMs: number): void {
    this.#windowBeganMs = nowMs;
    this.#windowLeadMs = Number.NEGATIVE_INFINITY;
    this.#steppedMs = 0;
    this.#playedMs = 0;
  }
}

/**
 * Decides whether an encoder's timestamps are milliseconds of real time. Some encoders count microseconds, frames,
 * whole seconds or nothing at all, and some clocks drift away. Audio and video are judged apart but trusted together,
 * so that they stay in step.
 *
 * Media may also come faster or slower than real time with good timestamps: a network that cannot keep up, an encoder
 * that sends what it has kept, a file. Audio shows which it is: its codec says how long each frame plays.
 */
export class ClockTrust {
  readonly #audio = new TrackTrust();
  readonly #video = new TrackTrust();
  #isWrong = false;

  /** Takes a frame of a default track. `frameMs`: how long a frame of audio plays, by its codec; 0: not known. */
  take(kind: "audio" | "video", timestamp: number, nowMs: number, frameMs = 0): void {
    if (this.#isWrong) return;
    const track = kind === "video" ? this.#video : this.#audio;
    track.take(timestamp, nowMs, frameMs);
    this.#isWrong = track.isJumping || (track.isAway && !this.#isAsPlayed);
  }

  /** Stays true once it is, until another encoder comes. */
  get isWrong(): boolean {
    return this.#isWrong;
  }

  /** How fast (positive) or slow the clock is, in millionths; undefined unless it runs away. */
  get ppm(): number | undefined {
    return this.#video.ppm ?? this.#audio.ppm;
  }

  /** Whether the audio's timestamps are as long as it plays, and the video goes with it. */
  get #isAsPlayed(): boolean {
    const { leadMs: audioMs = 0, isAsPlayed } = this.#audio;
    return isAsPlayed && Math.abs((this.#video.leadMs ?? audioMs) - audioMs) <= JUMP_MS;
  }
}
