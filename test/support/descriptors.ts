import { readdirSync } from "node:fs";

/** Open descriptors of this process; Linux. */
export function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}
