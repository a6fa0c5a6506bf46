import { importSqlite } from "../../app/commands/import-sqlite.ts";
import { dataCommand } from "./data-command.ts";

export const importSqliteCommand = dataCommand(
  {
    words: "import-sqlite",
    about: "Copies the data folder's database into the empty one of FANFARE_DATABASE_URL. No server may run.",
    switches: {},
  },
  async ({ config }) => {
    const moved = [...(await importSqlite(config))].filter(([, count]) => count > 0);
    const lines = moved.map(([table, count]) => `  ${table.padEnd(20)} ${count}\n`).join("");
    return `Copied, and counted again in PostgreSQL:\n${lines}Every server needs the key file of ${config.dataDir}.\n`;
  },
);
