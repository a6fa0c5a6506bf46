import { copyFileSync, existsSync, renameSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { checkDatabase, copyDatabase } from "../store/database-copy.ts";
import { takeFileLock } from "../store/file-lock.ts";
import { readKeyFile, syncFolder, writeKeyFile } from "../store/key-file.ts";
import { BACKUP_DATABASE, BACKUP_KEY_FILE } from "./backup.ts";
import type { DataPaths, StorageConfig } from "./storage.ts";
import { DataFolderError, dataPaths } from "./storage.ts";

const FOLDER_MODE = 0o700;

/**
 * Puts a backup's database and keys into the data folder. What was there is kept in a folder beside them, whose name is
 * answered; undefined where nothing was. Throws DataFolderError, with nothing changed, while a server uses the data folder, and
 * KeyFileError or DatabaseCopyError where the backup is not whole.
 */
export async function restore(config: StorageConfig, backup: string, nowMs: number): Promise<string | undefined> {
  const paths = dataPaths(config);
  const keys = readKeyFile(join(backup, BACKUP_KEY_FILE));
  if (keys === undefined || !existsSync(join(backup, BACKUP_DATABASE))) {
    throw new DataFolderError(`${backup} is no backup: it has to hold ${BACKUP_DATABASE} and ${BACKUP_KEY_FILE}.`);
  }
  await mkdir(paths.folder, { recursive: true });
  const lock = takeFileLock(paths.lock);
  if (lock === undefined) {
    throw new DataFolderError(`a Fanfare server uses the data folder ${paths.folder}: stop it first.`);
  }
  const draft = `${paths.database}.restoring`;
  try {
    copyDatabase(join(backup, BACKUP_DATABASE), draft);
    await checkDatabase(draft, keys, join(backup, BACKUP_KEY_FILE));
    const kept = await setAside(paths, nowMs);
    // A crash from here on leaves keys without a database, or a database that is not there: running this again mends both.
    writeKeyFile(paths.keyFile, keys);
    renameSync(draft, paths.database);
    syncFolder(paths.folder);
    return kept;
  } finally {
    await rm(draft, { force: true });
    lock.release();
  }
}

/** The write-ahead log goes along: beside another database it would be read into it. */
async function setAside(paths: DataPaths, nowMs: number): Promise<string | undefined> {
  const files = [`${paths.database}-wal`, `${paths.database}-shm`, paths.database].filter((path) => existsSync(path));
  if (files.length === 0 && !existsSync(paths.keyFile)) return undefined;
  const stamp = new Date(nowMs).toISOString().replace(/\D/g, "");
  const folder = join(paths.folder, `before-restore-${stamp}`);
  await mkdir(folder, { mode: FOLDER_MODE });
  // Copied, since it may be on another disk.
  if (existsSync(paths.keyFile)) copyFileSync(paths.keyFile, join(folder, BACKUP_KEY_FILE));
  for (const path of files) renameSync(path, join(folder, basename(path)));
  return folder;
}
