/** From this moment of the clip on (milliseconds) the encoder's clock is another one, by so many milliseconds. */
export type TimeJump = { readonly atMs: number; readonly byMs: number };

/** How the encoder's clock differs from the clip's. */
export type EncoderTime = {
  /** Timestamp of the clip's beginning; 0 unless told. */
  readonly startMs?: number;
  readonly jumps?: readonly TimeJump[];
  /** How much later (earlier, below 0) video is stamped than audio; default 0. */
  readonly videoSkewMs?: number;
};

const WRAP_MS = 2 ** 32;

/** The timestamp that is sent: as all of RTMP's, it wraps at 2³² ms. `clipMs`: time in the clip. */
export function encoderTimestamp(time: EncoderTime, clipMs: number, isVideo: boolean): number {
  let stampMs = clipMs + (time.startMs ?? 0) + (isVideo ? (time.videoSkewMs ?? 0) : 0);
  for (const { atMs, byMs } of time.jumps ?? []) if (clipMs >= atMs) stampMs += byMs;
  return ((Math.round(stampMs) % WRAP_MS) + WRAP_MS) % WRAP_MS;
}
