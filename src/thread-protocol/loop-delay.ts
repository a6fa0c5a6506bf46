/** How late a thread's event loop was over the last seconds, in seconds: beyond this nothing of the thread was waiting. */
export type LoopDelay = {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
  /** The part of its time that the loop was busy, 0 to 1. */
  readonly load: number;
};
