import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startChild } from "../support/processes/children.ts";
import { commandLineFile, ROOT } from "../support/processes/fanfare-process.ts";
import { freePort } from "../support/processes/free-port.ts";
import { waitFor } from "../support/processes/waiting.ts";

const DEADLINE_MS = 60_000;
const PAGE = readFileSync(join(ROOT, "docs/operations/upgrades.md"), "utf8");
const MAIN = ["--max-semi-space-size=4", commandLineFile()];

/** A folder with everything, the server's environment, and the command. */
async function open() {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-upgrade-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const httpPort = await freePort();
  // What systemd would be told.
  const notified = join(folder, "notified");
  writeFileSync(join(folder, "systemd-notify"), `#!/bin/sh\necho "$@" > ${notified}\n`);
  chmodSync(join(folder, "systemd-notify"), 0o755);
  const env = {
    PATH: `${folder}:${process.env["PATH"]}`,
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
    FANFARE_DATA_DIR: join(folder, "data"),
    FANFARE_HTTP_HOST: "127.0.0.1",
    FANFARE_HTTP_PORT: `${httpPort}`,
    FANFARE_RTMP_HOST: "127.0.0.1",
    FANFARE_RTMP_PORT: `${await freePort()}`,
    NOTIFY_SOCKET: join(folder, "notify.sock"),
  };
  const output = join(folder, "output");
  /** Its output goes to a file: the new server goes on writing when the command has ended. */
  const upgrade = async (...args: readonly string[]) => {
    const into = openSync(output, "w");
    const child = spawn(process.execPath, [...MAIN, "upgrade", ...args], {
      ...{ cwd: ROOT, env, stdio: ["ignore", into, into] },
    });
    const [code] = await once(child, "exit");
    return { code: code as number, output: readFileSync(output, "utf8") };
  };
  return { env, notified, upgrade, output, origin: `http://127.0.0.1:${httpPort}` };
}

test("fanfare upgrade starts a server that takes over, tells systemd, and the old one ends; without a server it says so", async () => {
  const { env, notified, upgrade, output, origin } = await open();
  const refused = await upgrade();
  expect(refused.code).toBe(1);
  expect(refused.output).toContain("start one, there is nothing to take over.");
  const wrong = await upgrade("--http-port", "seventy");
  expect([wrong.code, wrong.output]).toEqual([2, expect.stringContaining("FANFARE_HTTP_PORT")]);

  const older = await startChild(process.execPath, MAIN, { cwd: ROOT, env });
  onTestFinished(async () => void (await older.stop("SIGKILL", 0)));
  await waitFor("the server", DEADLINE_MS, () => older.stdout().includes("Fanfare is ready.") || undefined);
  const done = await upgrade();
  expect(done.code).toBe(0);
  const pid = Number(/process id (\d+) has taken over/.exec(done.output)?.[1]);
  onTestFinished(() => {
    if (isRunning(pid)) process.kill(pid, "SIGKILL");
  });
  expect(readFileSync(notified, "utf8")).toBe(`--pid=${pid} MAINPID=${pid}\n`);
  expect(await older.exited).toEqual({ code: 0, signal: null });
  expect((await fetch(`${origin}/readyz`)).status).toBe(200);
  process.kill(pid, "SIGTERM");
  await waitFor("its end", DEADLINE_MS, () => !isRunning(pid) || undefined);
  expect(readFileSync(output, "utf8")).toContain('"event":"stopped"');
});

test("the unit file of the page reloads by that command, and lets it name the main process", () => {
  const unit = /```ini\n(.*?)```/s.exec(PAGE)?.[1] ?? "";
  const settings = Object.fromEntries([...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  expect(settings).toMatchObject({ ExecReload: `${settings["ExecStart"]} upgrade`, NotifyAccess: "all" });
  expect(/```sh\n(.*?) *#/s.exec(PAGE)?.[1]?.trim()).toBe("fanfare upgrade");
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
