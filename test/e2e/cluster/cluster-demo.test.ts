import { chmod, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Child, startChild } from "../../support/processes/children.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage } from "../../support/stages/stage.ts";

const PROGRAM = join(import.meta.dirname, "..", "..", "lab", "cluster-demo.ts");
const DEADLINE_MS = 20_000;
const STOP_GRACE_MS = 60_000;

/** The demo, with a folder of its own for everything that it makes. `mode`: who may enter the folder. */
async function startDemo(mode: number): Promise<{ readonly demo: Child; readonly folder: string }> {
  const stage = await Stage.open(onTestFinished);
  const folder = join(stage.folder, "demo");
  await mkdir(folder);
  for (const each of [stage.folder, folder]) await chmod(each, mode);
  const demo = await startChild(process.execPath, [PROGRAM], { env: { ...process.env, TMPDIR: folder } });
  stage.onClose(() => demo.stop("SIGTERM", STOP_GRACE_MS));
  return { demo, folder };
}

/** What the demo leaves behind, without the clip. */
const leftIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => !name.startsWith("fanfare-clip-"));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("in the cluster demo another node takes over from one that is killed, and Ctrl-C ends everything", async () => {
  const { demo, folder } = await startDemo(0o711);
  const said = <T>(what: string, look: () => T | undefined) =>
    waitFor(what, DEADLINE_MS, look, () => `${demo.stdout()}${demo.stderr()}`);
  const timesSaid = (text: string) => demo.stdout().split(text).length - 1;
  await said("the platform to be on", () => timesSaid("nginx gets the stream") > 0 || undefined);
  const owner = await said("the owner", () => /node (\w) carries the channel/.exec(demo.stdout())?.[1]);
  const pids = new Map(
    [...demo.stdout().matchAll(/^ {2}(\w+ ?\w?) +pid (\d+)$/gm)].map(([, name = "", pid]) => [
      name.trim(),
      Number(pid),
    ]),
  );
  expect([...pids.keys()]).toEqual(["Node a", "Node b", "Node c", "PostgreSQL", "NATS"]);

  process.kill(pids.get(`Node ${owner}`) ?? 0, "SIGKILL");
  await said("the platform to be on again", () => timesSaid("nginx gets the stream") > 1 || undefined);
  await said("another owner", () => timesSaid("carries the channel") > 1 || undefined);
  expect(timesSaid("nginx gets nothing")).toBeGreaterThan(0);

  expect(await demo.stop("SIGINT", STOP_GRACE_MS)).toEqual({ code: 0, signal: null });
  expect([...pids.values()].filter(isAlive)).toEqual([]);
  expect(await leftIn(folder)).toEqual([]);
});

// PostgreSQL runs as another user, who may not enter this folder.
test.runIf(process.getuid?.() === 0)("a cluster demo that cannot start says why and leaves nothing", async () => {
  const { demo, folder } = await startDemo(0o700);
  expect((await demo.exited).code).toBe(1);
  expect(demo.stdout()).toMatch(/(initdb|PostgreSQL).*Permission denied/s);
  expect(await leftIn(folder)).toEqual([]);
});
