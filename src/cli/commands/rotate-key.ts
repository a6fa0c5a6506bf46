import { dropOldKeys, rotateKey } from "../../app/commands/rotate-key.ts";
import { readArguments } from "./arguments.ts";
import type { Command } from "./command.ts";

/** `fanfare rotate-key`, and `fanfare rotate-key --drop-old` */
export const rotateKeyCommand: Command = async (args, env) => {
  const usage = "fanfare rotate-key [--drop-old] [--data-dir FOLDER] [--encryption-key-file FILE]";
  const { config, switches } = readArguments(args, env, { usage, positionals: 0, switches: ["drop-old"] });
  if (switches.has("drop-old")) {
    const dropped = await dropOldKeys(config);
    if (dropped.length === 0) return "The key file holds no key that is not in use.\n";
    return `Taken out of the key file: ${dropped.join(", ")}. Older copies of the database need the key file of their time.\n`;
  }
  const keyId = await rotateKey(config);
  return `Every secret is sealed with the new key ${keyId}. Keep a new copy of the key file.\n`;
};
