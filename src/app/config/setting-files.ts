import { closeSync, openSync, readSync } from "node:fs";

type Environment = Readonly<Record<string, string | undefined>>;

/** The longest file that holds a setting, in bytes. */
const FILE_BYTES_MAX = 4_096;

/** The name of the variable that names a file with this variable's value. */
export function fileVariable(variable: string): string {
  return `${variable}_FILE`;
}

/** The value of a setting's variable; undefined if it is empty or not set. */
export function valueIn(env: Environment, variable: string): string | undefined {
  const value = env[variable];
  return value === "" ? undefined : value;
}

/**
 * The same, for a value that may be in a file instead, as containers' secrets are. Removes the line end behind it.
 * `refuse`: throws a sentence that says what is wrong and repeats nothing of the value.
 */
export function valueOrFileIn(env: Environment, variable: string, refuse: (text: string) => never): string | undefined {
  const value = valueIn(env, variable);
  const path = valueIn(env, fileVariable(variable));
  if (path === undefined) return value;
  if (value !== undefined)
    refuse(`${variable} and ${fileVariable(variable)} set the same value: give only one of them.`);
  try {
    return readStart(path).replace(/\r?\n$/, "");
  } catch (error) {
    const detail = error instanceof Error && "code" in error ? String(error.code) : "";
    return refuse(`${fileVariable(variable)}: the file ${path} cannot be read (${detail}).`);
  }
}

/** Refuses a secret as a flag: every user of the machine can read a command line. */
export function refuseFlag(
  args: readonly string[],
  flag: string,
  variable: string,
  refuse: (text: string) => never,
): void {
  if (!args.some((arg) => arg === flag || arg.startsWith(`${flag}=`))) return;
  const instead = `${variable} in the environment, or ${fileVariable(variable)}, which names a file that holds it`;
  refuse(`${flag} is not accepted: everybody on this machine can read a command line. Give ${instead}.`);
}

/** Reads only the start: the check of the setting refuses a value that long. */
function readStart(path: string): string {
  const bytes = Buffer.alloc(FILE_BYTES_MAX);
  const file = openSync(path, "r");
  try {
    return bytes.toString("utf8", 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}
