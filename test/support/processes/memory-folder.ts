import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

/** A file system in memory, on every Linux. Containers often have 64 MiB of it. */
const SHARED_MEMORY = "/dev/shm";
const FREE_BYTES_MIN = 1024 ** 3;
/** PostgreSQL, which runs as another user, has a folder in it. */
const MODE = 0o711;

/**
 * Makes a folder in memory for the files of this process and its children, and removes it when the process ends. Returns
 * undefined where there is too little memory for it.
 */
export function memoryFolder(): string | undefined {
  if (!existsSync(SHARED_MEMORY)) return undefined;
  const { bavail, bsize } = statfsSync(SHARED_MEMORY);
  if (bavail * bsize < FREE_BYTES_MIN) return undefined;
  const folder = mkdtempSync(join(SHARED_MEMORY, "fanfare-tests-"));
  chmodSync(folder, MODE);
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
