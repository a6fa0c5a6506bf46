import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { runToEnd, startChild } from "../support/processes/children.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { waitFor } from "../support/processes/waiting.ts";

const CHANGELOG =
  "# Changelog\n\nAll.\n\n## Next\n\n### Added\n\n- New.\n\n## 1.4.9 - 2026-01-02\n\n### Fixed\n\n- Old.\n";
/** In place of `npm run build`: the test says whether it fails, or waits. */
const BUILD = `
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
if (existsSync(".git/fail")) throw new Error("the build is broken");
if (existsSync(".git/wait")) {
  writeFileSync(".git/waits", "");
  setInterval(() => existsSync(".git/wait") || process.exit(1), 50);
} else {
  mkdirSync("dist/cli", { recursive: true });
  writeFileSync("dist/cli/main.js", "built");
}
`;
const RECORD = `
import { mkdirSync, writeFileSync } from "node:fs";
for (const folder of ["test/fixtures/databases", "test/fixtures/databases/postgres"]) {
  mkdirSync(folder, { recursive: true });
  for (const ending of ["sql", "json"]) writeFileSync(\`\${folder}/\${process.argv[2]}.\${ending}\`, ending);
}
`;
const WAIT_MS = 60_000;
const manifestSchema = z.looseObject({ version: z.string(), scripts: z.record(z.string(), z.string()) });
const lockSchema = z.looseObject({ version: z.string(), packages: z.record(z.string(), z.looseObject({})) });

