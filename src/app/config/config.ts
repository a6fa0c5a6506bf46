import { parseArgs } from "node:util";
import { ConfigError } from "./config-error.ts";
import { refuseFlag, valueIn, valueOrFileIn } from "./setting-files.ts";
import { type Config, FROM_FILES, flagOf, SECRETS, SETTINGS } from "./settings/settings.ts";

/** What the command line asks for: to run with these settings, or to print something. */
export type CommandLine = { readonly config: Config } | { readonly show: "help" | "version" };

/**
 * Reads flags, then environment, then defaults, and checks every value. An empty environment variable counts as not set. Throws ConfigError for an unknown flag or a value that is not allowed.
 */
export function readConfig(args: readonly string[], env: Readonly<Record<string, string | undefined>>): CommandLine {
  const flags = readFlags(args);
  if (flags["help"] === true) return { show: "help" };
  if (flags["version"] === true) return { show: "version" };
  const values: Record<string, unknown> = {};
  for (const [name, { env: variable, schema, fallback }] of Object.entries(SETTINGS)) {
    const flag = flags[flagOf(name)];
    const fromEnv = FROM_FILES.includes(name) ? valueOrFileIn(env, variable, refuse) : valueIn(env, variable);
    const given = typeof flag === "string" ? flag : (fromEnv ?? fallback);
    if (given === undefined) continue;
    const result = schema.safeParse(given);
    if (!result.success) {
      const where = typeof flag === "string" ? `--${flagOf(name)} (${variable})` : variable;
      const shown = SECRETS.includes(name) ? "what was given" : JSON.stringify(given);
      throw new ConfigError(`${where}: ${shown} is not allowed; allowed is ${result.error.issues[0]?.message ?? ""}.`);
    }
    values[name] = result.data;
  }
  if ((values["accessKey"] === undefined) !== (values["secretKey"] === undefined)) {
    throw new ConfigError("FANFARE_ACCESS_KEY and FANFARE_SECRET_KEY go together: give both or none.");
  }
  if (values["encryptionKey"] !== undefined) {
    if (values["encryptionKeyFile"] !== undefined)
      refuse("FANFARE_ENCRYPTION_KEY and FANFARE_ENCRYPTION_KEY_FILE set the same value: give only one of them.");
    if (values["databaseUrl"] === undefined)
      refuse("FANFARE_ENCRYPTION_KEY is for servers on PostgreSQL: a data folder has its keys in a file.");
  }
  if ((values["tlsCert"] === undefined) !== (values["tlsKey"] === undefined)) {
    throw new ConfigError("FANFARE_TLS_CERT and FANFARE_TLS_KEY go together: give both or none.");
  }
  const s3 = ["s3Url", "s3Bucket", "s3AccessKey", "s3SecretKey"].map((name) => values[name] !== undefined);
  if (new Set(s3).size > 1) {
    throw new ConfigError(
      "FANFARE_S3_URL, FANFARE_S3_BUCKET, FANFARE_S3_ACCESS_KEY and FANFARE_S3_SECRET_KEY go together: give all or none.",
    );
  }
  return { config: Object.freeze(values) as Config };
}

function refuse(text: string): never {
  throw new ConfigError(text);
}

function readFlags(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {
    help: { type: "boolean", short: "h" },
    version: { type: "boolean" },
  };
  for (const [name, { env }] of Object.entries(SETTINGS)) {
    const flag = `--${flagOf(name)}`;
    if (!SECRETS.includes(name)) options[flagOf(name)] = { type: "string" };
    else refuseFlag(args, flag, env, refuse);
  }
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values as Readonly<
      Record<string, string | boolean | undefined>
    >;
  } catch (error) {
    throw new ConfigError(`${error instanceof Error ? error.message : String(error)} (--help lists all flags)`);
  }
}
