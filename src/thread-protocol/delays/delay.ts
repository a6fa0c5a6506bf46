/** The longest delay of a target, in seconds. */
export const DELAY_SECONDS_MAX = 900;

/**
 * Why a target's stream can be delayed no further. `disk-full`: it has no room for more; `disk-slow`: it takes less than
 * comes; `disk-failed`: it gave an error, or lost what it had.
 */
export type DelayProblem = "disk-full" | "disk-slow" | "disk-failed";

/**
 * `FILLING`: the target gets nothing before its delay is over. `DELAYED`: it gets the stream that much later. `LIVE`: a
 * person cut the delay. `DRAINING`: the broadcast is over, and it still gets the rest.
 */
export const DELAY_STATES = ["FILLING", "DELAYED", "LIVE", "DRAINING"] as const;
type DelayState = (typeof DELAY_STATES)[number];

/** What waits of a delayed target's stream. */
export type DelaySample = {
  readonly state: DelayState;
  /** How much later than the stream the target is, in milliseconds. */
  readonly delayMs: number;
  /** How much of the stream waits, in milliseconds. */
  readonly bufferedMs: number;
  /** Bytes that wait, on the disk too. */
  readonly bufferedBytes: number;
  /** Bytes of them that are not in memory. */
  readonly diskBytes: number;
  /** Why no more of the stream is taken; absent: nothing is wrong. */
  readonly problem?: DelayProblem;
};
