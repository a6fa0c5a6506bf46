import { restore } from "../../app/commands/restore.ts";
import { dataCommand } from "./data-command.ts";

export const restoreCommand = dataCommand(
  {
    words: "restore FOLDER",
    about: "Puts a backup in place of the data. The server must not run.",
    switches: {},
  },
  async ({ config, positionals: [folder = ""] }) => {
    const kept = await restore(config, folder, Date.now());
    const former = kept === undefined ? "" : `What was there before is in ${kept}.\n`;
    return `${folder} is restored into ${config.dataDir}.\n${former}`;
  },
);
