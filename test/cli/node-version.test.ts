import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { nodeProblem } from "../../src/cli/node-version.ts";

test("a Node that is older than the package asks for is named, and none that it asks for", () => {
  const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(engines.node).toBe(">=24");
  expect(nodeProblem("23.11.1")).toBe("fanfare: this is Node 23.11.1; Fanfare needs Node 24 or later.\n");
  expect(nodeProblem("9.0.0")).toContain("Node 9.0.0");
  for (const version of ["24.0.0", "24.21.0", "100.1.2", process.versions.node])
    expect(nodeProblem(version), version).toBeUndefined();
});
