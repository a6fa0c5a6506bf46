import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { codeWithStringsOf } from "./support/checks/source-imports.ts";

const ROOT = resolve(import.meta.dirname, "..");
const SOURCES = "{src,test,bench,scripts}/**/*.{ts,mjs}";
/** Paths that a compiler does not check: of threads, child programs and fixtures. */
const BESIDE = /\bnew\s+URL\(\s*"([^"]+)"\s*,\s*import\.meta\.url/g;
const JOINED = /\bjoin\(\s*(import\.meta\.dirname|ROOT)((?:\s*,\s*"[^"]+")+)\s*\)/g;
/** Their sources hold sources as text. */
const OWN_TEXTS = ["test/references.test.ts", "test/architecture.test.ts"];
/** What a build, an install or a test run makes. */
const MADE = ["dist", "dist-web", "node_modules", "data", "screenshots"];

/** The files that one source names by a path of its own, absolute. */
function filesNamedBy(path: string, text: string): string[] {
  const code = codeWithStringsOf(text);
  const beside = [...code.matchAll(BESIDE)].map((match) => resolve(dirname(path), match[1] ?? ""));
  const joined = [...code.matchAll(JOINED)].map((match) => {
    const parts = [...(match[2] ?? "").matchAll(/"([^"]+)"/g)].map((part) => part[1] ?? "");
    return join(match[1] === "ROOT" ? ROOT : dirname(path), ...parts);
  });
  return [...beside, ...joined].filter(
    (named) => extname(named) !== "" && !MADE.some((made) => named.startsWith(join(ROOT, made))),
  );
}

test("every file that a source names by its path is there", () => {
  const sources = globSync(SOURCES, { cwd: ROOT, exclude: OWN_TEXTS }).map((path) => join(ROOT, path));
  const named = sources.flatMap((path) =>
    filesNamedBy(path, readFileSync(path, "utf8")).map((file) => ({ path, file })),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(({ file }) => !existsSync(file))).toEqual([]);
});

test("a path that leads nowhere is found, in both forms", () => {
  const path = join(ROOT, "test", "a.ts");
  const text =
    'new Worker(new URL("./b.ts", import.meta.url)); join(import.meta.dirname, "c", "d.ts"); join(ROOT, "e.json");';
  expect(filesNamedBy(path, text)).toEqual([join(ROOT, "test/b.ts"), join(ROOT, "test/c/d.ts"), join(ROOT, "e.json")]);
});
