import { readdirSync, readFileSync } from "node:fs";

/** The name of libuv's threads that wait for disks and for the system's name look-ups. */
const POOL_THREAD = "libuv-worker";
/** The recording thread, which waits for its disk in system calls. */
export const RECORDER_THREAD = "recorder";
/** The threads that wait for the disk of delayed streams. */
export const DELAY_THREAD = "delays";
const HELD_UP_BY_DISKS: readonly string[] = [POOL_THREAD, RECORDER_THREAD, DELAY_THREAD];
/** The kernel functions in which such a thread waits while it is idle. */
const IDLE = /futex|epoll/;

/**
 * Ends the process at once. Node would wait for the threads of its pool and for the recording thread. A name server or
 * a disk that does not respond can block one of them for any time. In that case this replaces the process by another
 * program, which ends at once.
 */
export function exitNow(code: number): never {
  if (isThreadHeldUp() && process.execve !== undefined) {
    process.removeAllListeners("warning");
    process.execve(process.execPath, [process.execPath, "--eval", `process.exit(${code})`], {});
  }
  process.exit(code);
}

/** Whether one of those threads is blocked in a system call. False where the system does not say. */
function isThreadHeldUp(): boolean {
  try {
    return readdirSync("/proc/self/task").some((thread) => {
      if (!HELD_UP_BY_DISKS.includes(readThread(thread, "comm").trim())) return false;
      const waitsIn = readThread(thread, "wchan");
      return waitsIn !== "0" && !IDLE.test(waitsIn);
    });
  } catch {
    return false;
  }
}

function readThread(thread: string, what: string): string {
  return readFileSync(`/proc/self/task/${thread}/${what}`, "latin1");
}
