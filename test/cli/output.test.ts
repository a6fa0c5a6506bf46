import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { commandLineFile, ROOT } from "../support/processes/fanfare-process.ts";

const FULL = "/dev/full";

/** Runs `fanfare --help` with this standard output. Resolves with its exit code and what it says of errors. */
async function help(output: number | "pipe") {
  const child = spawn(process.execPath, [commandLineFile(), "--help"], {
    cwd: ROOT,
    stdio: ["ignore", output, "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  // Closed before the program can have written anything.
  child.stdout?.destroy();
  const [code] = await once(child, "close");
  return { code, said };
}

test("a disk that does not take a command's output is a failure, a reader that leaves is none", async () => {
  const full = openSync(FULL, "w");
  onTestFinished(() => closeSync(full));
  expect(await help(full)).toEqual({
    code: 1,
    said: "fanfare: the output could not be written: ENOSPC: no space left on device, write\n",
  });
  expect(await help("pipe")).toEqual({ code: 0, said: "" });
});
