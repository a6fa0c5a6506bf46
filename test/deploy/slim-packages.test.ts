import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { neverLoaded, OTHER_BUILDS } from "../../scripts/image/slim-packages.ts";
import { runToEnd } from "../support/processes/children.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";

test("types, maps, manuals, tests and builds for bundlers go; code, data and licences stay", () => {
  const root = mkdtempSync(join(tmpdir(), "fanfare-slim-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const unneeded = [
    ...["dist/cli/main.d.ts", "dist/cli/main.js.map"],
    ...["node_modules/plain/README.md", "node_modules/plain/src/index.ts", "node_modules/plain/test"],
    ...["node_modules/@aws-sdk/some/dist-es", "node_modules/plain/node_modules/yaml/browser"],
  ];
  const needed = [
    ...["dist/cli/main.js", "node_modules/plain/index.js", "node_modules/plain/lib/test/index.js"],
    ...[
      "node_modules/plain/LICENSE.md",
      "node_modules/plain/data.json",
      "node_modules/@aws-sdk/some/dist-cjs/index.js",
    ],
    ...["node_modules/plain/node_modules/yaml/dist/index.js", "node_modules/plain/dist-es/index.js"],
  ];
  for (const path of [...needed, ...unneeded.map((each) => (each.includes(".") ? each : `${each}/index.js`))]) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), "");
  }
  expect(
    neverLoaded(root)
      .map((path) => relative(root, path))
      .toSorted(),
  ).toEqual(unneeded.toSorted());
});

/** Loads all packages that the server needs, and prints each file that Node read for that. */
const LOADS_ALL = `
  import { registerHooks } from "node:module";
  import { fileURLToPath } from "node:url";
  registerHooks({
    load(url, context, next) {
      if (url.startsWith("file:")) console.log(fileURLToPath(url));
      return next(url, context);
    },
  });
  for (const name of process.argv.slice(1)) await import(name);`;

test("nothing that Node loads of the real packages goes, and every build in the list is there", async () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { dependencies: object };
  const names = Object.keys(dependencies);
  const args = ["--input-type=module", "--eval", LOADS_ALL, ...names];
  const loaded = (await runToEnd(process.execPath, args, { cwd: ROOT })).trim().split("\n");
  expect(loaded.length).toBeGreaterThan(500);
  const unneeded = new Set(neverLoaded(ROOT));
  const isGone = (path: string): boolean => unneeded.has(path) || (path.length > ROOT.length && isGone(dirname(path)));
  expect(loaded.filter(isGone)).toEqual([]);
  const folders = [...unneeded].map((path) => relative(join(ROOT, "node_modules"), path));
  const isThere = ([name, build]: readonly [string, string]) =>
    folders.some((path) =>
      name.endsWith("*")
        ? path.startsWith(name.slice(0, -1)) && path.endsWith(`/${build}`)
        : path === `${name}/${build}`,
    );
  expect(OTHER_BUILDS.filter((each) => !isThere(each))).toEqual([]);
});
