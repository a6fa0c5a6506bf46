import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { HandoverListener, type HandoverServer } from "../../../src/app/upgrade/handover.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

test("a data folder that takes no socket is tried again, and takes one once it can", async () => {
  const root = mkdtempSync(join(tmpdir(), "fanfare-handover-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const dataFolder = join(root, "data");
  const clock = new VirtualClock();
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const listener = new HandoverListener({
    ...{ dataFolder, release: "1", clock, drainMs: 1, server: { hasPredecessors: () => false } as HandoverServer },
    log: { debug: write, info: write, warn: write, error: write },
  });
  await listener.listen();
  const lost = "no upgrade without interruption: the data folder takes no socket";
  expect(lines).toEqual([lost]);
  mkdirSync(dataFolder);
  clock.advance(29_999);
  expect(readdirSync(dataFolder)).toEqual([]);
  clock.advance(1);
  const socket = join(dataFolder, "fanfare.sock");
  await waitFor("the socket", 10_000, () => (existsSync(socket) ? true : undefined));
  await waitFor("the log", 10_000, () => (lines.length === 2 ? true : undefined));
  expect(lines).toEqual([lost, "an upgrade without interruption is possible again"]);
  await listener.close();
  expect(readdirSync(dataFolder)).toEqual([]);
});
