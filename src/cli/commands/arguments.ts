import { parseArgs } from "node:util";
import { type Config, ConfigError, readConfig } from "../../app/config/config.ts";

/** The settings that say where an installation's data is. */
const FOLDER_FLAGS = ["data-dir", "encryption-key-file"] as const;

export type CommandArguments = {
  readonly config: Config;
  readonly positionals: readonly string[];
  readonly switches: ReadonlySet<string>;
};

/**
 * What a command was told: settings come from flags, environment and defaults as they do for the server. Throws ConfigError, with
 * how the command is used, for anything else than this many positionals and these switches.
 */
export function readArguments(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  expected: { readonly usage: string; readonly positionals: number; readonly switches?: readonly string[] },
): CommandArguments {
  const { usage, switches = [] } = expected;
  const parsed = parsedArguments(args, switches, usage);
  if (parsed.positionals.length !== expected.positionals) throw new ConfigError(`usage: ${usage}`);
  const settings = FOLDER_FLAGS.flatMap((flag) => {
    const value = parsed.values[flag];
    return typeof value === "string" ? [`--${flag}`, value] : [];
  });
  const commandLine = readConfig(settings, env);
  if ("show" in commandLine) throw new ConfigError(`usage: ${usage}`);
  return {
    config: commandLine.config,
    positionals: parsed.positionals,
    switches: new Set(switches.filter((name) => parsed.values[name] === true)),
  };
}

function parsedArguments(args: readonly string[], switches: readonly string[], usage: string) {
  const options: Record<string, { type: "string" | "boolean" }> = {};
  for (const flag of FOLDER_FLAGS) options[flag] = { type: "string" };
  for (const name of switches) options[name] = { type: "boolean" };
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw new ConfigError(`${error instanceof Error ? error.message : String(error)} (usage: ${usage})`);
  }
}
