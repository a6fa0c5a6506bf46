import { readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../support/fanfare-process.ts";

const FILE_LINES_MAX = 400;
const PACKAGES = [
  "preact",
  "preact/hooks",
  "@preact/signals",
  "uplot",
  "lean-qr/nano",
  "mpegts.js",
  "eventsource-parser",
  "zod",
];

/** Imports of a file with JSX, which the reader of plain sources does not know: at a line's begin, dynamic ones, workers. */
const IMPORTS = /^(?:import|export \{)[^;"]*"([^"]+)";$|\bimport\("([^"]+)"\)|new URL\("([^"]+)"/gm;

const importsOf = (text: string): readonly string[] =>
  [...text.matchAll(IMPORTS)].map(([, plain, dynamic, worker]) => plain ?? dynamic ?? worker ?? "");

test("the dashboard knows of the server its contract alone, and its files are one concept each", () => {
  const folder = join(ROOT, "web", "src");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => /\.tsx?$/.test(path));
  expect(files.length).toBeGreaterThan(20);
  const found = files.flatMap((name) => importsOf(readFileSync(join(folder, name), "utf8")));
  expect(found).toContain("mpegts.js");
  expect(found).toContain("./worker.ts");
  expect(found.filter((specifier) => specifier.includes("/src/api-contract/"))).toHaveLength(4);
  const problems = files.flatMap((name) => {
    const path = posix.join("web/src", name.split(sep).join("/"));
    const text = readFileSync(join(folder, name), "utf8");
    const lines = text.trimEnd().split("\n").length;
    const wrong = importsOf(text)
      .filter((specifier) => {
        if (!specifier.startsWith(".")) return !PACKAGES.includes(specifier) && !specifier.endsWith(".css");
        const target = posix.join(posix.dirname(path), specifier);
        return !target.startsWith("web/src/") && !target.startsWith("src/api-contract/");
      })
      .map((specifier) => `${path} imports ${specifier}`);
    return lines > FILE_LINES_MAX ? [...wrong, `${path} has ${lines} lines`] : wrong;
  });
  const styles = readdirSync(join(folder, "style")).map((name) => join("style", name));
  expect(styles.length).toBeGreaterThan(1);
  const long = styles.filter((name) => readFileSync(join(folder, name), "utf8").split("\n").length > FILE_LINES_MAX);
  expect([...problems, ...long]).toEqual([]);
});
