import { readConfig } from "../../app/config/config.ts";
import { ConfigError } from "../../app/config/config-error.ts";
import type { Config } from "../../app/config/settings/settings.ts";
import type { Command } from "./command.ts";
import { completesOptions, readOptions, text, usageText } from "./options.ts";

/** The settings of an installation's data folder. A command reads them as the server does: flag, variable, default. */
const DATA_OPTIONS = {
  "data-dir": text("a folder", "The folder with the database (FANFARE_DATA_DIR)."),
  "encryption-key-file": text("a file", "The file with the encryption keys (FANFARE_ENCRYPTION_KEY_FILE)."),
} as const;

const DATA_FLAGS = ["--data-dir FOLDER", "--encryption-key-file FILE"];

/** The input of a command that works on an installation's data. */
type DataCommandInput<Switch extends string> = {
  readonly config: Config;
  readonly positionals: readonly string[];
  readonly switches: ReadonlySet<Switch>;
};

/**
 * A command that works on an installation's data. `words`: what follows `fanfare`, with the positionals in capitals. Throws
 * ConfigError for an unknown option, for another number of positionals, and where the command does
 * not work with the database.
 */
export function dataCommand<Switch extends string = never>(
  about: {
    readonly words: string;
    readonly about: string;
    readonly switches: Readonly<Record<Switch, string>>;
    /** What to do instead where the database is PostgreSQL; absent: the command works there too. */
    readonly onPostgres?: string;
  },
  run: (input: DataCommandInput<Switch>) => Promise<string>,
): Command {
  const positionals = about.words.match(/\b[A-Z]+\b/g)?.length ?? 0;
  const flags = [...Object.keys(about.switches).map((name) => `--${name}`), ...DATA_FLAGS];
  const usage = `fanfare ${about.words} ${flags.map((flag) => `[${flag}]`).join(" ")}`;
  const command = { usage, about: about.about, options: DATA_OPTIONS, switches: about.switches, positionals };
  const runCommand: Command = async (args, env) => {
    const given = readOptions(args, command);
    if (given === "help") return usageText(command);
    const settings = Object.entries(given.values).flatMap(([name, value]) => [`--${name}`, value]);
    const commandLine = readConfig(settings, env);
    if ("show" in commandLine) throw new ConfigError(`usage: ${usage}`);
    const { config } = commandLine;
    if (config.databaseUrl !== undefined && about.onPostgres !== undefined) {
      throw new ConfigError(
        `fanfare ${about.words.split(" ")[0]} is for the database in a data folder, and FANFARE_DATABASE_URL is set: ${about.onPostgres}.`,
      );
    }
    return await run({ config, positionals: given.positionals, switches: given.switches });
  };
  return Object.assign(runCommand, { completes: completesOptions(command) });
}
