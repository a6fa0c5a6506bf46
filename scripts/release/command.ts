import { spawn } from "node:child_process";

/**
 * Runs a command in a folder and returns its standard output. Throws an Error with the command and all of its output if
 * it fails. With a signal the command has a process group of its own: aborting ends all of it, and the signal's reason
 * is thrown once nothing of it runs.
 */
export async function runCommand(
  root: string,
  signal: AbortSignal | undefined,
  command: string,
  args: readonly string[],
): Promise<string> {
  signal?.throwIfAborted();
  const child = spawn(command, args, {
    cwd: root,
    detached: signal !== undefined,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  // The group is there until `close`: one of it holds the pipes.
  const end = () => void (child.pid !== undefined && process.kill(-child.pid, "SIGTERM"));
  signal?.addEventListener("abort", end);
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  signal?.removeEventListener("abort", end);
  signal?.throwIfAborted();
  if (code === 0) return output.stdout;
  throw new Error(`${[command, ...args].join(" ")}\n${`${output.stdout}${output.stderr}`.trim()}`);
}
