import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { systemCode } from "../../base/system-errors.ts";
import type { Incarnation } from "../../control/ports/ownership-store.ts";
import type { SharedGuards } from "../../control/ports/shared-guards.ts";
import type { Store } from "../../control/ports/store.ts";
import { PostgresSharedGuards } from "../../store/access/shared-guards.ts";
import { SqlStore } from "../../store/channels/sql-store.ts";
import type { Database } from "../../store/database/database.ts";
import { databaseTrouble } from "../../store/database/database-trouble.ts";
import { KeyRotation } from "../../store/key-rotation.ts";
import { PostgresOwnershipStore } from "../../store/ownership/ownership-store.ts";
import { KeyFileError, readKeyFile } from "../../store/secrets/key-file.ts";
import type { MasterKey } from "../../store/secrets/secrets.ts";
import { SharedKeyRotation } from "../../store/shared-key-rotation.ts";
import { type FileLock, takeFileLock } from "../../store/sqlite/file-lock.ts";
import type { CheckResult } from "../../store/sqlite/quick-check.ts";
import { KEY_FILE_NAME, openForTaking, openSqliteDatabase, takeSqliteDatabase } from "../../store/sqlite/sqlite.ts";
import type { Config } from "../config/settings/settings.ts";
import { DATA_FOLDERS } from "./data-folders.ts";
import { followKeys } from "./follow-keys.ts";
import { makePrivateFolder } from "./private-folder.ts";

/** How often the key file is read for a new key, in milliseconds, */
const KEY_FILE_LOOK_MS = 1_000;
/** and where several nodes have to agree on it. */
const SHARED_KEYS_LOOK_MS = 5_000;

/** Another process uses the data folder, or it does not hold what this command expects. The text says what to do. */
export class DataFolderError extends Error {
  override readonly name = "DataFolderError";
}

/** The settings that say where the data is. */
export type StorageConfig = Pick<Config, "dataDir" | "encryptionKeyFile" | "encryptionKey" | "databaseUrl">;

/** The paths of an installation's files. */
export type DataPaths = {
  readonly folder: string;
  readonly database: string;
  readonly keyFile: string;
  /** The library of media files. */
  readonly media: string;
  /** Locked by the server that uses the folder. */
  readonly lock: string;
};

export function dataPaths(config: StorageConfig): DataPaths {
  const folder = config.dataDir;
  return {
    folder,
    database: join(folder, "fanfare.db"),
    keyFile: config.encryptionKeyFile ?? join(folder, KEY_FILE_NAME),
    media: join(folder, DATA_FOLDERS.media),
    lock: join(folder, "fanfare.lock"),
  };
}

