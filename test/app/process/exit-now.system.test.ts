import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runToEnd, startChild } from "../../support/processes/children.ts";
import { ROOT } from "../../support/processes/fanfare-process.ts";

/** Far beyond what an end takes, and far below the test's own time. */
const GRACE_MS = 15_000;

test.each([0, 1])("a process whose pool waits for a disk that does not answer still ends with %i", async (code) => {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pipe = join(folder, "pipe");
  await runToEnd("mkfifo", [pipe]);
  // Opening a pipe without a writer waits, as a network disk whose server is gone does.
  const program = `
    import { open } from "node:fs";
    import { exitNow } from "${ROOT}/src/app/process/exit-now.ts";
    open(${JSON.stringify(pipe)}, "r", () => undefined);
    setTimeout(() => exitNow(${code}), 500);
  `;
  const child = await startChild(process.execPath, ["--input-type=module", "--eval", program]);
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  expect(await child.exited, child.stderr()).toEqual({ code, signal: null });
  clearTimeout(timer);
});
