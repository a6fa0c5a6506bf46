import { backUp } from "../../app/commands/backup.ts";
import { dataCommand } from "./data-command.ts";

export const backupCommand = dataCommand(
  {
    words: "backup FOLDER",
    about: "Writes the database and the encryption keys into a new folder. The server may run.",
    switches: {},
    onPostgres: "back up PostgreSQL with pg_dump, and the encryption key file beside it",
  },
  async ({ config, positionals: [folder = ""] }) => {
    await backUp(config, folder);
    return `The database and its encryption keys are in ${folder}. With both anybody can read every stream key: keep it safe.\n`;
  },
);
