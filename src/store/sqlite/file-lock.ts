import { closeSync, openSync } from "node:fs";
import { resolve } from "node:path";
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
 * The files whose lock this process holds. Where it closes any descriptor of a file, the operating system takes all its locks
 * of that file away: https://man7.org/linux/man-pages/man2/fcntl_locking.2.html
 */
const heldHere = new Set<string>();

/**
 * Takes the lock that this file stands for; undefined where another process holds it, or this one. The operating system keeps
 * the lock, through SQLite: an exclusive transaction on an empty database.
 */
export function takeFileLock(path: string): FileLock | undefined {
  const file = resolve(path);
  if (heldHere.has(file)) return undefined;
  closeSync(openSync(path, "a", FILE_MODE));
  const holder = new DatabaseSync(path, { timeout: 0 });
  try {
    holder.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;");
  } catch (error) {
    holder.close();
    if (error instanceof Error && "errcode" in error && error.errcode === BUSY_CODE) return undefined;
    throw error;
  }
  heldHere.add(file);
  return {
    release: () => {
      if (!holder.isOpen) return;
      holder.close();
      heldHere.delete(file);
    },
  };
}
