import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Changes, changesOf } from "./changes.ts";
import { findProblems, type Plan } from "./checks.ts";
import { runCommand } from "./command.ts";
import { makePackage } from "./package-files.ts";
import { changelogOf, lockOf, manifestOf, versionIn } from "./texts.ts";

const USAGE = `usage: npm run release -- VERSION [--dry-run]

Makes the release VERSION (1.2.3) from a clean "main": sets the version, gives the changelog its section, builds, records
a database for the compatibility test, writes the package, its checksums and its SBOM into release/VERSION/, commits and
tags. Pushes and publishes nothing. If a step fails, the files, the commits and the tags are as before.
--dry-run checks everything and says what would be done.
`;
const EXIT_USAGE = 2;
const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const ROOT = join(import.meta.dirname, "..", "..");

/** What a release does, in order, for a person who reads it. */
function describe(plan: Plan): string {
  const { version, former, today, recorded, output, tag } = plan;
  return [
    `set the version in package.json and package-lock.json: ${former} -> ${version}`,
    `turn "Next" of CHANGELOG.md into "${version} - ${today}", with an empty "Next" above it`,
    "build: npm run build",
    `record a database of this version: ${recorded.join(", ")}`,
    `write into ${output}: fanfare-${version}.tgz, fanfare-${version}.cdx.json, SHA256SUMS`,
    `commit "release: ${version}" on main`,
    `tag it ${tag}`,
  ].join("\n");
}

/** Writes the version into the files, builds, and packs. `draft`: a folder for the package and what goes with it. */
async function makeFiles(plan: Plan, changes: Changes, draft: string, signal: AbortSignal): Promise<void> {
  const { version, today } = plan;
  changes.edit("package.json", (text) => manifestOf(text, version));
  changes.edit("CHANGELOG.md", (text) => changelogOf(text, version, today));
  await runCommand(ROOT, signal, "npm", ["run", "build"]);
  await runCommand(ROOT, signal, "npm", ["run", "record-database", "--", version]);
  // Last of the three: `npm run` would install everything again for another lock file.
  changes.edit("package-lock.json", (text) => lockOf(text, version));
  await makePackage({ root: ROOT, version, folder: draft, signal });
}

async function commitAndTag(plan: Plan, changes: Changes): Promise<void> {
  const { version, tag } = plan;
  const git = (...args: string[]) => runCommand(ROOT, undefined, "git", args);
  await git("add", "--", ...changes.paths);
  await git("commit", "--quiet", "-m", `release: ${version}`, "--", ...changes.paths);
  await git("tag", "--annotate", "-m", `Fanfare ${version}`, tag);
}

/** Makes the release, or undoes all of it and throws. */
async function release(plan: Plan, signal: AbortSignal): Promise<void> {
  const output = join(ROOT, plan.output);
  const draft = join(ROOT, "release", `${plan.version}.unfinished`);
  const changes = await changesOf(ROOT, ["package.json", "package-lock.json", "CHANGELOG.md", ...plan.recorded]);
  try {
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    await makeFiles(plan, changes, draft, signal);
    renameSync(draft, output);
    await commitAndTag(plan, changes);
  } catch (error) {
    for (const folder of [draft, output]) rmSync(folder, { recursive: true, force: true });
    await changes.undo();
    throw error;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const isDry = args.includes("--dry-run");
  const [version, ...rest] = args.filter((arg) => arg !== "--dry-run");
  if (version === undefined || version.startsWith("-") || rest.length > 0) {
    process.stderr.write(USAGE);
    return EXIT_USAGE;
  }
  const plan: Plan = {
    version,
    former: versionIn(readFileSync(join(ROOT, "package.json"), "utf8")),
    today: new Date().toISOString().slice(0, 10),
    recorded: ["", "postgres/"].flatMap((folder) =>
      ["sql", "json"].map((ending) => `test/fixtures/databases/${folder}${version}.${ending}`),
    ),
    output: `release/${version}/`,
    tag: `v${version}`,
  };
  const problems = await findProblems(ROOT, plan);
  if (problems.length > 0) {
    process.stderr.write(`no release of ${version}:\n${problems.map((problem) => `- ${problem}\n`).join("")}`);
    return 1;
  }
  if (isDry) {
    process.stdout.write(`The release of ${version} would:\n${describe(plan)}\nNothing was changed.\n`);
    return 0;
  }
  const stop = new AbortController();
  for (const name of STOP_SIGNALS) process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
  try {
    await release(plan, stop.signal);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`the release of ${version} failed, and everything is as before: ${why}\n`);
    return 1;
  }
  process.stdout.write(`Fanfare ${version} is committed and tagged ${plan.tag}; its files are in ${plan.output}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
