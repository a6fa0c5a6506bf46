import { existsSync, readdirSync, readlinkSync } from "node:fs";

/**
 * Whether this system shows its processes and connections as files, as Linux does. Tests that read them are skipped
 * elsewhere.
 */
export const HAS_PROC = existsSync("/proc/self/fd");

/**
 * The files below this folder that this process has open, where `HAS_PROC`. The number of all descriptors says nothing:
 * tests before may still close some.
 */
export function openFilesBelow(folder: string): string[] {
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      // Closed in the meantime, as the one is that read the list.
      return [];
    }
  });
}
