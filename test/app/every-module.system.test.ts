import { globSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runToEnd } from "../support/processes/children.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";

/** They start something when they are loaded. */
const STARTS = /^src\/(?:cli\/main|app\/[a-z]+-thread\/[a-z]+-thread)\.ts$/;
const LOADS = "for (const file of process.argv.slice(1)) await import(file);";

test("Node itself loads every module, with the names that it imports from packages", async () => {
  // Other tests run a bundle, or vitest's copy of a module: both find names that Node does not.
  const files = globSync("src/**/*.ts", { cwd: ROOT }).filter((file) => !STARTS.test(file));
  expect(files.length).toBeGreaterThan(500);
  const paths = files.map((file) => join(ROOT, file));
  expect(await runToEnd(process.execPath, ["--input-type=module", "--eval", LOADS, ...paths])).toBe("");
});
