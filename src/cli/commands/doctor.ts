import { diagnose } from "../../app/commands/doctor.ts";
import { readArguments } from "./arguments.ts";
import type { Command } from "./command.ts";

/** `fanfare doctor`: exit code 1 where something is wrong. */
export const doctorCommand: Command = async (args, env) => {
  const usage = "fanfare doctor [--data-dir FOLDER] [--encryption-key-file FILE]";
  const { config } = readArguments(args, env, { usage, positionals: 0 });
  const { sound, problems } = await diagnose(config);
  if (problems.length > 0) process.exitCode = 1;
  return [...sound, ...problems, ""].join("\n");
};
