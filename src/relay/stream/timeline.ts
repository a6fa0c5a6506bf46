import { ArrivalClock } from "./arrival-clock.ts";
import { ClockTrust } from "./clock-trust.ts";

/** A step of the encoder's clock that differs from the elapsed time by more than this is a jump, in milliseconds. */
const JUMP_MS = 2_000;
/** The step assumed across a jump, in milliseconds: about one frame. */
const NOMINAL_STEP_MS = 20;

/**
 * The least step between one encoder's last frame and the next one's first, in milliseconds: a frame of a slow stream.
 */
const SOURCE_STEP_MS = 40;

const WRAP = 2 ** 32;
/** Encoders without extended timestamps begin again at 0 here, after 4 hours and 40 minutes. */
const WRAP_24 = 2 ** 24;

/** Which clock a message counts by: audio and video may start, and jump, apart. */
export type TimelineKind = "audio" | "video";

type Track = {
  /** The encoder's last timestamp, unwrapped. */
  lastIn: number;
  lastArrivalMs: number;
  /** Channel time = unwrapped encoder time + offset, in milliseconds. */
  offset: number;
};

/**
 * Turns an encoder's timestamps (32-bit, wrapping, with any start, sometimes jumping) into channel time: milliseconds
 * from 0 that never go back, over audio and video together, as platforms require.
 *
 * Audio and video share one offset as long as they share a clock, so that they stay in sync. A track that jumps first
 * tries the other's offset (both jumped) before it gets one of its own, anchored to the moment of its arrival.
 */
export class Timeline {
  #audio: Track | undefined;
  #video: Track | undefined;
  #lastOut = 0;
  #hasBegun = false;
  #lastArrivalMs = 0;
  /** Channel time of the last frame, by its own clock, in milliseconds. */
  #lastMapped = 0;
  /**
   * Presentation must not step back either: with B-frames it reaches beyond the last decoding time. In milliseconds.
   */
  #floorMs = 0;
  #trust = new ClockTrust();
  /** Used instead of the encoder's own clock once that is known to be wrong. */
  #byArrival: ArrivalClock | undefined;
  /** The next message is the first of an encoder: its clock is not known yet. */
  #isNewPublisher = true;

  /** Channel time of the last message, in milliseconds. */
  get lastMs(): number {
    return this.#lastOut;
  }

  /**
   * Another encoder takes over: its first message continues in step with the wall clock, and not before `floorMs` of
   * channel time.
   */
  changePublisher(floorMs = 0): void {
    this.#isNewPublisher = true;
    this.#floorMs = floorMs;
    this.#trust = new ClockTrust();
    this.#byArrival = undefined;
    this.#audio = undefined;
    this.#video = undefined;
  }

  /** Forgets the clock of this kind: it continues in step with the other kind. */
  forgetClock(kind: TimelineKind): void {
    if (kind === "video") this.#video = undefined;
    else this.#audio = undefined;
  }