export type Storage = {
  readonly store: Store;
  readonly database: Database;
  /** What the nodes on one database refuse together; undefined for a data folder. */
  readonly sharedGuards: SharedGuards | undefined;
  /** Why other users of this machine can read the data folder; undefined where they cannot. */
  readonly folderProblem: string | undefined;
  /** The key file, if this start made it. The operator has to keep a copy. */
  readonly newKeyFile: string | undefined;
  /** The result of the check at the start. */
  readonly check: CheckResult;
  /** Why the database was opened read-only; undefined where it was not. */
  readonly unwritableBecause: string | undefined;
  /** From now on applies new keys, while the server runs. `self`: its number among those on one database. */
  followKeys(log: Log, self?: Incarnation): void;
  /**
   * Takes the data folder over from the process that has given it up; does nothing where this one still has it. Rejects with
   * DataFolderError while another one has it, and with what opening throws.
   */
  take(): Promise<void>;
  /** Another process gets the data folder: the database can only be read from now on. */
  giveUp(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
};

/**
 * Opens the PostgreSQL database, where the settings name one, or else the data folder: for this process alone; read-only
 * if it cannot be written. Throws DataFolderError if another process uses the folder or it cannot be made, KeyFileError if
 * the keys do not open the database's secrets, DatabaseFileError or PostgresError if the database cannot be used.
 */
export async function openStorage(config: StorageConfig & Partial<Pick<Config, "newDatabase">>): Promise<Storage> {
  if (config.databaseUrl !== undefined) return await openSharedStorage({ ...config, databaseUrl: config.databaseUrl });
  const paths = dataPaths(config);
  const folderProblem = await makeFolder(paths.folder);
  const held: HeldLock = { lock: lockOf(paths) };
  const beforeWriting = lockBefore(paths, held);
  try {
    const isNewAllowed = config.newDatabase === "yes";
    const opened = await openSqliteDatabase(paths.database, paths.keyFile, { isNewAllowed, beforeWriting });
    const { database, isKeyNew, check, unwritableBecause } = opened;
    const newKeyFile = isKeyNew ? paths.keyFile : undefined;
    return { folderProblem, check, unwritableBecause, newKeyFile, ...folderStorage(paths, database, held) };
  } catch (error) {
    held.lock?.release();
    throw error;
  }
}

/**
 * Opens the data folder of another process, which is about to hand it over: for reading, until `take`. Throws what
 * `openStorage` throws of keys and the database.
 */
export async function openStorageOfOther(config: StorageConfig): Promise<Storage> {
  const paths = dataPaths(config);
  const folderProblem = await makeFolder(paths.folder);
  const { database, check } = await openForTaking(paths.database, paths.keyFile);
  const others = { folderProblem, check, unwritableBecause: undefined, newKeyFile: undefined };
  return { ...others, ...folderStorage(paths, database, { lock: undefined }, true) };
}

type HeldLock = { lock: FileLock | undefined };

/** What takes the lock that could not be taken in a folder that could not be written. */
function lockBefore(paths: DataPaths, held: HeldLock): () => void {
  return () => {
    held.lock ??= lockOf(paths);
  };
}

/** What a database in the data folder offers, however it was opened. `isElsewhere`: another process has it. */
function folderStorage(paths: DataPaths, database: Database, held: HeldLock, isElsewhere = false) {
  let timer: NodeJS.Timeout | undefined;
  const release = () => {
    clearInterval(timer);
    timer = undefined;
    held.lock?.release();
    held.lock = undefined;
  };
  return {
    store: new SqlStore(database),
    database,
    sharedGuards: undefined,
    followKeys: (log: Log) => {
      timer ??= followKeys(new KeyRotation(database, paths.keyFile), KEY_FILE_LOOK_MS, log);
    },
    take: async () => {
      if (!isElsewhere) return;
      held.lock ??= lockOf(paths);
      await takeSqliteDatabase(database, lockBefore(paths, held)).catch((error: unknown) => {
        release();
        throw error;
      });
      isElsewhere = false;
    },
    giveUp: async () => {
      await database.giveUp();
      isElsewhere = true;
      release();
    },
    close: async () => {
      await database.close();
      release();
    },
  };
}

/** The database is a server's: the data folder is not used, and no key is made. */
async function openSharedStorage(config: SharedConfig): Promise<Storage> {
  const database = await openSharedDatabase(config);
  let timer: NodeJS.Timeout | undefined;
  return {
    store: new SqlStore(database),
    database,
    sharedGuards: new PostgresSharedGuards(database),
    folderProblem: undefined,
    check: { problems: [], skipped: [] },
    unwritableBecause: undefined,
    newKeyFile: undefined,
    followKeys: (log, self) => {
      if (self === undefined) return;
      const nodes = new PostgresOwnershipStore(database);
      const readKeys = () => sharedKeys(config);
      const keysFrom = keysName(config);
      const rotation = new SharedKeyRotation({
        database,
        nodes,
        self,
        readKeys,
        keysFrom,
        now: () => systemClock.now(),
      });
      timer ??= followKeys(rotation, SHARED_KEYS_LOOK_MS, log);
    },
    // A node is drained: no other process takes its place.
    take: () => Promise.resolve(),
    giveUp: () => Promise.resolve(),
    close: () => {
      clearInterval(timer);
      return database.close();
    },
  };
}

export type SharedConfig = StorageConfig & { readonly databaseUrl: string };

/** Opens a PostgreSQL database with the node's keys. Throws KeyFileError, PostgresError or DatabaseFileError. */
export async function openSharedDatabase(config: SharedConfig): Promise<Database> {
  // The driver takes memory that a data folder does not need.
  const { openPostgresDatabase } = await import("../../store/postgres/postgres.ts");
  return await openPostgresDatabase({ url: config.databaseUrl, keys: sharedKeys(config), keysFrom: keysName(config) });
}

/** The node's keys, from the settings or the key file. Throws KeyFileError. */
export function sharedKeys(config: SharedConfig): readonly [MasterKey, ...MasterKey[]] {
  const { keyFile } = dataPaths(config);
  const keys = config.encryptionKey ?? readKeyFile(keyFile);
  if (keys !== undefined) return keys;
  throw new KeyFileError(
    `the encryption key file ${keyFile} is missing: every server on one database needs the same one. Copy it from ` +
      "another server, or make the first one with fanfare init-cluster FOLDER, and name it with FANFARE_ENCRYPTION_KEY_FILE.",
  );
}

/** Where those keys come from, for messages: a path or a setting's name. */
export function keysName(config: SharedConfig): string {
  return config.encryptionKey === undefined ? dataPaths(config).keyFile : "in FANFARE_ENCRYPTION_KEY";
}

/** Returns why others can read it; undefined where they cannot. */
async function makeFolder(folder: string): Promise<string | undefined> {
  try {
    return await makePrivateFolder(folder);
  } catch (error) {
    throw new DataFolderError(
      `the data folder ${folder} cannot be made (${systemCode(error) ?? String(error)}): make it, give it to this user, or name another with FANFARE_DATA_DIR.`,
      { cause: error },
    );
  }
}

/**
 * Takes the lock; undefined if the folder cannot be written, because then no other process can write it either. Throws
 * DataFolderError if another process has it.
 */
function lockOf(paths: DataPaths): FileLock | undefined {
  let lock: FileLock | undefined;
  try {
    lock = takeFileLock(paths.lock);
  } catch (error) {
    if (databaseTrouble(error) === undefined) throw error;
    return undefined;
  }
  if (lock !== undefined) return lock;
  throw new DataFolderError(
    `another Fanfare server uses the data folder ${paths.folder}: stop it, or give this one its own with FANFARE_DATA_DIR.`,
  );
}