/** A repository with what a release reads, at version 1.4.9, without the project's sources. */
async function newRepository() {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-release-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const path = (name: string) => join(folder, name);
  const read = (name: string) => readFileSync(path(name), "utf8");
  for (const name of ["README.md", "LICENSE", ".gitignore", "scripts/release", "scripts/client-types/package.json"]) {
    cpSync(join(ROOT, name), path(name), { recursive: true });
  }
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")));
  const scripts = { build: "exec node build.mjs", "record-database": "exec node record.mjs" };
  writeFileSync(path("package.json"), `${JSON.stringify({ ...manifest, version: "1.4.9", scripts }, undefined, 2)}\n`);
  const lock = lockSchema.parse(JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")));
  const packages = { ...lock.packages, "": { ...lock.packages[""], version: "1.4.9" } };
  writeFileSync(
    path("package-lock.json"),
    `${JSON.stringify({ ...lock, version: "1.4.9", packages }, undefined, 2)}\n`,
  );
  writeFileSync(path("CHANGELOG.md"), CHANGELOG);
  writeFileSync(path("build.mjs"), BUILD);
  writeFileSync(path("record.mjs"), RECORD);
  const env = {
    PATH: `${join(process.execPath, "..")}:${process.env["PATH"]}`,
    HOME: process.env["HOME"],
    ...{ GIT_CONFIG_GLOBAL: "/dev/null", GIT_AUTHOR_NAME: "T", GIT_AUTHOR_EMAIL: "t@example.com" },
    ...{ GIT_COMMITTER_NAME: "T", GIT_COMMITTER_EMAIL: "t@example.com" },
  };
  const git = async (...args: string[]) => (await runToEnd("git", args, { cwd: folder, env })).trim();
  await git("init", "--quiet", "--initial-branch", "main");
  await git("add", ".");
  await git("commit", "--quiet", "-m", "first");
  const start = (...args: string[]) =>
    startChild(process.execPath, ["scripts/release/release.ts", ...args], { cwd: folder, env });
  const release = async (...args: string[]) => {
    const child = await start(...args);
    const { code } = await child.exited;
    return { code, stdout: child.stdout(), stderr: child.stderr() };
  };
  /** All that a failed release must leave alone. */
  const state = async () => ({
    commit: await git("rev-parse", "HEAD"),
    tags: await git("tag"),
    changes: await git("status", "--porcelain"),
    made: existsSync(path("release")) ? readdirSync(path("release")) : [],
  });
  return { folder, path, read, git, start, release, state };
}

const today = () => new Date().toISOString().slice(0, 10);
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

test("a release sets the version everywhere, packs, and ends as a commit and a tag", async () => {
  const { folder, path, read, git, release, state } = await newRepository();
  const before = await state();
  const days = [today()];
  const dry = await release("1.10.0", "--dry-run");
  const real = await release("1.10.0");
  days.push(today());
  const [, day = ""] = /^## 1\.10\.0 - (.*)$/m.exec(read("CHANGELOG.md")) ?? [];

  expect(days).toContain(day);
  expect(dry).toEqual({
    code: 0,
    stderr: "",
    stdout: `The release of 1.10.0 would:
set the version in package.json and package-lock.json: 1.4.9 -> 1.10.0
turn "Next" of CHANGELOG.md into "1.10.0 - ${day}", with an empty "Next" above it
build: npm run build
record a database of this version: test/fixtures/databases/1.10.0.sql, test/fixtures/databases/1.10.0.json, test/fixtures/databases/postgres/1.10.0.sql, test/fixtures/databases/postgres/1.10.0.json
write into release/1.10.0/: fanfare-1.10.0.tgz, fanfare-1.10.0.cdx.json, SHA256SUMS
commit "release: 1.10.0" on main
tag it v1.10.0
Nothing was changed.
`,
  });
  const done = "Fanfare 1.10.0 is committed and tagged v1.10.0; its files are in release/1.10.0/\n";
  expect(real).toEqual({ code: 0, stderr: "", stdout: done });
  expect(read("CHANGELOG.md")).toBe(CHANGELOG.replace("## Next\n", `## Next\n\n## 1.10.0 - ${day}\n`));
  const lock = lockSchema.parse(JSON.parse(read("package-lock.json")));
  const manifest = manifestSchema.parse(JSON.parse(read("package.json")));
  expect([manifest.version, lock.version, lock.packages[""]?.["version"]]).toEqual(["1.10.0", "1.10.0", "1.10.0"]);

  // One commit more than before, which has exactly these files, and the tag on it.
  expect(await state()).toMatchObject({ tags: "v1.10.0", changes: "", made: ["1.10.0"] });
  expect(await git("rev-parse", "v1.10.0^{commit}", "HEAD~1")).toBe(
    `${await git("rev-parse", "HEAD")}\n${before.commit}`,
  );
  expect(await git("log", "-1", "--format=%s")).toBe("release: 1.10.0");
  expect((await git("diff", "--name-only", "HEAD~1", "HEAD")).split("\n")).toEqual([
    "CHANGELOG.md",
    "package-lock.json",
    "package.json",
    "test/fixtures/databases/1.10.0.json",
    "test/fixtures/databases/1.10.0.sql",
    "test/fixtures/databases/postgres/1.10.0.json",
    "test/fixtures/databases/postgres/1.10.0.sql",
  ]);
  expect((await git("diff", "--shortstat", "HEAD~1", "HEAD", "--", "package.json", "package-lock.json")).trim()).toBe(
    "2 files changed, 3 insertions(+), 3 deletions(-)",
  );

  const files = ["SHA256SUMS", "fanfare-1.10.0.cdx.json", "fanfare-1.10.0.tgz"];
  expect(readdirSync(path("release/1.10.0")).toSorted()).toEqual(files);
  const [, sbomName = "", tarball = ""] = files.map((name) => join(path("release/1.10.0"), name));
  expect(read("release/1.10.0/SHA256SUMS")).toBe(
    `${sha256(readFileSync(tarball))}  fanfare-1.10.0.tgz\n${sha256(readFileSync(sbomName))}  fanfare-1.10.0.cdx.json\n`,
  );
  const packed = await runToEnd("tar", ["-xzOf", tarball, "package/package.json"], { cwd: folder });
  expect(manifestSchema.parse(JSON.parse(packed)).version).toBe("1.10.0");
  expect(await runToEnd("tar", ["-xzOf", tarball, "package/dist/cli/main.js"], { cwd: folder })).toBe("built");
  checkSbom(readFileSync(sbomName, "utf8"));
});

const sbomSchema = z.object({
  bomFormat: z.literal("CycloneDX"),
  metadata: z.object({ component: z.object({ name: z.string(), version: z.string() }) }),
  components: z.array(z.object({ name: z.string(), group: z.string().optional() })),
});

/** The SBOM has all packages that an installed Fanfare depends on directly, and none of its makers. */
function checkSbom(text: string): void {
  const { metadata, components } = sbomSchema.parse(JSON.parse(text));
  expect(metadata.component).toMatchObject({ name: "fanfare", version: "1.10.0" });
  const names = components.map(({ name, group }) => (group === undefined ? name : `${group}/${name}`));
  const packages = z.record(z.string(), z.string());
  const manifest = z
    .object({ dependencies: packages, optionalDependencies: packages, devDependencies: packages })
    .parse(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")));
  const clients = ["fanfare-client-types", "openapi-typescript"];
  const installed = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  expect(installed.filter((name) => !names.includes(name))).toEqual([]);
  expect([...Object.keys(manifest.devDependencies), ...clients].filter((name) => names.includes(name))).toEqual([]);
}

test("a release that cannot be made says everything that is in its way, and changes nothing", async () => {
  const { path, git, release, state } = await newRepository();
  await git("tag", "v1.4.9");
  await git("switch", "--quiet", "--create", "side");
  writeFileSync(path("CHANGELOG.md"), CHANGELOG.replace("### Added\n\n- New.\n\n", ""));
  mkdirSync(path("release/1.4.9"), { recursive: true });
  const before = await state();

  expect(await release("1.4.9")).toEqual({
    code: 1,
    stdout: "",
    stderr: `no release of 1.4.9:
- 1.4.9 is not higher than 1.4.9, the version in package.json
- the branch is side, not main
- there are changes without a commit:
 M CHANGELOG.md
- the tag v1.4.9 exists
- the section "Next" of CHANGELOG.md is empty
- CHANGELOG.md has a section 1.4.9
- release/1.4.9/ is there already: remove it
`,
  });
  const invalid = { code: 1, stderr: 'no release of v1.5:\n- "v1.5" is no version: write it as 1.2.3\n' };
  expect(await release("v1.5")).toMatchObject(invalid);
  expect(await release("1.3.99")).toMatchObject({ code: 1, stderr: expect.stringContaining("1.3.99 is not higher") });
  expect(await release()).toMatchObject({ code: 2, stderr: expect.stringMatching(/^usage: npm run release/) });
  expect(await release("1.5.0", "now")).toMatchObject({ code: 2 });
  expect(await state()).toEqual(before);
});

test("a release that fails or is stopped on its way leaves files, commits and tags as they were", async () => {
  const { path, read, start, release, state } = await newRepository();
  const before = await state();
  expect(before).toMatchObject({ tags: "", changes: "", made: [] });
  const failed = "the release of 1.5.0 failed, and everything is as before: ";

  writeFileSync(path(".git/fail"), "");
  const broken = await release("1.5.0");
  expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining(`${failed}npm run build\n`) });
  expect(broken.stderr).toContain("the build is broken");
  expect(await state()).toEqual(before);
  rmSync(path(".git/fail"));

  writeFileSync(path(".git/wait"), "");
  const stopped = await start("1.5.0");
  await waitFor("the build", WAIT_MS, () => existsSync(path(".git/waits")) || undefined);
  expect(read("package.json")).toContain('"version": "1.5.0"');
  expect(await stopped.stop("SIGTERM", WAIT_MS)).toMatchObject({ code: 1 });
  expect(stopped.stderr()).toBe(`${failed}stopped by SIGTERM\n`);
  expect(await state()).toEqual(before);
  rmSync(path(".git/wait"));

  // The last step of all: git lets the commit be made, and rejects the tag.
  const hook = '#!/bin/sh\n[ "$1" = prepared ] || exit 0\n! grep -q refs/tags/v\n';
  writeFileSync(path(".git/hooks/reference-transaction"), hook, { mode: 0o755 });
  expect(await release("1.5.0")).toMatchObject({ code: 1, stderr: expect.stringContaining(`${failed}git tag`) });
  expect(await state()).toEqual(before);
  expect(read("CHANGELOG.md")).toBe(CHANGELOG);
  expect(existsSync(path("test/fixtures/databases/1.5.0.sql"))).toBe(false);
});
