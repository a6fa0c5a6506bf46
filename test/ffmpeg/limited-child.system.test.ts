import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import type { JobLimits } from "../../src/ffmpeg/job-limits.ts";
import { startChild } from "../../src/ffmpeg/limited-child.ts";
import { run } from "../../src/ffmpeg/run.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { waitFor } from "../support/processes/waiting.ts";

const GIB = 1024 ** 3;
const LIMITS: JobLimits & { outputBytes: number } = { memoryBytes: GIB, fileBytes: 0, outputBytes: 1_000 };
const DEADLINE_MS = 60_000;

const sh = (script: string, limits: Partial<typeof LIMITS> & Partial<JobLimits> = {}) =>
  run("/bin/sh", ["-c", script], { ...LIMITS, ...limits });
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test.each([
  { name: "its output", script: "echo made", limits: {}, result: { output: Buffer.from("made\n") } },
  {
    name: "its last words, without addresses and paths",
    script: "echo first >&2; echo '[in#0 @ 0x55] rtmp://a/b/secret: /home/x/data.mp4: Connection refused' >&2; exit 3",
    limits: {},
    result: { reason: "the source: data.mp4: Connection refused" },
  },
  { name: "its code where it said nothing", script: "exit 3", limits: {}, result: { reason: "it ended with code 3" } },
  {
    name: "too much CPU time",
    script: "while :; do :; done",
    limits: { cpuSeconds: 1 },
    result: { reason: "it used more than 1 s of CPU time" },
  },
  {
    name: "too long",
    script: "sleep 5; sleep 5",
    limits: { wallMs: 300 },
    result: { reason: "it took longer than 0.3 s" },
  },
  {
    name: "too much output",
    script: "while :; do echo 0123456789; done",
    limits: {},
    result: { reason: "it wrote more than 1000 bytes" },
  },
  {
    name: "a file that it may not write",
    script: "exec dd if=/dev/zero of=/tmp/fanfare-not-allowed bs=1 count=1 2>/dev/null",
    limits: {},
    result: { reason: "it wrote a file of more than 0 bytes" },
  },
])("a child ends with a reason: $name", async ({ script, limits, result }) => {
  expect(await sh(script, limits)).toEqual(result);
});

test("a child that asks for more memory than it may have says so", async () => {
  const script = "ffmpeg -v error -f lavfi -i color=size=8000x8000 -frames:v 1 -f null -";
  expect(await sh(script, { memoryBytes: 64 * 1024 ** 2 })).toHaveProperty("reason");
});

test("a program that is missing is a reason", async () => {
  const result = await run("/nowhere/ffmpeg", [], LIMITS);
  expect(result).toEqual({ reason: expect.stringContaining("ffmpeg") });
});

test("killing a child ends the program itself, not only the shell around it", async () => {
  const child = startChild("/bin/sh", ["-c", "echo $$; exec sleep 1000"], LIMITS);
  const [line] = await once(child.output, "data");
  const pid = Number(String(line));
  expect(isAlive(pid)).toBe(true);
  child.kill();
  expect(await child.ended).toEqual({ kind: "killed" });
  await waitFor("the program to be gone", DEADLINE_MS, () => (isAlive(pid) ? undefined : true));
});

test("a child dies with this server, also when that is killed with no chance to say so", async () => {
  const script = `
    import { startChild } from "./src/ffmpeg/limited-child.ts";
    const limits = { memoryBytes: ${GIB}, fileBytes: 0 };
    const child = startChild("/bin/sh", ["-c", "echo $$; exec sleep 1000"], limits);
    child.output.on("data", (text) => process.stdout.write(text));
    setInterval(() => {}, 1_000);`;
  const server = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], { cwd: ROOT });
  const [line] = await once(server.stdout, "data");
  const pid = Number(String(line));
  expect(isAlive(pid)).toBe(true);
  server.kill("SIGKILL");
  await waitFor("the program to be gone", DEADLINE_MS, () => (isAlive(pid) ? undefined : true));
});
