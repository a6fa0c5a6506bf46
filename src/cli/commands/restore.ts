import { restore } from "../../app/commands/restore.ts";
import { readArguments } from "./arguments.ts";
import type { Command } from "./command.ts";

/** `fanfare restore FOLDER` */
export const restoreCommand: Command = async (args, env) => {
  const usage = "fanfare restore FOLDER [--data-dir FOLDER] [--encryption-key-file FILE]";
  const { config, positionals } = readArguments(args, env, { usage, positionals: 1 });
  const [folder = ""] = positionals;
  const kept = await restore(config, folder, Date.now());
  const told = kept === undefined ? "" : `What was there before is in ${kept}.\n`;
  return `${folder} is restored into ${config.dataDir}.\n${told}`;
};
