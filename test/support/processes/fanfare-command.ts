import { commandNamed, failureOf } from "../../../src/cli/command-line.ts";
import { startChild } from "./children.ts";
import { commandLineFile, ROOT } from "./fanfare-process.ts";

export type CommandResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs `fanfare …` to its end. Its environment has the path, where Node keeps what it compiled, and what is given. */
export async function runFanfare(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, ...environment };
  const child = await startChild(process.execPath, [commandLineFile(), ...args], { cwd: ROOT, env });
  const { code } = await child.exited;
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

/**
 * Runs a command in this process, where the start of a program would take most of the time. For commands that print
 * nothing but their result, and leave the process's exit code alone.
 */
export async function runHere(
  [name = "", ...args]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const command = commandNamed(name);
  if (command === undefined) throw new Error(`${name} is not a command`);
  try {
    return { code: 0, stdout: await (await command())(args, environment), stderr: "" };
  } catch (error) {
    const { text, code } = failureOf(error);
    return { code, stdout: "", stderr: text };
  }
}
