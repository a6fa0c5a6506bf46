import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../support/processes/fanfare-process.ts";

const FLAG = /--max-semi-space-size=\d+/g;
/** In a shell's words and in those of JavaScript. */
const VARIABLE = /MALLOC_MMAP_THRESHOLD_(?:=|: ")\d+/g;

test("npm start, the installed command, the image and the tests' server bound memory alike", () => {
  const files = [
    ...["src/cli/main.ts", "scripts/run.mjs", "deploy/docker/Dockerfile"],
    "test/support/processes/fanfare-process.ts",
  ].map((file) => readFileSync(join(ROOT, file), "utf8"));
  expect(files.map((text) => text.match(FLAG))).toEqual(files.map(() => ["--max-semi-space-size=4"]));
  const bounds = files.map((text) => text.match(VARIABLE)?.map((each) => each.replace(/\D+/, "")));
  expect(bounds).toEqual(files.map(() => ["131072"]));
});
