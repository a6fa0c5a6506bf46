import { readdirSync, readFileSync } from "node:fs";

/** The name of libuv's threads that wait for disks and for the system's name look-ups. */
const POOL_THREAD = "libuv-worker";
/** The kernel function in which such a thread waits while it is idle. */
const IDLE = /futex/;

/**
 * Ends the process at once. Node would wait for the threads of its pool, and a name server or a network disk that does not respond can
 * block one of them for any time. In that case this replaces the process by another program, which ends at once.
 */
export function exitNow(code: number): never {
  if (isPoolHeldUp() && process.execve !== undefined) {
    process.removeAllListeners("warning");
    process.execve(process.execPath, [process.execPath, "--eval", `process.exit(${code})`], {});
  }
  process.exit(code);
}

/** Whether a thread of the pool is blocked in a system call. False where the system does not say. */
function isPoolHeldUp(): boolean {
  try {
    return readdirSync("/proc/self/task").some((thread) => {
      if (readThread(thread, "comm").trim() !== POOL_THREAD) return false;
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
