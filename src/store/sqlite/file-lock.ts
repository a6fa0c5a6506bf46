import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

const FILE_MODE = 0o600;
/** SQLITE_BUSY: https://sqlite.org/rescode.html#busy */
const BUSY_CODE = 5;

/** A lock that one process at a time can hold. It is free once that process is gone, however it ended. */
export type FileLock = {
  /** Idempotent. */
  release(): void;
};

/**
 * Takes the lock that this file stands for; undefined where another process holds it. The operating system keeps the
 * lock, through SQLite: an exclusive transaction on an empty database.
 */
export function takeFileLock(path: string): FileLock | undefined {
  closeSync(openSync(path, "a", FILE_MODE));
  const holder = new DatabaseSync(path, { timeout: 0 });
  try {
    holder.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;");
  } catch (error) {
    holder.close();
    if (error instanceof Error && "errcode" in error && error.errcode === BUSY_CODE) return undefined;
    throw error;
  }
  return {
    release: () => {
      if (holder.isOpen) holder.close();
    },
  };
}
