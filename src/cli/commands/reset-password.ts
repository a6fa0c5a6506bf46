import { resetPassword } from "../../app/commands/reset-password.ts";
import { addressesOf } from "../../app/config/addresses.ts";
import { setupLinkText } from "../../app/first-run.ts";
import { readArguments } from "./arguments.ts";
import type { Command } from "./command.ts";

/** `fanfare reset-password` */
export const resetPasswordCommand: Command = async (args, env) => {
  const usage = "fanfare reset-password [--data-dir FOLDER] [--encryption-key-file FILE]";
  const { config } = readArguments(args, env, { usage, positionals: 0 });
  const token = await resetPassword(config);
  const link = setupLinkText(token, addressesOf(config, config.httpPort, config.rtmpPort));
  return `The dashboard's password is gone, and every browser is signed out.\n${link}`;
};
