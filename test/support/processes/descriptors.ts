import { existsSync, readdirSync } from "node:fs";

/**
 * Whether this system shows its processes and connections as files, as Linux does. Tests that read them are skipped
 * elsewhere.
 */
export const HAS_PROC = existsSync("/proc/self/fd");

/** Open descriptors of this process, where `HAS_PROC`. */
export function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}
