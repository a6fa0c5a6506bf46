import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../support/processes/fanfare-process.ts";

const FLAG = /--max-semi-space-size=\d+/g;

test("npm start, the installed command and the tests' server bound the young generation alike", () => {
  const files = ["src/cli/main.ts", "scripts/run.mjs", "test/support/processes/fanfare-process.ts"];
  const flags = files.map((file) => readFileSync(join(ROOT, file), "utf8").match(FLAG));
  expect(flags).toEqual(files.map(() => ["--max-semi-space-size=2"]));
});
