import { type FillerFrame, type Silence, silenceFor } from "../filler/filler.ts";
import { AAC_FRAME_SAMPLES } from "../filler/silent-aac.ts";
import type { Slate } from "./slate.ts";

/** A slate that is late is shown from its next round on, in milliseconds: as much as a target's queue holds. */
const BEHIND_MS_MAX = 5_000;

/**
 * A slate while it is shown in place of the default tracks, in rounds. Without audio of its own it has silence at the audio's
 * exact frame rate.
 */
export class SlateRun {
  readonly #slate: Slate;
  readonly #silence: Silence | undefined;
  /** Channel time of the first round, in milliseconds. */
  #startMs: number;
  #round = 0;
  #next = 0;
  #silencesSent = 0;

  /** `audioConfig`: the stream's own audio header; `startMs`: channel time of the first frame. */
  constructor(slate: Slate, audioConfig: Buffer | undefined, startMs: number) {
    this.#slate = slate;
    this.#silence = slate.head.codecs("audio").size === 0 ? silenceFor(audioConfig) : undefined;
    this.#startMs = startMs;
  }

  /** Returns the frames that are due up to `timeMs` of channel time, in order of time. Each is returned once. */
  until(timeMs: number): FillerFrame[] {
    this.#skipTo(timeMs - BEHIND_MS_MAX);
    const { frames, lengthMs } = this.#slate;
    const due: FillerFrame[] = [];
    for (;;) {
      const frame = frames[this.#next];
      if (frame === undefined) break;
      const atMs = this.#startMs + this.#round * lengthMs + frame.timeMs;
      if (atMs > timeMs) break;
      due.push({ ...frame, timeMs: atMs });
      this.#next += 1;
      if (this.#next < frames.length) continue;
      this.#next = 0;
      this.#round += 1;
    }
    if (this.#silence === undefined) return due;
    const { payload, sampleRate } = this.#silence;
    for (; this.#silenceMs(sampleRate) <= timeMs; this.#silencesSent += 1)
      due.push({ kind: "audio", timeMs: this.#silenceMs(sampleRate), isKeyframe: false, payload });
    return due.sort((left, right) => left.timeMs - right.timeMs);
  }

  /** The process stood still: begins a new round, so that the first frame is a keyframe. */
  #skipTo(timeMs: number): void {
    const endMs = this.#startMs + (this.#round + 1) * this.#slate.lengthMs;
    if (endMs > timeMs) return;
    this.#startMs = timeMs;
    this.#round = 0;
    this.#next = 0;
    this.#silencesSent = 0;
  }

  #silenceMs(sampleRate: number): number {
    return this.#startMs + Math.round((this.#silencesSent * AAC_FRAME_SAMPLES * 1_000) / sampleRate);
  }
}
