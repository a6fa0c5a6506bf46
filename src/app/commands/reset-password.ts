import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { systemClock } from "../../base/clock.ts";
import { newSetupToken } from "../../control/access/dashboard-access.ts";
import { ownScope } from "../../control/audit/audit.ts";
import { SqlDashboardStore } from "../../store/access/dashboard-store.ts";
import { keepAudit } from "../../store/audit/audit-store.ts";
import type { Database } from "../../store/database/database.ts";
import { openSqliteDatabase } from "../../store/sqlite/sqlite.ts";
import type { StorageConfig } from "../data-folder/storage.ts";
import { DataFolderError, dataPaths, openSharedDatabase } from "../data-folder/storage.ts";

/**
 * Removes the dashboard's password and ends all its sessions. Returns the token of a new set-up link. A server may run: it notices at
 * the next request. Throws DataFolderError or PostgresError where there is no database.
 */
export async function resetPassword(config: StorageConfig): Promise<string> {
  const database = await openDatabase(config);
  try {
    const { text, ...token } = newSetupToken(systemClock.wallNow(), randomBytes);
    const scope = ownScope("resetPassword", "command", randomUUID(), systemClock.wallNow());
    keepAudit(database, () => scope);
    await new SqlDashboardStore(database).resetPassword(token);
    return text;
  } finally {
    await database.close();
  }
}

async function openDatabase(config: StorageConfig): Promise<Database> {
  const paths = dataPaths(config);
  const { databaseUrl } = config;
  if (databaseUrl !== undefined) return await openSharedDatabase({ ...config, databaseUrl });
  if (!existsSync(paths.database)) {
    throw new DataFolderError(`there is no database in ${paths.folder}: name the data folder with --data-dir.`);
  }
  return (await openSqliteDatabase(paths.database, paths.keyFile)).database;
}
