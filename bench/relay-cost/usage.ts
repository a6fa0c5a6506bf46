import { readFile } from "node:fs/promises";
import { runToEnd } from "../../test/support/processes/children.ts";

/** Linux counts CPU time for its readers in hundredths of a second, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;
/** Less than this cannot be distinguished from nothing, in seconds. */
export const CPU_RESOLUTION_SECONDS = 1 / TICKS_PER_SECOND;
const KIB_PER_MB = 1_000_000 / 1_024;

/** CPU seconds, user and system, that all threads of these processes used since they began. */
export async function cpuSeconds(pids: readonly number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name, in brackets, may hold blanks: fields are counted after it. proc(5): utime is field 14, stime 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Memory in use, in MB. */
export async function residentMb(pids: readonly number[]): Promise<number> {
  let kib = 0;
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    kib += Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  }
  return kib / KIB_PER_MB;
}

/** Keeps all threads of a process on one core, also those it starts later. */
export async function pinTo(core: number, pid: number): Promise<void> {
  await runToEnd("taskset", ["-a", "-c", "-p", String(core), String(pid)]);
}
