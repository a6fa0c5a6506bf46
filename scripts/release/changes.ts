import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.ts";

/** The files that a release changes or adds, and how they were. */
export type Changes = {
  readonly paths: readonly string[];
  edit(path: string, change: (text: string) => string): void;
  /** Puts files, index, branch and tags back. Other files keep what was written into them meanwhile. */
  undo(): Promise<void>;
};

/** Remembers how these files, the branch's commit and its tags are now. */
export async function changesOf(root: string, paths: readonly string[]): Promise<Changes> {
  const git = (...args: string[]) => runCommand(root, undefined, "git", args);
  const commit = (await git("rev-parse", "HEAD")).trim();
  const tagsHere = async () => (await git("tag", "--points-at", "HEAD")).split("\n").filter((tag) => tag !== "");
  const textOf = (path: string) => (existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : undefined);
  const before = new Map(paths.map((path) => [path, textOf(path)]));
  return {
    paths,
    edit: (path, change) => writeFileSync(join(root, path), change(readFileSync(join(root, path), "utf8"))),
    undo: async () => {
      const isCommitted = (await git("rev-parse", "HEAD")).trim() !== commit;
      if (isCommitted) for (const tag of await tagsHere()) await git("tag", "--delete", tag);
      if (isCommitted) await git("reset", "--quiet", "--soft", commit);
      await git("reset", "--quiet", commit, "--", ...paths);
      for (const [path, text] of before) {
        if (text === undefined) rmSync(join(root, path), { force: true });
        else writeFileSync(join(root, path), text);
      }
    },
  };
}
