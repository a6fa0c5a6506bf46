import { createInterface } from "node:readline/promises";
import { ConfigError } from "../../app/config/config-error.ts";
import { createFanfareClient } from "../../client/client.ts";
import type { Command, Environment } from "../commands/command.ts";
import { completesOptions, readOptions, text, usageText } from "../commands/options.ts";
import { contentOf, otherServer } from "./exit-codes.ts";
import { profileOf, profilesPath, readProfiles, serverOf, writeProfiles } from "./profiles.ts";

const USAGE = {
  usage: "fanfare login URL [options]",
  about:
    "Keeps a server's address and access key for the commands channels, platforms, status, audit, events, keys, apply, export and import. " +
    "Asks for the secret key, or reads it from standard input or FANFARE_SECRET_KEY, never from the command line.",
  options: {
    profile: text("a name", "What the server is called here; default: its host name."),
    "access-key": text(
      "an access key's id",
      "Requests are then signed, and the secret is not sent. By default FANFARE_ACCESS_KEY.",
    ),
  },
  switches: {},
  positionals: 1,
};

/** `fanfare login URL`: the server must answer before anything is kept. */
export const loginCommand: Command = Object.assign(run, { completes: completesOptions(USAGE) });

async function run(args: readonly string[], env: Environment): Promise<string> {
  const given = readOptions(args, USAGE);
  if (given === "help") return usageText(USAGE);
  const [word = ""] = given.positionals;
  const server = serverOf(word);
  const accessKey = given.values["access-key"] ?? env["FANFARE_ACCESS_KEY"] ?? "";
  const secretKey = env["FANFARE_SECRET_KEY"] || (await secretFromInput());
  const profile = profileOf(server, secretKey, accessKey);
  const query = { pageSizeNo: 1 };
  const channels: unknown = await contentOf(
    createFanfareClient(profile).GET("/re-stream/channels", { params: { query } }),
  );
  if (!Array.isArray(channels)) throw otherServer();
  const path = profilesPath(env);
  const name = given.values.profile ?? new URL(server).hostname;
  const { profiles } = readProfiles(path);
  writeProfiles(path, { current: name, profiles: { ...profiles, [name]: profile } });
  return `Signed in to ${server} as profile ${name}. The key is kept in ${path}.\n`;
}

async function secretFromInput(): Promise<string> {
  const isTerminal = process.stdin.isTTY === true;
  if (isTerminal) process.stderr.write("Secret key: ");
  // With `terminal` and no output nothing that is typed is shown.
  const lines = createInterface({ input: process.stdin, terminal: isTerminal });
  try {
    for await (const line of lines) {
      if (isTerminal) process.stderr.write("\n");
      if (line.trim() !== "") return line.trim();
    }
  } finally {
    lines.close();
  }
  throw new ConfigError("no secret key was given.");
}
