// Loaded into a server before anything else: each write to a file of the chosen folders takes three seconds while a mark
// exists, and the thread that writes stands still meanwhile, as it does with a disk that hangs. Every thread has its own
// file system module, and so its own list of files.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const WRITE_MS = 3_000;
const folders = process.env["FANFARE_TEST_SLOW_FOLDERS"].split(":");
const mark = process.env["FANFARE_TEST_SLOW_MARK"];
const slow = new Set();
const never = new Int32Array(new SharedArrayBuffer(4));

const { openSync, closeSync } = fs;
fs.openSync = (path, ...rest) => {
  const descriptor = openSync(path, ...rest);
  if (folders.some((folder) => String(path).startsWith(folder))) slow.add(descriptor);
  return descriptor;
};
fs.closeSync = (descriptor) => {
  slow.delete(descriptor);
  closeSync(descriptor);
};
for (const name of ["writeSync", "writevSync"]) {
  const write = fs[name];
  fs[name] = (descriptor, ...rest) => {
    if (slow.has(descriptor) && fs.existsSync(mark)) Atomics.wait(never, 0, 0, WRITE_MS);
    return write(descriptor, ...rest);
  };
}
syncBuiltinESMExports();
