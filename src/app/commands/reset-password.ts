import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { systemClock } from "../../base/clock.ts";
import { newSetupToken } from "../../control/access/dashboard-access.ts";
import { SqlDashboardStore } from "../../store/access/dashboard-store.ts";
import { openSqliteDatabase } from "../../store/sqlite/sqlite.ts";
import type { StorageConfig } from "../data-folder/storage.ts";
import { DataFolderError, dataPaths } from "../data-folder/storage.ts";

/**
 * Removes the dashboard's password and ends all its sessions. Returns the token of a new set-up link. A server may run: it notices at
 * the next request. Throws DataFolderError where there is no database.
 */
export async function resetPassword(config: StorageConfig): Promise<string> {
  const paths = dataPaths(config);
  if (!existsSync(paths.database)) {
    throw new DataFolderError(`there is no database in ${paths.folder}: name the data folder with --data-dir.`);
  }
  const { database } = await openSqliteDatabase(paths.database, paths.keyFile);
  try {
    const { text, ...token } = newSetupToken(systemClock.wallNow(), randomBytes);
    await new SqlDashboardStore(database).resetPassword(token);
    return text;
  } finally {
    await database.close();
  }
}
