import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const KIB = 1_024;
/** Linux writes addresses as hexadecimal `ADDRESS:PORT`. */
const ESTABLISHED = "01";
const CLOSE_WAIT = "08";

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} has no resident memory`);
  return Number(kib) * KIB;
}

/** Processor time of a process in seconds, in all its threads. */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  // utime and stime, fields 14 and 15 of the whole line, in hundredths of a second.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/**
 * What the file descriptors of a process are, sorted, without the connections to this port: clients of the API keep
 * theirs for as long as they like.
 */
export function descriptors(pid: number, apiPort: number): string[] {
  const apiSockets = new Set(
    ["tcp", "tcp6"].flatMap((table) =>
      readFileSync(`/proc/${pid}/net/${table}`, "utf8")
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .filter(([, local = "", , state = ""]) => {
          const port = Number.parseInt(local.split(":")[1] ?? "", 16);
          return port === apiPort && (state === ESTABLISHED || state === CLOSE_WAIT);
        })
        .map((fields) => `socket:[${fields[9]}]`),
    ),
  );
  const links = readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${descriptor}`)];
    } catch {
      // Closed since the folder was read.
      return [];
    }
  });
  return links.filter((link) => !apiSockets.has(link)).sort();
}

/**
 * Milliseconds that each of a process's threads has waited for a processor since it began: the price of a busy machine,
 * and no fault of the process.
 */
export function waitedMs(pid: number): ReadonlyMap<string, number> {
  const tasks = `/proc/${pid}/task`;
  return new Map(
    readdirSync(tasks).flatMap((task) => {
      try {
        const nanoseconds = Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[1]);
        return [[task, nanoseconds / 1e6] as const];
      } catch {
        // Ended since the folder was read.
        return [];
      }
    }),
  );
}

/** The longest that any thread had to wait for a processor between two looks. */
export function longestWaitMs(
  before: ReadonlyMap<string, number> | undefined,
  now: ReadonlyMap<string, number>,
): number {
  return Math.max(0, ...Array.from(now, ([task, ms]) => ms - (before?.get(task) ?? ms)));
}