  /** The present channel time by the wall clock, counted from the last frame, and after everything that was sent. */
  presentMs(nowMs: number): number {
    if (!this.#hasBegun) return 0;
    return Math.max(this.#lastOut + SOURCE_STEP_MS, Math.round(this.#lastMapped + nowMs - this.#lastArrivalMs));
  }

  /** Channel time of timed data: by a track's clock, but between the last frame that was sent and the next one. */
  near(timestamp: number): number {
    const timeMs = this.expected("audio", timestamp) ?? this.expected("video", timestamp) ?? this.#lastOut;
    return Math.min(Math.max(timeMs, this.#lastOut), this.#lastOut + NOMINAL_STEP_MS);
  }

  /** What `map` would return by the clock of this kind; undefined if that clock is not known. Changes nothing. */
  expected(kind: TimelineKind, timestamp: number): number | undefined {
    if (this.#byArrival !== undefined) return this.#lastOut;
    const track = this.#track(kind);
    return track === undefined ? undefined : unwrap(timestamp, track.lastIn) + track.offset;
  }

  /**
   * The channel time of a message with this timestamp, which arrived now (monotonic milliseconds). It may lie before
   * what was sent; `send` corrects that. `frameMs`: how long a frame of audio plays, by its codec; 0: not known.
   */
  map(kind: TimelineKind, timestamp: number, nowMs: number, frameMs = 0): number {
    const mapped = this.#byArrival?.map(kind, nowMs) ?? this.#mapOwn(kind, timestamp, nowMs, frameMs);
    this.#hasBegun = true;
    this.#lastArrivalMs = nowMs;
    this.#lastMapped = mapped;
    return mapped;
  }

  #mapOwn(kind: TimelineKind, timestamp: number, nowMs: number, frameMs: number): number {
    this.#trust.take(kind, timestamp, nowMs, frameMs);
    if (this.#trust.isWrong) {
      // Channel time continues from where it is, even if that is far from the elapsed time.
      this.#byArrival = new ArrivalClock(this.#lastOut + NOMINAL_STEP_MS, nowMs);
      return this.#byArrival.map(kind, nowMs);
    }
    const track = this.#track(kind);
    return track === undefined ? this.#begin(kind, timestamp, nowMs) : this.#continue(kind, track, timestamp, nowMs);
  }

  /** Returns the channel time with which a message of this mapped time is sent: never before the last one. */
  send(mappedMs: number): number {
    this.#lastOut = Math.max(this.#lastOut, mappedMs);
    return this.#lastOut;
  }

  #begin(kind: TimelineKind, timestamp: number, nowMs: number): number {
    const other = this.#other(kind);
    const unwrapped = other === undefined ? timestamp : unwrap(timestamp, other.lastIn);
    let offset: number;
    if (this.#isNewPublisher) {
      offset = Math.max(this.presentMs(nowMs), this.#floorMs) - unwrapped;
      this.#isNewPublisher = false;
    } else {
      offset = this.#fittingOffset(unwrapped, other, nowMs);
    }
    const track = { lastIn: unwrapped, lastArrivalMs: nowMs, offset };
    if (kind === "video") this.#video = track;
    else this.#audio = track;
    return unwrapped + offset;
  }

  #continue(kind: TimelineKind, track: Track, timestamp: number, nowMs: number): number {
    const unwrapped = unwrap(timestamp, track.lastIn);
    const step = unwrapped - track.lastIn;
    const waitedMs = nowMs - track.lastArrivalMs;
    const goesOn = (byMs: number) => byMs >= -JUMP_MS && byMs <= waitedMs + JUMP_MS;
    if (!goesOn(step)) {
      const turn = [WRAP_24, -WRAP_24].find((each) => goesOn(step + each));
      if (turn === undefined) track.offset = this.#fittingOffset(unwrapped, this.#other(kind), nowMs);
      else track.offset += turn;
    }
    track.lastIn = unwrapped;
    track.lastArrivalMs = nowMs;
    return unwrapped + track.offset;
  }

  /**
   * The other track's offset if it fits this time; else one that places the message as long after the last message as
   * it arrived.
   */
  #fittingOffset(unwrapped: number, other: Track | undefined, nowMs: number): number {
    const waitedMs = this.#hasBegun ? nowMs - this.#lastArrivalMs : 0;
    const localMs = this.#lastOut + Math.max(NOMINAL_STEP_MS, Math.round(waitedMs));
    if (other !== undefined && Math.abs(unwrapped + other.offset - localMs) <= JUMP_MS) return other.offset;
    return localMs - unwrapped;
  }

  #track(kind: TimelineKind): Track | undefined {
    return kind === "video" ? this.#video : this.#audio;
  }

  #other(kind: TimelineKind): Track | undefined {
    return kind === "video" ? this.#audio : this.#video;
  }
}

/** The number nearest to `near` that is `timestamp` modulo 2³². */
function unwrap(timestamp: number, near: number): number {
  const difference = (timestamp - near) % WRAP;
  const folded = difference > WRAP / 2 ? difference - WRAP : difference < -WRAP / 2 ? difference + WRAP : difference;
  return near + folded;
}
