import { copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { KeyFileError, readKeyFile, syncFolder, writeKeyFile } from "../../store/secrets/key-file.ts";
import type { MasterKey } from "../../store/secrets/secrets.ts";
import { checkDatabase, copyDatabase, copyWithLog, emptyLog, removeCopy } from "../../store/sqlite/database-copy.ts";
import { takeFileLock } from "../../store/sqlite/file-lock.ts";
import { makePrivateFolder } from "../data-folder/private-folder.ts";
import type { DataPaths, StorageConfig } from "../data-folder/storage.ts";
import { DataFolderError, dataPaths } from "../data-folder/storage.ts";
import { BACKUP_DATABASE, BACKUP_KEY_FILE } from "./backup.ts";

const FOLDER_MODE = 0o700;

/**
 * Puts the database and keys of a backup, or of a copy of a data folder, into the data folder. Keeps what was there in a folder beside them and returns its name;
 * undefined where nothing was. Whenever the process dies the folder holds either the former database or the
 * restored one, whole and with its keys. Throws DataFolderError, with nothing changed, while a server uses the data folder, and
 * KeyFileError or DatabaseCopyError where the backup is not whole.
 */
export async function restore(config: StorageConfig, backup: string, nowMs: number): Promise<string | undefined> {
  const paths = dataPaths(config);
  const keys = readKeyFile(join(backup, BACKUP_KEY_FILE));
  if (keys === undefined || !existsSync(join(backup, BACKUP_DATABASE))) {
    throw new DataFolderError(`${backup} is not a backup: it must hold ${BACKUP_DATABASE} and ${BACKUP_KEY_FILE}.`);
  }
  await makePrivateFolder(paths.folder);
  const lock = takeFileLock(paths.lock);
  if (lock === undefined) {
    throw new DataFolderError(`a Fanfare server uses the data folder ${paths.folder}: stop it first.`);
  }
  const draft = `${paths.database}.restoring`;
  try {
    copyWithLog(join(backup, BACKUP_DATABASE), draft);
    await checkDatabase(draft, keys, join(backup, BACKUP_KEY_FILE));
    const kept = await copyAside(paths, nowMs);
    // Both databases open with these keys, so it does not matter which of them is there if this ends now.
    writeKeyFile(paths.keyFile, [...keys, ...formerKeys(paths, keys)]);
    // Empty by now, unless the former database cannot be read. SQLite would apply a remaining log to the restored
    // database.
    for (const path of logs(paths)) rmSync(path, { force: true });
    syncFolder(paths.folder);
    renameSync(draft, paths.database);
    syncFolder(paths.folder);
    writeKeyFile(paths.keyFile, keys);
    return kept;
  } finally {
    removeCopy(draft);
    lock.release();
  }
}

function logs({ database }: DataPaths): readonly string[] {
  return [`${database}-wal`, `${database}-shm`];
}

/** The keys of the former database; none if its key file is damaged, which may be the reason for the restore. */
function formerKeys({ keyFile }: DataPaths, keys: readonly MasterKey[]): readonly MasterKey[] {
  try {
    return (readKeyFile(keyFile) ?? []).filter(({ id }) => !keys.some((key) => key.id === id));
  } catch (error) {
    if (error instanceof KeyFileError) return [];
    throw error;
  }
}

/** Copied, not moved: the former database stays in place until the restored one takes its name. */
async function copyAside(paths: DataPaths, nowMs: number): Promise<string | undefined> {
  if (existsSync(paths.database)) emptyLog(paths.database);
  const files = [paths.database, ...logs(paths)].filter((path) => existsSync(path));
  if (files.length === 0 && !existsSync(paths.keyFile)) return undefined;
  const stamp = new Date(nowMs).toISOString().replace(/\D/g, "");
  const folder = join(paths.folder, `before-restore-${stamp}`);
  const draft = `${folder}.unfinished`;
  await mkdir(draft, { mode: FOLDER_MODE });
  try {
    if (existsSync(paths.keyFile)) copyFileSync(paths.keyFile, join(draft, BACKUP_KEY_FILE));
    for (const path of files) copyDatabase(path, join(draft, basename(path)));
    renameSync(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  return folder;
}
