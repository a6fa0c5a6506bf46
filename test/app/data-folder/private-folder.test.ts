import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { makePrivateFolder } from "../../../src/app/data-folder/private-folder.ts";

let root: string;
let folder: string;
let umask = 0;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "fanfare-folder-"));
  folder = join(root, "data");
  umask = process.umask();
});
afterEach(() => {
  process.umask(umask);
  rmSync(root, { recursive: true, force: true });
});

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test.each([0o000, 0o002, 0o022, 0o077])("a new folder is its owner's alone with the umask %o", async (mask) => {
  process.umask(mask);
  expect(await makePrivateFolder(folder)).toBeUndefined();
  expect(modeOf(folder)).toBe("700");
});

test.each([0o755, 0o750, 0o777, 0o701])("a folder of ours that has %o is made private", async (mode) => {
  mkdirSync(folder);
  for (const name of ["fanfare.db", "fanfare.db-wal", "fanfare.lock", "encryption.key", "before-restore-1"]) {
    writeFileSync(join(folder, name), "");
  }
  for (const name of ["recordings", "delays", "media", "fanfare.run-a1"]) mkdirSync(join(folder, name));
  chmodSync(folder, mode);
  expect(await makePrivateFolder(folder)).toBeUndefined();
  expect(modeOf(folder)).toBe("700");
});

test("a folder that holds foreign files stays unchanged, and that is reported", async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, "fanfare.db"), "");
  writeFileSync(join(folder, "letter.txt"), "");
  chmodSync(folder, 0o755);
  expect(await makePrivateFolder(folder)).toBe(
    `others on this machine can read the data folder ${folder} (mode 0755); it holds more than Fanfare's files, so it is left as it is: ` +
      "run chmod 700 on it, or give Fanfare a folder of its own.",
  );
  expect(modeOf(folder)).toBe("755");
});

test("a folder of another user stops nothing, and that is reported", async () => {
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  const chmod = vi.spyOn(fs, "chmod");
  syncBuiltinESMExports();
  onTestFinished(() => {
    chmod.mockRestore();
    syncBuiltinESMExports();
  });
  chmod.mockRejectedValueOnce(Object.assign(new Error("not permitted"), { code: "EPERM" }));
  expect(await makePrivateFolder(folder)).toBe(
    `others on this machine can read the data folder ${folder} (mode 0755), and that cannot be changed (EPERM): ask its owner to run chmod 700 on it.`,
  );
});
