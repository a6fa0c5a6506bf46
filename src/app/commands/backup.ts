import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { readKeyFile, syncFolder, writeKeyFile } from "../../store/secrets/key-file.ts";
import { checkDatabase, snapshotDatabase } from "../../store/sqlite/database-copy.ts";
import type { StorageConfig } from "../data-folder/storage.ts";
import { DataFolderError, dataPaths } from "../data-folder/storage.ts";

/** A backup is a folder with these two files. It opens every secret, so only its owner may read it. */
export const BACKUP_DATABASE = "fanfare.db";
export const BACKUP_KEY_FILE = "encryption.key";
const FOLDER_MODE = 0o700;

/**
 * Writes the database as it is now, and its keys, into a new folder. A server may run. The folder appears when it is complete and was
 * read back. Throws DataFolderError, KeyFileError or DatabaseCopyError.
 */
export async function backUp(config: StorageConfig, folder: string): Promise<void> {
  const paths = dataPaths(config);
  if (!existsSync(paths.database)) {
    throw new DataFolderError(`there is no database in ${paths.folder}: name the data folder with --data-dir.`);
  }
  if (existsSync(folder)) {
    throw new DataFolderError(`${folder} is there already: name a folder that does not exist yet.`);
  }
  const draft = `${resolve(folder)}.unfinished`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(dirname(draft), { recursive: true });
  await mkdir(draft, { mode: FOLDER_MODE });
  try {
    snapshotDatabase(paths.database, join(draft, BACKUP_DATABASE));
    // Copied after the database: a key is in the file before anything is sealed with it.
    const keys = readKeyFile(paths.keyFile);
    if (keys === undefined) {
      throw new DataFolderError(
        `the encryption key file ${paths.keyFile} is missing: name it with --encryption-key-file.`,
      );
    }
    await checkDatabase(join(draft, BACKUP_DATABASE), keys, paths.keyFile);
    writeKeyFile(join(draft, BACKUP_KEY_FILE), keys);
    await rename(draft, folder);
    syncFolder(dirname(draft));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}
