import type { AudioTrack } from "../track.ts";
import type { AudioFormat } from "./audio-format.ts";

/** The largest frame of any codec: ADTS and LOAS have thirteen bits for it, Opus 64 KiB. */
const FRAME_BYTES_MAX = 65_536;
/** A packet's time within this of the samples' own clock does not correct that: 90 kHz. */
const JITTER_MAX = 900;
const NOTHING: Buffer = Buffer.alloc(0);

/** Takes a configuration or a frame with its time: unwrapped, in 90 kHz. */
export interface TimedAudio {
  config(body: Buffer, time: number): void;
  frame(bytes: Buffer, from: number, end: number, time: number): void;
}

/**
 * Cuts the data of PES packets into audio frames. A packet usually holds several, and the last one may continue in the
 * next packet. Frames have the time of their packet's start plus the length of those before them.
 */
export class FramedAudio implements AudioTrack {
  readonly #format: AudioFormat;
  readonly #out: TimedAudio;
  #rest = NOTHING;
  /** Of the next frame; undefined until a packet has said. */
  #time: number | undefined;

  constructor(format: AudioFormat, out: TimedAudio) {
    this.#format = format;
    this.#out = out;
  }

  /** Takes a PES packet's data; `pts` is unwrapped, in 90 kHz. */
  take(bytes: Buffer, from: number, end: number, pts: number | undefined): void {
    const kept = this.#rest.length;
    const all = kept === 0 ? bytes : Buffer.concat([this.#rest, bytes.subarray(from, end)]);
    let at = kept === 0 ? from : 0;
    const ownFrom = at + kept;
    const limit = kept === 0 ? end : all.length;
    let isAnchored = pts === undefined;
    while (at < limit) {
      // The packet's time is that of the first frame that begins in it.
      if (!isAnchored && at >= ownFrom) {
        this.#anchor(pts ?? 0);
        isAnchored = true;
      }
      const size = this.#format.frameBytes(all, at, limit);
      if (size === 0) break;
      if (size < 0) {
        at += 1;
        continue;
      }
      if (this.#time !== undefined) this.#format.read(all, at, at + size, this);
      at += size;
    }
    if (!isAnchored && pts !== undefined) this.#anchor(pts);
    this.#rest = at >= limit || limit - at > FRAME_BYTES_MAX ? NOTHING : Buffer.from(all.subarray(at, limit));
  }

  /** Something of the stream was lost. */
  damaged(): void {
    this.#rest = NOTHING;
    this.#time = undefined;
  }

  config(body: Buffer): void {
    this.#out.config(body, this.#time ?? 0);
  }

  frame(bytes: Buffer, from: number, end: number, duration: number): void {
    if (this.#time === undefined) return;
    this.#out.frame(bytes, from, end, this.#time);
    this.#time += duration;
  }

  #anchor(pts: number): void {
    if (this.#time === undefined || Math.abs(this.#time - pts) > JITTER_MAX) this.#time = pts;
  }
}
