import { existsSync } from "node:fs";
import { type ImportedRows, importTables } from "../../store/import-tables.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config/settings/settings.ts";
import {
  DataFolderError,
  dataPaths,
  openSharedDatabase,
  openStorage,
  type StorageConfig,
} from "../data-folder/storage.ts";

/**
 * Copies the database of the data folder into the empty PostgreSQL database that FANFARE_DATABASE_URL names. The data folder
 * stays as it is, but for its migrations. Throws ConfigError without that setting, DataFolderError where there is no data
 * folder or a server uses it, and what opening either database throws.
 */
export async function importSqlite(config: StorageConfig & Pick<Config, "databaseUrl">): Promise<ImportedRows> {
  const { databaseUrl, ...folder } = config;
  if (databaseUrl === undefined) {
    throw new ConfigError("FANFARE_DATABASE_URL is missing: it names the PostgreSQL database to fill.");
  }
  const paths = dataPaths(folder);
  if (!existsSync(paths.database)) {
    throw new DataFolderError(`there is no database in ${paths.folder}: name the data folder with --data-dir.`);
  }
  const source = await openStorage({ dataDir: config.dataDir, ...keyFileOf(config) });
  try {
    const target = await openSharedDatabase({ ...config, databaseUrl });
    try {
      return await importTables(source.database, target);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

function keyFileOf({ encryptionKeyFile }: StorageConfig): Pick<StorageConfig, "encryptionKeyFile"> {
  return encryptionKeyFile === undefined ? {} : { encryptionKeyFile };
}
