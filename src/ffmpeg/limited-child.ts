import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { JobLimits } from "./job-limits.ts";
import { reasonOf, withoutAddresses } from "./reasons.ts";

/** How a child ended. `reason`: one sentence, without addresses. `words`: all that it wrote last, without addresses. */
type ChildEnd =
  | { readonly kind: "done" }
  | { readonly kind: "killed" }
  | { readonly kind: "failed"; readonly reason: string; readonly words: string };

/** `hasInput`: it has a standard input. `env`: variables beside the usual. */
type ChildOptions = { readonly hasInput?: boolean; readonly env?: Readonly<Record<string, string>> };

/** A running child process with limits. */
export interface LimitedChild {
  /** What the child writes. Reading slowly makes it wait. */
  readonly output: Readable;
  /** What the child reads at its standard input; undefined where it was started without. */
  readonly input: Writable | undefined;
  /** Never rejects. Resolves when the child is gone and its output is closed. */
  readonly ended: Promise<ChildEnd>;
  /** Kills it at once. Idempotent. `reason`: why it counts as failed; absent: it was wanted. */
  kill(reason?: string): void;
}

/** The last bytes of its messages that are kept. */
const MESSAGES_BYTES_MAX = 4_096;
/** Other work of the machine goes first: media threads must not wait for a transcoder. */
const NICENESS = 5;
/** POSIX counts file sizes in these. */
const BLOCK_BYTES = 512;
const KIB = 1_024;

/**
 * Sets the limits, runs the program and waits for it. The limit of CPU time is a soft one: at a hard one the kernel kills
 * without saying why. Descriptor 3 is a pipe of this process: when it closes, because this process closed it or died in
 * any way, the program is killed, with its own children: `setsid`, where the system has it, gives them a group of their
 * own. What is left of that group when the program ends is killed too: it would keep the output open.
 */
const SCRIPT = [
  // The shell gives its children of the background no input of its own.
  "exec 4<&0 </dev/null",
  'ulimit -S -t "$1" && ulimit -v "$2" && ulimit -f "$3" || exit 125; n="$4"; shift 4',
  '$(command -v setsid) nice -n "$n" "$@" <&4 3<&- 4<&- & child=$!',
  "exec 4<&-",
  '( read -r _ <&3 || { kill -s KILL -- "-$child"; kill -9 "$child"; } ) >/dev/null 2>&1 & guard=$!',
  'wait $child; code=$?; { kill -s KILL -- "-$child"; kill $guard; } 2>/dev/null; exit $code',
].join("\n");

/** Starts a program with limits. Never throws: a program that cannot start ends at once with a reason. */
export function startChild(
  program: string,
  args: readonly string[],
  limits: JobLimits,
  { hasInput = false, env = {} }: ChildOptions = {},
): LimitedChild {
  const { cpuSeconds, memoryBytes, fileBytes, wallMs, outputBytes = Number.POSITIVE_INFINITY } = limits;
  const numbers = [
    cpuSeconds ?? "unlimited",
    Math.ceil(memoryBytes / KIB),
    Math.ceil(fileBytes / BLOCK_BYTES),
    NICENESS,
  ];
  const child = spawn("/bin/sh", ["-c", SCRIPT, "sh", ...numbers.map(String), program, ...args], {
    stdio: [hasInput ? "pipe" : "ignore", "pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C", AV_LOG_FORCE_NOCOLOR: "1", ...env },
  });
  const lifeline = child.stdio[3] as Writable;
  const stdout = child.stdio[1] as Readable;
  const stderr = child.stdio[2] as Readable;
  const input = child.stdin ?? undefined;
  for (const pipe of [lifeline, stdout, stderr, input]) pipe?.on("error", () => undefined);
  let messages = "";
  stderr.setEncoding("latin1").on("data", (text: string) => {
    messages = (messages + text).slice(-MESSAGES_BYTES_MAX);
  });
  let cause: string | undefined;
  let isKilled = false;
  const kill = (reason?: string) => {
    if (!isKilled) cause = reason;
    isKilled = true;
    lifeline.destroy();
    stdout.destroy();
    stderr.destroy();
    input?.destroy();
  };
  let written = 0;
  if (outputBytes !== Number.POSITIVE_INFINITY) {
    stdout.on("data", ({ length }: Buffer) => {
      written += length;
      if (written > outputBytes) kill(`it wrote more than ${outputBytes} bytes`);
    });
  }
  const timer =
    wallMs === undefined ? undefined : setTimeout(() => kill(`it took longer than ${wallMs / 1_000} s`), wallMs);
  const ended = new Promise<ChildEnd>((resolve) => {
    const finish = (end: ChildEnd) => {
      clearTimeout(timer);
      lifeline.destroy();
      resolve(end);
    };
    const fail = (reason: string) => finish({ kind: "failed", reason, words: withoutAddresses(messages) });
    child.on("error", ({ message }) => fail(`it could not be started (${message})`));
    child.on("close", (code) => {
      if (isKilled && cause === undefined) finish({ kind: "killed" });
      else if (isKilled) fail(cause ?? "");
      else if (code === 0) finish({ kind: "done" });
      else fail(reasonOf(code ?? 0, messages, limits));
    });
  });
  return { output: stdout, input, ended, kill };
}
