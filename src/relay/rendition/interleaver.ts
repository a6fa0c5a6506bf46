import { MessageType } from "../../protocol/rtmp/message.ts";
import type { ClassifiedMessage } from "../stream/classify-message.ts";
import { typeOf } from "../stream/packet.ts";
import type { Unpacked } from "./rendition.ts";

type Frame = Omit<Extract<ClassifiedMessage, { what: "frame" }>, "what">;

/** A frame with its place in channel time. */
export type Interleaved = Unpacked & { readonly kind: "audio" | "video"; readonly arrivalMs: number };

/**
 * Gives a frame its place. Both times in milliseconds: `timeMs` of the channel, `arrivalMs` of the clock's
 * `awakeNow()`.
 */
export function placed(frame: Frame, timeMs: number, arrivalMs: number): Interleaved {
  const { kind, trackId, isKeyframe, startsTrack, isFurther, payload } = frame;
  const track = kind === "video" ? trackId : 0;
  return {
    kind,
    type: typeOf(kind),
    isConfig: false,
    isKeyframe,
    trackId: track,
    startsTrack,
    isFurther,
    payload,
    timeMs,
    arrivalMs,
  };
}

/** Gives timed data its place: among the audio. */
export function timed(payload: Buffer, timeMs: number, arrivalMs: number): Interleaved {
  return {
    kind: "audio",
    type: MessageType.DataAmf0,
    isConfig: false,
    isKeyframe: false,
    trackId: 0,
    startsTrack: false,
    payload,
    timeMs,
    arrivalMs,
  };
}

/** A frame may be this late behind the other kind without a change: about one frame's time. */
const LATE_MS = 50;
/**
 * The longest time for which frames are held back for late ones of the other kind, in milliseconds; later ones are
 * moved up in time.
 */
const HOLD_BACK_MAX_MS = 300;

/**
 * Puts audio and video into one order of time, as platforms require. Most encoders send them so, and then nothing waits
 * here. If one kind is regularly late (its encoder is slower), the other kind waits for it. Giving the late kind a
 * later time instead would put it out of step with the other at every target.
 */
export class Interleaver {
  #holdBackMs = 0;
  #waiting: Interleaved[] = [];
  #lastAudioMs = Number.NEGATIVE_INFINITY;
  #lastVideoMs = Number.NEGATIVE_INFINITY;

  /**
   * Takes a frame; returns the frames that can be sent now, in order. `sentMs`: channel time of the last frame that was
   * sent.
   */
  add(frame: Interleaved, sentMs: number): readonly Interleaved[] {
    const lateMs = sentMs - frame.timeMs;
    if (lateMs > LATE_MS) this.#holdBackMs = Math.min(HOLD_BACK_MAX_MS, Math.max(this.#holdBackMs, lateMs + LATE_MS));
    if (frame.kind === "video") this.#lastVideoMs = frame.timeMs;
    else this.#lastAudioMs = frame.timeMs;
    if (this.#holdBackMs === 0) return [frame];
    // Never before a frame of its own kind: those come in decoding order, whatever their times are.
    const at = this.#waiting.findLastIndex(({ kind, timeMs }) => kind === frame.kind || timeMs <= frame.timeMs) + 1;
    // The payload is only lent until the next bytes arrive, so a waiting frame is copied.
    this.#waiting.splice(at, 0, { ...frame, payload: Buffer.from(frame.payload) });
    return this.#due(frame.arrivalMs);
  }

  /** Whether no frame waits. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Returns everything that waits, in order: the stream ends or changes here. */
  drain(): Interleaved[] {
    this.#lastAudioMs = Number.NEGATIVE_INFINITY;
    this.#lastVideoMs = Number.NEGATIVE_INFINITY;
    return this.#waiting.splice(0);
  }

  /** Returns what waits from the front up to this channel time, in order. */
  takeUpTo(timeMs: number): Interleaved[] {
    const firstBehind = this.#waiting.findIndex((frame) => frame.timeMs > timeMs);
    return this.#waiting.splice(0, firstBehind === -1 ? this.#waiting.length : firstBehind);
  }

  /** A frame is due when nothing earlier can come any more, or when it has waited long enough. */
  #due(nowMs: number): Interleaved[] {
    const reachedMs = Math.min(this.#lastAudioMs, this.#lastVideoMs);
    const isDue = ({ timeMs, arrivalMs }: Interleaved) => timeMs <= reachedMs || nowMs - arrivalMs >= this.#holdBackMs;
    const firstThatWaits = this.#waiting.findIndex((frame) => !isDue(frame));
    return this.#waiting.splice(0, firstThatWaits === -1 ? this.#waiting.length : firstThatWaits);
  }
}
