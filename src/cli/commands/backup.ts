import { backUp } from "../../app/commands/backup.ts";
import { readArguments } from "./arguments.ts";
import type { Command } from "./command.ts";

/** `fanfare backup FOLDER` */
export const backupCommand: Command = async (args, env) => {
  const usage = "fanfare backup FOLDER [--data-dir FOLDER] [--encryption-key-file FILE]";
  const { config, positionals } = readArguments(args, env, { usage, positionals: 1 });
  const [folder = ""] = positionals;
  await backUp(config, folder);
  return `The database and its encryption keys are in ${folder}. With both anybody can read every stream key: keep it safe.\n`;
};
