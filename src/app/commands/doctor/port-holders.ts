import { readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";

/** A process that listens at a port. */
export type Holder = {
  readonly pid: number;
  /** The name of its program. */
  readonly name: string;
  /** Whether it is the Fanfare server of this installation. */
  readonly isServer: boolean;
};

/** The state of a listening TCP socket and of a bound UDP one, in the kernel's tables. */
const LISTENING = { tcp: "0A", udp: "07" } as const;
const STATE = 3;
const INODE = 9;
/** Processes and descriptors that are looked at. */
const PROCESSES_MAX = 10_000;
const DESCRIPTORS_MAX = 500_000;
const FANFARE = /(^|\/)(fanfare|cli\/main\.[jt]s)$/;

export type HolderOptions = {
  /** The lock file of the data folder; undefined: a server is known by its command line. */
  readonly lockPath: string | undefined;
  /** Where the kernel's tables are. */
  readonly procFolder?: string;
};

/**
 * The process that listens at this port, on whatever address, by Linux's tables. Undefined where this user may not see it,
 * or the system has no such tables. A server of this installation comes first.
 */
export function findHolder(
  protocol: "tcp" | "udp",
  port: number,
  { lockPath, procFolder = "/proc" }: HolderOptions,
): Holder | undefined {
  const sockets = new Set(socketsAt(protocol, port, procFolder).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  const lock = lockPath === undefined ? undefined : resolved(lockPath);
  const budget = { descriptors: DESCRIPTORS_MAX };
  let other: Holder | undefined;
  for (const pid of processesIn(procFolder)) {
    const files = filesOf(pid, procFolder, budget);
    if (!files.some((file) => sockets.has(file))) continue;
    const [program = "", ...args] = commandLineOf(pid, procFolder);
    const isServer = lock === undefined ? [program, ...args].some((arg) => FANFARE.test(arg)) : files.includes(lock);
    const holder = { pid, name: program.split("/").at(-1) ?? "", isServer };
    if (isServer) return holder;
    other ??= holder;
  }
  return other;
}

function socketsAt(protocol: "tcp" | "udp", port: number, procFolder: string): string[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return [protocol, `${protocol}6`].flatMap((table) => {
    const lines = read(() => readFileSync(join(procFolder, "net", table), "utf8").split("\n")) ?? [];
    return lines.flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const isIt = fields[1]?.endsWith(end) === true && fields[STATE] === LISTENING[protocol];
      return isIt && fields[INODE] !== undefined ? [fields[INODE]] : [];
    });
  });
}

function processesIn(procFolder: string): number[] {
  const names = read(() => readdirSync(procFolder)) ?? [];
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .slice(0, PROCESSES_MAX);
}

/** What its descriptors lead to; empty for a process of another user. */
function filesOf(pid: number, procFolder: string, budget: { descriptors: number }): string[] {
  const folder = join(procFolder, String(pid), "fd");
  const names = (read(() => readdirSync(folder)) ?? []).slice(0, budget.descriptors);
  budget.descriptors -= names.length;
  return names.flatMap((name) => read(() => readlinkSync(join(folder, name))) ?? []);
}

function commandLineOf(pid: number, procFolder: string): string[] {
  return (read(() => readFileSync(join(procFolder, String(pid), "cmdline"), "utf8")) ?? "").split("\0");
}

function resolved(path: string): string {
  return read(() => realpathSync(path)) ?? path;
}

/** Processes end, and belong to others, while they are looked at. */
function read<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
