import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The version of this release, from package.json: beside `src/`, and beside `dist/`. */
export function releaseVersion(): string {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
