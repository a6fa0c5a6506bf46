import { ConfigError } from "../../app/config/config-error.ts";
import { releaseVersion } from "../../app/release.ts";
import { createFanfareClient, type FanfareClient } from "../../client/client.ts";
import type { Command, Completes } from "../commands/command.ts";
import { type Option, type OptionValues, readOptions, text, usageText } from "../commands/options.ts";
import { chosenProfile, type Profile } from "./profiles.ts";

const COMMON = {
  profile: text(
    "a name that fanfare login gave",
    "The server that is asked; by default FANFARE_URL, else the last login.",
  ),
};
const JSON_SWITCH = { json: "Print JSON for programs, not a table." };

type Options = Readonly<Record<string, Option<unknown>>>;

/** What an action gets. */
type ActionInput<Given extends Options> = {
  readonly client: FanfareClient;
  readonly profile: Profile;
  readonly values: OptionValues<Given & typeof COMMON>;
  readonly switches: ReadonlySet<string>;
  readonly words: readonly string[];
  readonly isJson: boolean;
};

/** One action of a command: `fanfare channels off CHANNEL`. */
export type Action<Given extends Options = Options> = {
  /** Its words without a flag: `["CHANNEL", "PLATFORM"]`. */
  readonly words: readonly string[];
  readonly about: string;
  readonly options?: Given;
  readonly switches?: Readonly<Record<string, string>>;
  /** Returns the text to print. */
  readonly run: (input: ActionInput<Given>) => Promise<string>;
};

/** Keeps the types of an action's options. */
export function action<Given extends Options>(given: Action<Given>): Action {
  return given as unknown as Action;
}

export type ApiCommand = Command & { readonly completes: Completes };

/** A command that calls a server. The action named "" is the one without a word of its own. */
export function apiCommand(name: string, about: string, actions: Readonly<Record<string, Action>>): ApiCommand {
  const command: Command = async (args, env) => {
    const [first = ""] = args;
    const chosen = Object.hasOwn(actions, first) && first !== "" ? first : "";
    const one = actions[chosen];
    if (one === undefined || (chosen === "" && first !== "" && !first.startsWith("-") && one.words.length === 0)) {
      if (args.includes("--help") || args.includes("-h")) return commandHelp(name, about, actions);
      throw new ConfigError(`usage: fanfare ${name} ${Object.keys(actions).filter(Boolean).join("|")} …`);
    }
    const words = ["fanfare", name, chosen, ...one.words].filter((word) => word !== "").join(" ");
    const usage = {
      usage: `${words} [options]`,
      about: one.about,
      options: { ...COMMON, ...one.options },
      switches: { ...JSON_SWITCH, ...one.switches },
      positionals: one.words.length,
    };
    const given = readOptions(chosen === "" ? args : args.slice(1), usage);
    if (given === "help") return chosen === "" ? commandHelp(name, about, actions) : usageText(usage);
    const { values, switches, positionals } = given;
    const profile = chosenProfile(env, values.profile);
    const client = createFanfareClient({ ...profile, userAgent: `fanfare-cli/${releaseVersion()}` });
    return one.run({ client, profile, values, switches, words: positionals, isJson: switches.has("json") });
  };
  return Object.assign(command, { completes: completesOf(actions) });
}

function completesOf(actions: Readonly<Record<string, Action>>): Completes {
  const names = Object.values(actions).flatMap(({ options, switches }) => [
    ...Object.keys(COMMON),
    ...Object.keys(JSON_SWITCH),
    ...Object.keys(options ?? {}),
    ...Object.keys(switches ?? {}),
  ]);
  return {
    words: Object.keys(actions).filter((word) => word !== ""),
    options: [...new Set(["help", ...names])].map((name) => `--${name}`),
  };
}

function commandHelp(name: string, about: string, actions: Readonly<Record<string, Action>>): string {
  const lines = Object.entries(actions).map(([word, one]) => {
    const call = ["fanfare", name, word, ...one.words].filter((part) => part !== "").join(" ");
    return `  ${call}\n      ${one.about}`;
  });
  return `${about}\n\n${lines.join("\n")}\n\nOptions of each: --help, --json, --profile NAME.\n`;
}

/** A value as JSON for programs. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
