import { AWAKE_BEAT_MS, AwakeTime } from "./awake-time.ts";

/** A started timer; cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The time for everything below the adapters. `protocol/`, `relay/` and `control/` read no clock of their own, so the
 * whole data plane can run on virtual time.
 */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary start; never steps. For durations and deadlines. */
  now(): number;
  /**
   * `now()` minus the time in which this thread could not run: its process was stopped, its machine stood still, or its
   * event loop was busy. Whether a peer is silent, or had time to reply, is measured with this clock alone: what it
   * sent meanwhile waits in the sockets.
   */
  awakeNow(): number;
  /** Milliseconds since the Unix epoch; may step. For what people and APIs see. */
  wallNow(): number;
  /** Calls `run` once, `delayMs` from now. */
  startTimer(delayMs: number, run: () => void): Timer;
}

/**
 * Monotonic milliseconds that are the same in every thread and process of this machine, where `now()` counts from the
 * thread's own start.
 */
export function processNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

let awakeTime: AwakeTime | undefined;

/** Starts with the first caller: a command that never asks is not woken. */
function awake(): AwakeTime {
  if (awakeTime !== undefined) return awakeTime;
  const time = new AwakeTime(() => performance.now());
  awakeTime = time;
  // Immediates run after the phase of the loop in which sockets are read.
  const note = () => {
    time.note();
    setTimeout(() => setImmediate(note).unref(), AWAKE_BEAT_MS).unref();
  };
  note();
  return time;
}

/** The machine's own time. Its timers do not keep a process alive: servers and sockets do. */
export const systemClock: Clock = {
  now: () => performance.now(),
  awakeNow: () => awake().now(),
  wallNow: () => Date.now(),
  startTimer(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
