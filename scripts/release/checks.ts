import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import { nextIn } from "./texts.ts";

/** What a release is to be. */
export type Plan = {
  readonly version: string;
  /** The version in package.json now. */
  readonly former: string;
  /** `2026-11-30`, in UTC. */
  readonly today: string;
  /** The files of the recorded database, from the project's folder. */
  readonly recorded: readonly string[];
  /** Where the package goes, from the project's folder. */
  readonly output: string;
  readonly tag: string;
};

const BRANCH = "main";
const VERSION = /^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$/;

/** Whether a version is higher than another one, both as `1.2.3`. */
function isHigher(version: string, former: string): boolean {
  const [ours = [], theirs = []] = [version, former].map((each) => each.split(".").map(Number));
  const [step = 0] = ours.map((number, index) => number - (theirs[index] ?? 0)).filter((each) => each !== 0);
  return step > 0;
}

/** Why this release cannot be made, in sentences; empty where it can. Changes nothing. */
export async function findProblems(root: string, plan: Plan): Promise<readonly string[]> {
  const { version, former, tag } = plan;
  if (!VERSION.test(version)) return [`"${version}" is no version: write it as 1.2.3`];
  const git = (...args: string[]) => runCommand(root, undefined, "git", args);
  const [branch, changed, tags] = await Promise.all([
    git("rev-parse", "--abbrev-ref", "HEAD"),
    git("status", "--porcelain"),
    git("tag", "--list", tag),
  ]);
  const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  const next = nextIn(changelog);
  const there = [plan.output, ...plan.recorded].filter((path) => existsSync(join(root, path)));
  const problems: readonly (readonly [isProblem: boolean, sentence: string])[] = [
    [!isHigher(version, former), `${version} is not higher than ${former}, the version in package.json`],
    [branch.trim() !== BRANCH, `the branch is ${branch.trim()}, not ${BRANCH}`],
    [changed !== "", `there are changes without a commit:\n${changed.trimEnd()}`],
    [tags !== "", `the tag ${tag} exists`],
    [next === undefined, 'CHANGELOG.md has no section "## Next"'],
    [next === "", 'the section "Next" of CHANGELOG.md is empty'],
    [changelog.includes(`\n## ${version} - `), `CHANGELOG.md has a section ${version}`],
    ...there.map((path) => [true, `${path} is there already: remove it`] as const),
  ];
  return problems.filter(([isProblem]) => isProblem).map(([, sentence]) => sentence);
}
