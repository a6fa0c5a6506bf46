import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Succession } from "../../../src/app/control-thread/succession/succession.ts";
import { HandoverListener, type HandoverServer } from "../../../src/app/upgrade/handover.ts";
import { systemClock } from "../../../src/base/clock.ts";

const nothing = () => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

test("an upgrade is rejected beside two earlier processes that run; those that were killed do not count", async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), "fanfare-others-"));
  onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }));
  // What a process that was killed leaves behind: a socket at which nobody listens, or a folder alone.
  for (const name of ["fanfare.run-killed", "fanfare.run-killd2"]) mkdirSync(join(dataFolder, name));
  writeFileSync(join(dataFolder, "fanfare.run-killed", "control.sock"), "");
  const run = async (processId: string) => {
    const server = {
      processId,
      ports: () => [],
      hasPredecessors: () => false,
    } as Partial<HandoverServer> as HandoverServer;
    const listener = new HandoverListener({ dataFolder, release: "1", clock: systemClock, log, drainMs: 1, server });
    await listener.listen();
    onTestFinished(() => listener.close());
    return listener;
  };
  const meet = async () => {
    const succession = new Succession({ dataDir: dataFolder }, log);
    await succession.meetServing().finally(() => succession.leave());
  };
  const [first] = [await run("1-a"), await run("2-b"), await run("3-c")];
  await expect(meet()).rejects.toThrow(
    "2 earlier processes still carry broadcasts: wait until one of them is over, or stop it.",
  );
  await first?.close();
  await expect(meet()).resolves.toBeUndefined();
});
