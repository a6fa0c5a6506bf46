/** How late a thread's event loop was over the last seconds, in seconds. */
export type LoopDelay = {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
  /** The share of its time in which the loop was busy, 0 to 1. */
  readonly load: number;
};
