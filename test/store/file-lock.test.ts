import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { takeFileLock } from "../../src/store/sqlite/file-lock.ts";

const MODULE = new URL("../../src/store/sqlite/file-lock.ts", import.meta.url).href;
/** Another process takes the lock, says whether it got it, and ends. */
const TAKE = `import { takeFileLock } from "${MODULE}";
  process.stdout.write(takeFileLock(process.argv[1]) === undefined ? "held" : "taken");`;

function takenElsewhere(path: string): string {
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", TAKE, path], { encoding: "utf8" });
  return stdout;
}

test("a process that holds a lock is not granted it again, and keeps it when it asks", () => {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "a.lock");
  const lock = takeFileLock(path);
  expect(takenElsewhere(path)).toBe("held");
  expect(takeFileLock(path)).toBeUndefined();
  expect(takeFileLock(relative(process.cwd(), path))).toBeUndefined();
  expect(takenElsewhere(path)).toBe("held");
  lock?.release();
  expect(takenElsewhere(path)).toBe("taken");
  const again = takeFileLock(path);
  expect(again).toBeDefined();
  // A second release of the former lock is none of the present one.
  lock?.release();
  expect(takenElsewhere(path)).toBe("held");
  again?.release();
});
