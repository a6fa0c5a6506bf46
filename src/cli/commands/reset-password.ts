import { resetPassword } from "../../app/commands/reset-password.ts";
import { addressesOf } from "../../app/config/addresses.ts";
import { setupLinkText } from "../../app/first-run.ts";
import { dataCommand } from "./data-command.ts";

export const resetPasswordCommand = dataCommand(
  {
    words: "reset-password",
    about: "Ends all sessions of the dashboard and prints a new link that sets its password. The server may run.",
    switches: {},
  },
  async ({ config }) => {
    const token = await resetPassword(config);
    const link = setupLinkText(token, addressesOf(config, config.httpPort, config.rtmpPort));
    return `The dashboard's password is removed, and every browser is signed out.\n${link}`;
  },
);
