/** At this time of the clip, in milliseconds, the encoder's clock is set by this many milliseconds. */
export type TimeJump = { readonly atMs: number; readonly byMs: number };

/** How the encoder's clock differs from the clip's. */
export type EncoderTime = {
  /** The timestamp of the clip's beginning, in milliseconds; default 0. */
  readonly startMs?: number;
  readonly jumps?: readonly TimeJump[];
  /** How much later video timestamps are than audio timestamps (below 0: earlier); default 0. */
  readonly videoSkewMs?: number;
};

const WRAP_MS = 2 ** 32;

/** The timestamp to send. Like every RTMP timestamp it wraps at 2³² ms. `clipMs`: the time in the clip. */
export function encoderTimestamp(time: EncoderTime, clipMs: number, isVideo: boolean): number {
  let stampMs = clipMs + (time.startMs ?? 0) + (isVideo ? (time.videoSkewMs ?? 0) : 0);
  for (const { atMs, byMs } of time.jumps ?? []) if (clipMs >= atMs) stampMs += byMs;
  return ((Math.round(stampMs) % WRAP_MS) + WRAP_MS) % WRAP_MS;
}
