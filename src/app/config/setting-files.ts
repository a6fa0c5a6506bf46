import { closeSync, openSync, readSync } from "node:fs";

type Environment = Readonly<Record<string, string | undefined>>;

/** Longest file that holds a setting, in bytes. */
const FILE_BYTES_MAX = 4_096;

/** The variable that names a file with the value of this one. */
export function fileVariable(variable: string): string {
  return `${variable}_FILE`;
}

/** What a setting's variable says; an empty one says nothing. */
export function valueIn(env: Environment, variable: string): string | undefined {
  const value = env[variable];
  return value === "" ? undefined : value;
}

/**
 * The same where the value may be in a file instead, as secrets of containers are: without the line's end behind it. `refuse`: throws what
 * is wrong, in a sentence that repeats nothing of the value.
 */
export function valueOrFileIn(env: Environment, variable: string, refuse: (text: string) => never): string | undefined {
  const value = valueIn(env, variable);
  const path = valueIn(env, fileVariable(variable));
  if (path === undefined) return value;
  if (value !== undefined) refuse(`${variable} and ${fileVariable(variable)} say the same: give one of them.`);
  try {
    return readStart(path).replace(/\r?\n$/, "");
  } catch (error) {
    const detail = error instanceof Error && "code" in error ? String(error.code) : "";
    return refuse(`${fileVariable(variable)}: the file ${path} cannot be read (${detail}).`);
  }
}

/** A secret is no flag: everybody on the machine can read a command line. */
export function refuseFlag(
  args: readonly string[],
  flag: string,
  variable: string,
  refuse: (text: string) => never,
): void {
  if (!args.some((arg) => arg === flag || arg.startsWith(`${flag}=`))) return;
  const instead = `${variable} in the environment, or ${fileVariable(variable)}, which names a file that holds it`;
  refuse(`${flag} is not taken: everybody on this machine can read a command line. Give ${instead}.`);
}

/** Too long a value is refused by its own check. */
function readStart(path: string): string {
  const bytes = Buffer.alloc(FILE_BYTES_MAX);
  const file = openSync(path, "r");
  try {
    return bytes.toString("utf8", 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}
