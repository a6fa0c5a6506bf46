/** One reference from a source file to another file or package. */
export type SourceImport = {
  /** As written: `./clock.ts`, `node:crypto`, `fastify`. */
  readonly specifier: string;
  /** The imported names; empty for `import "x"`, `import("x")`, `* as x` and `new URL(…)`. */
  readonly names: readonly string[];
};

/** The same text with comments, or comments and the inside of strings, blanked: everything else keeps its place. */
function blank(text: string, what: "comments" | "comments-and-strings"): string {
  const token = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`/g;
  return text.replace(token, (part) => {
    if (!part.startsWith("//") && !part.startsWith("/*") && what === "comments") return part;
    // A template's `${…}` is code: only plain strings lose their inside.
    if (part.startsWith("`") && part.includes("${")) return part;
    return part.replace(/[^\n]/g, " ");
  });
}

/** A file's code without comments and strings, for finding forbidden words in it. */
export function codeOf(text: string): string {
  return blank(text, "comments-and-strings");
}

/** A file's code without comments, for finding paths in it. */
export function codeWithStringsOf(text: string): string {
  return blank(text, "comments");
}

/** Every import of a file: static, `import type`, re-export, dynamic, and `new URL("./x.ts", import.meta.url)`. */
export function importsOf(text: string): SourceImport[] {
  const code = blank(text, "comments");
  const found: SourceImport[] = [];
  for (const match of code.matchAll(/\b(?:import|export)\b([^;"'`()]*?)\bfrom\s*["']([^"']+)["']/g)) {
    found.push({ specifier: match[2] ?? "", names: namesIn(match[1] ?? "") });
  }
  const bare = /\bimport\s*\(?\s*["'`]([^"'`]+)["'`]|\bnew\s+URL\(\s*["'`]([^"'`]+)["'`]\s*,\s*import\.meta\.url/g;
  for (const match of code.matchAll(bare)) found.push({ specifier: match[1] ?? match[2] ?? "", names: [] });
  return found;
}

function namesIn(clause: string): string[] {
  const braces = /\{([^}]*)\}/.exec(clause)?.[1] ?? "";
  return braces
    .split(",")
    .map(
      (name) =>
        name
          .trim()
          .replace(/^type\s+/, "")
          .split(/\s+as\s+/)[0] ?? "",
    )
    .filter((name) => name !== "");
}
