import { restore } from "../../app/commands/restore.ts";
import { dataCommand } from "./data-command.ts";

export const restoreCommand = dataCommand(
  {
    words: "restore FOLDER",
    about: "Replaces the data by a backup. The server must not run.",
    switches: {},
    onPostgres: "stop every server, and restore PostgreSQL with pg_restore",
  },
  async ({ config, positionals: [folder = ""] }) => {
    const kept = await restore(config, folder, Date.now());
    const former = kept === undefined ? "" : `The former data is in ${kept}.\n`;
    return `${folder} is restored into ${config.dataDir}.\n${former}`;
  },
);
