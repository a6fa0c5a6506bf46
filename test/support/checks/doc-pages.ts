import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../processes/fanfare-process.ts";

/** The markdown pages below a folder of the repository (or one page), by their path from its root. */
export function readPages(...places: readonly string[]): ReadonlyMap<string, string> {
  const paths = places.flatMap((place) => (place.endsWith(".md") ? [place] : pagesBelow(place)));
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), "utf8")]));
}

function pagesBelow(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => join(folder, path));
}

/** The code blocks of a page in one language, in their order. */
export function codeBlocks(page: string, language: string): readonly string[] {
  return [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((each) => each[1] === language)
    .map((each) => each[2] ?? "");
}
