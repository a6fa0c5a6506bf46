import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Part of every Debian's util-linux. It makes the kernel end a child even when the test's own process is killed. */
const SETPRIV = "/usr/bin/setpriv";

/** How a child process ended. */
export type ExitResult = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A program that a test runs. It never outlives the test's process. */
export type Child = {
  readonly pid: number;
  /** Its output so far, in the order it came. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly isRunning: () => boolean;
  readonly exited: Promise<ExitResult>;
  /** Writes to its standard input, where that was asked for. */
  write(text: string): void;
  kill(signal: NodeJS.Signals): void;
  /** Sends the signal, SIGKILL after the grace, and waits for the end. Idempotent. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<ExitResult>;
};

export type ChildOptions = Pick<SpawnOptions, "cwd" | "env"> & {
  /** Whether it has a standard input that `write` feeds, and that ends with this process. */
  readonly isFed?: boolean;
};

/** Starts a program; rejects only where it cannot be started at all. */
export async function startChild(
  command: string,
  args: readonly string[],
  { isFed = false, ...options }: ChildOptions = {},
): Promise<Child> {
  const [program, all] = existsSync(SETPRIV)
    ? [SETPRIV, ["--pdeathsig", "KILL", "--", command, ...args]]
    : [command, [...args]];
  const child = spawn(program, all, { ...options, stdio: [isFed ? "pipe" : "ignore", "pipe", "pipe"] });
  const { stdout, stderr, stdin } = child;
  if (stdout === null || stderr === null) throw new Error("a child without pipes");
  // A program that ended takes no input; its end shows elsewhere.
  stdin?.on("error", () => undefined);
  const output = { stdout: "", stderr: "" };
  stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  // `close`, not `exit`: by then all its output has been read.
  const exited = new Promise<ExitResult>((resolve) => {
    child.once("close", (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  await once(child, "spawn");
  running.add(child);
  return {
    pid: child.pid ?? 0,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    exited,
    write: (text) => void stdin?.write(text),
    kill: (signal) => void child.kill(signal),
    async stop(signal, graceMs) {
      child.kill(signal);
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      const result = await exited;
      clearTimeout(timer);
      return result;
    },
  };
}

/** Runs a program to its end and returns its output; throws with its error output unless it ends with 0. */
export async function runToEnd(command: string, args: readonly string[], options: ChildOptions = {}): Promise<string> {
  const child = await startChild(command, args, options);
  const { code, signal } = await child.exited;
  if (code !== 0) throw new Error(`${command} ended with ${code ?? signal}:\n${child.stderr().slice(-2_000)}`);
  return child.stdout();
}
