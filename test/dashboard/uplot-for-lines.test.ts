import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { forLines } from "../../web/uplot-for-lines.ts";
import { ROOT } from "../support/fanfare-process.ts";

const UPLOT = readFileSync(join(ROOT, "node_modules", "uplot", "dist", "uPlot.esm.js"), "utf8");

test("a uPlot that asks itself other questions than the one we know fails the build", () => {
  expect(forLines(UPLOT)).not.toContain("cursor.dataIdx == null");
  const other = UPLOT.replace("cursor.dataIdx == null", "cursor.dataIdx === null");
  expect(() => forLines(other)).toThrow("uPlot's source has no cursor.dataIdx == null");
});
