import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Child, startChild } from "../../support/processes/children.ts";
import { commandLineFile, ROOT } from "../../support/processes/fanfare-process.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";

/**
 * Runs in the server before all else, and prints when it handles signals: until then the kernel ends it, as it would
 * any program.
 */
const SAY_WHEN_HEARING = [
  "data:text/javascript,",
  'process.on("newListener", (name) => name === "SIGINT" && setImmediate(() => process.stderr.write("hears signals")));',
].join("");

async function start(dataFolder: string): Promise<Child> {
  const env = {
    PATH: process.env["PATH"],
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
    FANFARE_DATA_DIR: dataFolder,
    FANFARE_HTTP_HOST: "127.0.0.1",
    FANFARE_HTTP_PORT: `${await freePort()}`,
    FANFARE_RTMP_HOST: "127.0.0.1",
    FANFARE_RTMP_PORT: `${await freePort()}`,
  };
  return await startChild(process.execPath, ["--import", SAY_WHEN_HEARING, commandLineFile()], { cwd: ROOT, env });
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const says = (child: Child, text: string) => () => (child.stdout().includes(text) ? true : undefined);

/** What a child wrote, and how it ended, for the message of a wait that fails. */
const wrote = (child: Child) => () => `it ${child.isRunning() ? "runs" : "ended"}:\n${child.stdout()}${child.stderr()}`;

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s in the first moments, and while the first start is under way, ends it with 0, and the next start is a first one",
  async (signal) => {
    const early = await start(newFolder());
    await waitFor("it to hear signals", 10_000, () => (early.stderr().includes("hears signals") ? true : undefined));
    early.kill(signal);
    expect(await early.exited, early.stderr()).toEqual({ code: 0, signal: null });

    const folder = newFolder();
    const later = await start(folder);
    await waitFor("the key file", 15_000, says(later, "encryption key file made"), wrote(later));
    later.kill(signal);
    expect(await later.exited, later.stderr()).toEqual({ code: 0, signal: null });
    // A key that was made was shown; one that was not shown was not made.
    const isShown = later.stdout().includes("Secret key: ");

    const last = await start(folder);
    await waitFor("it to be ready", 15_000, says(last, "Fanfare is ready."), wrote(last));
    await waitFor("the set-up link", 5_000, says(last, "/setup#token="), wrote(last));
    expect(last.stdout().includes("Secret key: ")).toBe(!isShown);
    last.kill(signal);
    expect(await last.exited, last.stderr()).toEqual({ code: 0, signal: null });
  },
);
