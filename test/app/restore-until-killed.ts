import { createRequire, syncBuiltinESMExports } from "node:module";
import { restore } from "../../src/app/commands/restore.ts";

/**
 * Restores a backup, and is killed instead of making its n-th change to the file system: arguments are data folder, backup, n.
 */
const [dataDir = "", backup = "", killAt = ""] = process.argv.slice(2);
const CHANGES = ["writeSync", "renameSync", "rmSync", "copyFileSync"] as const;
const PROMISED_CHANGES = ["mkdir"] as const;

let left = Number(killAt);
function counted(change: (...args: unknown[]) => unknown) {
  return (...args: unknown[]) => {
    left -= 1;
    if (left === 0) process.kill(process.pid, "SIGKILL");
    return change(...args);
  };
}

const load = createRequire(import.meta.url);
const [fs, promises] = [load("node:fs"), load("node:fs/promises")];
for (const name of CHANGES) fs[name] = counted(fs[name]);
for (const name of PROMISED_CHANGES) promises[name] = counted(promises[name]);
syncBuiltinESMExports();
await restore({ dataDir }, backup, Date.now());
