/** A step that the time that passed does not explain by more than this is a jump, in milliseconds. */
const JUMP_MS = 2_000;
/** So many jumps within so long, and it is no clock in milliseconds. */
const JUMPS_MAX = 5;
const JUMPS_WITHIN_MS = 10_000;
/** Of each of these the frame counts that was under way for the shortest time. */
const WINDOW_MS = 1_000;
/** A clock that runs away does so in window after window; what a network held up comes in one go, and catches up. */
const WINDOWS = 4;
const MOVED_MS_MIN = 10;
/** So far off and still running away: told of; and no longer gone by. */
const TOLD_MS = 2_000;
const OFF_MS_MAX = 5_000;

/** One track's time against ours. */
class TrackTrust {
  #last: { readonly timestamp: number; readonly nowMs: number } | undefined;
  /** How far the track's time ran ahead of ours since it began, or jumped. */
  #leadMs = 0;
  #windowBeganMs = 0;
  #windowLeadMs = Number.NEGATIVE_INFINITY;
  /** Where the last windows stood; the moves from one to the next have one sign. */
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

  /** Whether its time cannot be gone by. */
  get isWrong(): boolean {
    return this.#jumpsMs.length >= JUMPS_MAX || this.#isRunningAway(OFF_MS_MAX);
  }

  /** Millionths that it is fast, or slow, where it runs away; of the last seconds. */
  get ppm(): number | undefined {
    if (!this.#isRunningAway(TOLD_MS)) return undefined;
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
 * Whether an encoder's timestamps are milliseconds of real time: some count microseconds, pictures or whole seconds, or nothing at all, and some
 * run away. Sound and pictures are judged apart and trusted together: they are to stay in step.
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

  /** Once it is, it stays so: until another encoder comes. */
  get isWrong(): boolean {
    return this.#isWrong;
  }

  get ppm(): number | undefined {
    return this.#video.ppm ?? this.#audio.ppm;
  }
}
