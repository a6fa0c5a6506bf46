import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseSync } from "vite";

/** A regular expression as it stands in a source file; `undefined` where it is built when the program runs. */
export type SourcePattern = { readonly file: string; readonly pattern: RegExp | undefined };

/** Every regular expression in the TypeScript files of a folder, in order. */
export function patternsIn(folder: string): SourcePattern[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .flatMap((file) => {
      const found: SourcePattern[] = [];
      const { program } = parseSync(file, readFileSync(path.join(folder, file), "utf8"));
      visit(program, (pattern) => found.push({ file, pattern }));
      return found;
    });
}

function visit(node: unknown, tell: (pattern: RegExp | undefined) => void): void {
  if (typeof node !== "object" || node === null) return;
  if (Array.isArray(node)) {
    for (const each of node) visit(each, tell);
    return;
  }
  const regex: unknown = Reflect.get(node, "regex");
  if (isRegex(regex)) tell(new RegExp(regex.pattern, regex.flags));
  const callee: unknown = Reflect.get(node, "callee");
  if (typeof callee === "object" && callee !== null && Reflect.get(callee, "name") === "RegExp") tell(undefined);
  for (const [key, value] of Object.entries(node)) if (key !== "regex") visit(value, tell);
}

function isRegex(value: unknown): value is { readonly pattern: string; readonly flags: string } {
  return typeof value === "object" && value !== null && "pattern" in value && "flags" in value;
}
