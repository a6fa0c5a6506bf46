import { readdirSync, readFileSync } from "node:fs";

/** What libuv calls the threads that wait for disks and for the system's name look-ups. */
const POOL_THREAD = "libuv-worker";
/** What such a thread waits in while it has nothing to do. */
const IDLE = /futex/;

/**
 * Ends the process. Node itself would wait for its pool's threads, and one of them may be held up by a name server or a network disk that
 * does not answer, for as long as that likes: then this process becomes another one, which ends at once.
 */
export function exitNow(code: number): never {
  if (isPoolHeldUp() && process.execve !== undefined) {
    process.removeAllListeners("warning");
    process.execve(process.execPath, [process.execPath, "--eval", `process.exit(${code})`], {});
  }
  process.exit(code);
}

/** Whether a thread of the pool is in a system call that waits. False where the system does not tell. */
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
