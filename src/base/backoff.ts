type BackoffOptions = {
  /** Delay before the first retry at full length, in milliseconds. */
  readonly baseMs: number;
  /** No delay is longer than this, in milliseconds. */
  readonly capMs: number;
};

/** About what the platforms' own encoders do: 1 s, 2 s, 4 s … 30 s. */
const RETRY_BACKOFF: BackoffOptions = { baseMs: 1_000, capMs: 30_000 };

/**
 * random(0.5…1) × min(cap, base · 2ⁿ), in whole milliseconds. `attempt` counts from 0. The lower half is never drawn,
 * so that a failing peer is not tried again at once; the spread keeps many links from returning in step.
 */
export function backoffDelayMs(attempt: number, random: () => number, options: BackoffOptions = RETRY_BACKOFF): number {
  const fullMs = Math.min(options.capMs, options.baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(fullMs * (0.5 + random() / 2));
}
