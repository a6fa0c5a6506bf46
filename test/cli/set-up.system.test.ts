import { spawnSync } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ROOT } from "../support/processes/fanfare-process.ts";

/** A folder that no one can make, not even root. */
const NO_FOLDER = "/dev/null/.npm";
const OUTPUT_BYTES_MAX = 2 ** 22;

/** A clone's scripts, that run with stand-ins for `npm` and others and find no other program. */
async function freshClone(programs: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-set-up-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await cp(join(ROOT, "package-lock.json"), join(folder, "package-lock.json"));
  const [scripts, bin, temporary] = ["scripts", "bin", "temporary"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const each of [scripts, bin, temporary]) await mkdir(each);
  for (const name of ["run.mjs", "steps.mjs", "test-tools.mjs"]) {
    await cp(join(ROOT, "scripts", name), join(scripts, name));
  }
  for (const [name, lines] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\nexport PATH=/usr/bin:/bin\ncd '${folder}'\n${lines}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const run = (command: string, cache: string) =>
    spawnSync(process.execPath, [join(scripts, "run.mjs"), command], {
      encoding: "utf8",
      maxBuffer: OUTPUT_BYTES_MAX,
      env: { PATH: bin, TMPDIR: temporary, npm_config_cache: cache },
    });
  const read = (name: string) => readFile(join(folder, name), "utf8").catch(() => "");
  return { folder, temporary, run, read };
}

test("packages are installed with npm's own cache, and in a home that cannot be written with one for this once", async () => {
  const npm = 'mkdir -p node_modules\necho "$@" >npm.args';
  const { folder, temporary, run, read } = await freshClone({ npm });
  const usual = `ci --include=dev --no-audit --no-fund --prefix ${folder}`;
  expect(run("install", join(folder, "home", ".npm"))).toMatchObject({ status: 0, stderr: "" });
  expect(await read("npm.args")).toBe(`${usual}\n`);

  await rm(join(folder, "node_modules"), { recursive: true });
  expect(run("install", NO_FOLDER)).toMatchObject({ status: 0, stderr: "" });
  const [, cache = ""] = (await read("npm.args")).split(`${usual} --cache `);
  expect(cache).toMatch(/\/temporary\/fanfare-npm-\w+\n$/);
  expect(await readdir(temporary)).toEqual([]);
});

test("tests whose programs are not there, nor a way to install them, say which, and leave no npm at work", async () => {
  const waitFor = (condition: string) => `for _ in $(seq 1200); do ${condition} && exit 1; sleep 0.05; done`;
  const npm = `trap 'touch npm.ended; exit' TERM\ntouch npm.started\n${waitFor("false")}`;
  const { folder, run } = await freshClone({ npm, ffmpeg: waitFor("[ -e npm.started ]") });
  const { status, stderr } = run("test", join(folder, "home"));
  expect(status).toBe(1);
  expect(stderr).toMatch(/^The tests run real encoders and servers\. Please install: ffmpeg nginx .*\n\(Debian: sudo/);
  expect(stderr).toContain("`npm run test:unit` runs the tests that need nothing but Node.\n");
  await expect.poll(() => readdir(folder)).toContain("npm.ended");
});

test("a step that fails is named after all its output, however much that is", async () => {
  const { run } = await freshClone({ npm: "yes 'a line of npm' | head -n 100000 >&2\nexit 7" });
  const { status, stderr } = run("install", NO_FOLDER);
  expect(status).toBe(7);
  expect(stderr).toBe(`${"a line of npm\n".repeat(100_000)}fanfare: npm ci failed (exit code 7)\n`);
});
