import { parseArgs } from "node:util";
import { ConfigError } from "../../app/config/config-error.ts";
import type { Completes } from "./command.ts";

/** One option of a command: how to read its text, which texts are allowed, and what the option is for. */
export type Option<Value> = {
  readonly parse: (text: string) => Value | undefined;
  /** Completes "allowed is …". `--help` shows it too. */
  readonly allowed: string;
  readonly help: string;
};

type Options = Readonly<Record<string, Option<unknown>>>;

/** Option values by name: absent where not given. */
export type OptionValues<Given extends Options> = {
  readonly [Name in keyof Given]?: Given[Name] extends Option<infer Value> ? Value : never;
};

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const DURATION = /^([+-]?)(\d{1,13}(?:\.\d{1,6})?)(ms|s|m|h)$/;

/** Reads `10s`, `500ms`, `1.5m`, `1h` and `-5s` as milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = "", unit = ""] = match;
  const durationMs = Math.round(Number(digits) * (UNIT_MS[unit] ?? 0));
  return sign === "-" ? -durationMs : durationMs;
}

export const duration = (help: string): Option<number> => ({
  parse: (text) => (/^[+-]/.test(text) ? undefined : parseDuration(text)),
  allowed: "a duration such as 10s or 500ms",
  help,
});

export const signedDuration = (help: string): Option<number> => ({
  parse: parseDuration,
  allowed: "a duration such as 5s or, behind an equals sign, =-500ms",
  help,
});

export const wholeNumber = (min: number, max: number, help: string): Option<number> => ({
  parse: (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  },
  allowed: `a whole number from ${min} to ${max}`,
  help,
});

export const oneOf = <const Words extends readonly string[]>(words: Words, help: string): Option<Words[number]> => ({
  parse: (text) => words.find((word) => word === text),
  allowed: words.join(", "),
  help,
});

export const text = (allowed: string, help: string): Option<string> => ({
  parse: (given) => (given === "" ? undefined : given),
  allowed,
  help,
});

type Present<Given extends object> = { readonly [Name in keyof Given]?: Exclude<Given[Name], undefined> };

/** Returns the entries that are not undefined: an option that was not given stays absent. */
export function present<Given extends object>(given: Given): Present<Given> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Present<Given>;
}

export type CommandUsage<Given extends Options, Switch extends string> = {
  /** The text after "Usage: ". */
  readonly usage: string;
  readonly about: string;
  readonly options: Given;
  /** Options without a value, with what they are for. */
  readonly switches: Readonly<Record<Switch, string>>;
  /** How many words without a flag there must be; default none. */
  readonly positionals?: number;
};

export type GivenOptions<Given extends Options, Switch extends string> = {
  readonly values: OptionValues<Given>;
  readonly switches: ReadonlySet<Switch>;
  readonly positionals: readonly string[];
};

/** Reads and checks the arguments of any command; returns `help` for `--help`. Throws ConfigError for what is not allowed. */
export function readOptions<Given extends Options, Switch extends string>(
  args: readonly string[],
  command: CommandUsage<Given, Switch>,
): GivenOptions<Given, Switch> | "help" {
  const { values: given, positionals } = parsed(args, command);
  if (given["help"] === true) return "help";
  if (positionals.length !== (command.positionals ?? 0)) throw new ConfigError(`usage: ${command.usage}`);
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(command.options)) {
    const value = given[name];
    if (typeof value !== "string") continue;
    const read = option.parse(value);
    if (read === undefined) {
      throw new ConfigError(`--${name}: ${JSON.stringify(value)} is not allowed; allowed is ${option.allowed}.`);
    }
    values[name] = read;
  }
  const names = Object.keys(command.switches) as Switch[];
  return {
    values: values as OptionValues<Given>,
    switches: new Set(names.filter((name) => given[name] === true)),
    positionals,
  };
}

type Parsed = { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] };

function parsed(args: readonly string[], { usage, options, switches }: CommandUsage<Options, string>): Parsed {
  const known: Record<string, { type: "string" | "boolean"; short?: string }> = {
    help: { type: "boolean", short: "h" },
  };
  for (const name of Object.keys(options)) known[name] = { type: "string" };
  for (const name of Object.keys(switches)) known[name] = { type: "boolean" };
  try {
    return parseArgs({ args: [...args], options: known, strict: true, allowPositionals: true });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`${detail} (usage: ${usage}; --help lists all options)`);
  }
}

/** What a shell completes behind a command that has options only. */
export function completesOptions({
  options,
  switches,
}: Pick<CommandUsage<Options, string>, "options" | "switches">): Completes {
  const names = ["help", ...Object.keys(options), ...Object.keys(switches)];
  return { words: [], options: names.map((name) => `--${name}`) };
}

/** What `--help` prints. */
export function usageText(command: CommandUsage<Options, string>): string {
  const lines = [`Usage: ${command.usage}`, "", command.about, ""];
  for (const [name, { allowed, help }] of Object.entries(command.options)) {
    lines.push(`  --${name} VALUE`, `      ${help} Allowed: ${allowed}.`);
  }
  for (const [name, help] of Object.entries(command.switches)) lines.push(`  --${name}`, `      ${help}`);
  return `${lines.join("\n")}\n`;
}
