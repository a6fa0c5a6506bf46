import { join } from "node:path";
import type { Log } from "../base/log.ts";
import type { Store } from "../control/store.ts";
import type { Database } from "../store/database.ts";
import { takeFileLock } from "../store/file-lock.ts";
import { KeyRotation } from "../store/key-rotation.ts";
import { SqlStore } from "../store/sql-store.ts";
import { KEY_FILE_NAME, openSqliteDatabase } from "../store/sqlite.ts";
import type { Config } from "./config.ts";
import { makePrivateFolder } from "./private-folder.ts";

/** How often the key file is looked at for a new key, in milliseconds. */
const KEY_FILE_LOOK_MS = 1_000;

/** The data folder is somebody else's, or holds what this command does not expect: the text says what to do. */
export class DataFolderError extends Error {
  override readonly name = "DataFolderError";
}

/** The settings that say where. */
export type StorageConfig = Pick<Config, "dataDir" | "encryptionKeyFile">;

/** Where everything of an installation is. */
export type DataPaths = {
  readonly folder: string;
  readonly database: string;
  readonly keyFile: string;
  /** Held by the server that uses the folder. */
  readonly lock: string;
};

export function dataPaths(config: StorageConfig): DataPaths {
  const folder = config.dataDir;
  return {
    folder,
    database: join(folder, "fanfare.db"),
    keyFile: config.encryptionKeyFile ?? join(folder, KEY_FILE_NAME),
    lock: join(folder, "fanfare.lock"),
  };
}

export type Storage = {
  readonly store: Store;
  readonly database: Database;
  /** Why others on this machine can look into the data folder. */
  readonly folderProblem: string | undefined;
  /** The key file, where this start made it: the operator has to keep a copy. */
  readonly newKeyFile: string | undefined;
  /** From now on a new key in the key file is taken up while the server runs. */
  followKeyFile(log: Log): void;
  /** Idempotent. */
  close(): Promise<void>;
};

/**
 * Opens what the data folder holds, for this process alone. Throws DataFolderError where another process has it, KeyFileError
 * where the database's secrets would not open.
 */
export async function openStorage(config: StorageConfig): Promise<Storage> {
  const paths = dataPaths(config);
  const folderProblem = await makePrivateFolder(paths.folder);
  const lock = takeFileLock(paths.lock);
  if (lock === undefined) {
    throw new DataFolderError(
      `another Fanfare server uses the data folder ${paths.folder}: stop it, or give this one its own with FANFARE_DATA_DIR.`,
    );
  }
  try {
    const { database, isKeyNew } = await openSqliteDatabase(paths.database, paths.keyFile);
    let timer: NodeJS.Timeout | undefined;
    return {
      store: new SqlStore(database),
      database,
      folderProblem,
      newKeyFile: isKeyNew ? paths.keyFile : undefined,
      followKeyFile: (log) => {
        timer ??= follow(new KeyRotation(database, paths.keyFile), log);
      },
      close: async () => {
        clearInterval(timer);
        await database.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Problems are told once each, not at every look. */
function follow(rotation: KeyRotation, log: Log): NodeJS.Timeout {
  let isLooking = false;
  let lastProblem = "";
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      const taken = await rotation.takeUp();
      if (taken !== undefined) log.info("encryption key taken up", taken);
      lastProblem = "";
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (detail !== lastProblem) log.error("encryption key file not taken up, the known keys stay in use", { detail });
      lastProblem = detail;
    } finally {
      isLooking = false;
    }
  };
  return setInterval(() => void look(), KEY_FILE_LOOK_MS);
}
