import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { KeyRotation, provenKeyIds } from "../../store/key-rotation.ts";
import { newMasterKey, readKeyFile, writeKeyFile } from "../../store/secrets/key-file.ts";
import type { MasterKey } from "../../store/secrets/secrets.ts";
import { takeFileLock } from "../../store/sqlite/file-lock.ts";
import { openReader } from "../../store/sqlite/sqlite.ts";
import type { StorageConfig } from "../data-folder/storage.ts";
import { DataFolderError, dataPaths, openSharedDatabase, openStorage } from "../data-folder/storage.ts";

/**
 * How long the command waits for a running server to seal everything again, in milliseconds. The server goes on after
 * that.
 */
const SERVER_PATIENCE_MS = 120_000;
const LOOK_MS = 200;

/**
 * Puts a new key first into the key file, and seals every secret with it: the running server does so, or this command
 * if none runs. On PostgreSQL the file has to be copied to every server first. The old keys stay in the file. Returns the
 * new key's id.
 */
export async function rotateKey(config: StorageConfig): Promise<string> {
  const paths = dataPaths(config);
  const key = newMasterKey();
  await changeKeys(config, (keys) => {
    writeKeyFile(paths.keyFile, [key, ...keys]);
    return Promise.resolve();
  });
  // The servers do it themselves, once all of them have the key.
  if (config.databaseUrl !== undefined) return key.id;
  const storage = await openStorage(config).catch((error: unknown) => {
    if (error instanceof DataFolderError) return undefined;
    throw error;
  });
  if (storage === undefined) await serverHasSealed(config, key);
  else {
    await new KeyRotation(storage.database, paths.keyFile).takeUp();
    await storage.close();
  }
  return key.id;
}

/** Removes the keys that the database no longer needs from the key file. Returns their ids. */
export async function dropOldKeys(config: StorageConfig): Promise<readonly string[]> {
  const paths = dataPaths(config);
  return changeKeys(config, async (keys) => {
    const needed = await keysInUse(config);
    // The first key is in use even if no server has taken it up yet.
    const kept = keys.filter((key, index) => index === 0 || needed.includes(key.id));
    if (kept.length < keys.length) writeKeyFile(paths.keyFile, kept);
    return keys.filter((key) => !kept.includes(key)).map((key) => key.id);
  });
}

/** One command at a time: of two that read and then write, one would overwrite the other's new key. */
async function changeKeys<Value>(
  config: StorageConfig,
  change: (keys: readonly MasterKey[]) => Promise<Value>,
): Promise<Value> {
  if (config.encryptionKey !== undefined) {
    throw new DataFolderError(
      "the keys are in FANFARE_ENCRYPTION_KEY: put a new one in front of the others (fanfare init-cluster FOLDER makes one) " +
        "and restart the servers one after another. They use it when all of them have it.",
    );
  }
  const paths = dataPaths(config);
  const keys = readKeyFile(paths.keyFile);
  if (keys === undefined && config.databaseUrl !== undefined)
    throw new DataFolderError(
      `the encryption key file ${paths.keyFile} is missing: name it with --encryption-key-file.`,
    );
  if (keys === undefined || (config.databaseUrl === undefined && !existsSync(paths.database))) {
    throw new DataFolderError(
      `there is no database with an encryption key file (${paths.keyFile}) in ${paths.folder}: ` +
        "name the data folder with --data-dir, and the file with --encryption-key-file.",
    );
  }
  const lock = takeFileLock(`${paths.keyFile}.lock`);
  if (lock === undefined) throw new DataFolderError("the encryption keys are being changed by another command.");
  try {
    return await change(readKeyFile(paths.keyFile) ?? keys);
  } finally {
    lock.release();
  }
}

async function keysInUse(config: StorageConfig): Promise<readonly string[]> {
  const { databaseUrl } = config;
  if (databaseUrl !== undefined) {
    const database = await openSharedDatabase({ ...config, databaseUrl });
    return await database.read(provenKeyIds).finally(() => database.close());
  }
  const paths = dataPaths(config);
  const reader = openReader(paths.database);
  try {
    return await provenKeyIds(reader);
  } finally {
    await reader.destroy();
  }
}

async function serverHasSealed(config: StorageConfig, key: MasterKey): Promise<void> {
  const deadlineMs = performance.now() + SERVER_PATIENCE_MS;
  while (performance.now() < deadlineMs) {
    const inUse = await keysInUse(config);
    if (inUse.length === 1 && inUse[0] === key.id) return;
    await sleep(LOOK_MS);
  }
  throw new DataFolderError(
    `the new key ${key.id} is in the key file, but the running server is not done with it: look into its log and keep the ` +
      "file as it is; it goes on by itself, also after a restart.",
  );
}
