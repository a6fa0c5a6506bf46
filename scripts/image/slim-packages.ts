// Removes what Node never loads from installed packages, for the container image: `node scripts/image/slim-packages.ts FOLDER`.
// FOLDER holds `node_modules`, without development packages, and `dist`. Licences stay.
import { type Dirent, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Types, source maps and manuals. Node refuses TypeScript inside a package, and reads source maps only when asked to. */
const NEVER_LOADED = /\.(?:[cm]?ts|map|md|markdown|tsbuildinfo|flow)$/i;
const LICENCE = /^(?:licen[cs]e|notice|copying|copyright)/i;
/** At the top of a package. */
const FOR_ITS_AUTHORS: ReadonlySet<string> = new Set([
  ...["test", "tests", "__tests__", "example", "examples", "benchmark", "benchmarks", "docs", ".github"],
]);
/** The same code again, for bundlers and browsers: package and folder. `@scope/*` stands for each package of a scope. */
export const OTHER_BUILDS: readonly (readonly [string, string])[] = [
  ["@aws-sdk/*", "dist-es"],
  ["@aws-sdk/*", "dist-types"],
  ["@smithy/*", "dist-es"],
  ["@smithy/*", "dist-types"],
  ["@opentelemetry/*", "build/esm"],
  ["@opentelemetry/*", "build/esnext"],
  ["mediabunny", "dist/bundles"],
  ["yaml", "browser"],
];

type Package = { readonly name: string; readonly folder: string };

/** Returns the files and folders in `root` that Node never loads. A folder stands for all that it holds. */
export function neverLoaded(root: string): readonly string[] {
  const packages = packagesIn(join(root, "node_modules"));
  return [...filesIn(join(root, "dist")), ...packages.flatMap(ofPackage)];
}

function ofPackage({ name, folder }: Package): readonly string[] {
  const builds = OTHER_BUILDS.filter(([pattern]) => pattern === name || pattern === `${name.split("/")[0]}/*`)
    .map(([, build]) => join(folder, build))
    .filter((path) => existsSync(path));
  const authors = entriesOf(folder)
    .filter((entry) => entry.isDirectory() && FOR_ITS_AUTHORS.has(entry.name))
    .map((entry) => join(folder, entry.name));
  return [...builds, ...authors, ...filesIn(folder, new Set([...builds, ...authors]))];
}

/** Files that are never loaded, without those in `left` and in packages inside. */
function filesIn(folder: string, left: ReadonlySet<string> = new Set()): readonly string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" || left.has(path) ? [] : filesIn(path, left);
    return NEVER_LOADED.test(entry.name) && !LICENCE.test(entry.name) ? [path] : [];
  });
}

/** All packages of a `node_modules` folder, with those inside of them. Links lead to the project's own folders. */
function packagesIn(modules: string, scope = ""): readonly Package[] {
  return entriesOf(modules)
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .flatMap(({ name }) => {
      const folder = join(modules, name);
      if (name.startsWith("@")) return packagesIn(folder, `${name}/`);
      return [{ name: `${scope}${name}`, folder }, ...packagesIn(join(folder, "node_modules"))];
    });
}

function entriesOf(folder: string): readonly Dirent[] {
  return existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
}

if (import.meta.main) {
  const [root] = process.argv.slice(2);
  if (root === undefined) throw new Error("usage: node scripts/image/slim-packages.ts FOLDER");
  for (const path of neverLoaded(root)) rmSync(path, { recursive: true });
}
