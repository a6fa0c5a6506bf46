import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { MediaPool } from "../../../src/app/control-thread/media/media-pool.ts";
import { Succession } from "../../../src/app/control-thread/succession/succession.ts";
import { DataFolderError } from "../../../src/app/data-folder/storage.ts";
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
    return await succession.meetServing().finally(() => succession.leave());
  };
  const [first, second, third] = [await run("1-a"), await run("2-b"), await run("3-c")];
  await expect(meet()).rejects.toThrow(
    "2 earlier processes still carry broadcasts: wait until one of them is over, or stop it.",
  );
  await first.close();
  await expect(meet()).resolves.toBe(true);
  // The one that served is gone, and an earlier one still carries broadcasts: an upgrade goes on with them.
  await third.close();
  await expect(meet()).resolves.toBe(false);
  await second.close();
  await expect(meet()).rejects.toThrow("there is nothing to take over");
});

test("where the server ends while it hands over, the new one starts in its place, once the data folder is free", async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), "fanfare-ended-"));
  onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }));
  const server = {
    ...{ processId: "1-a", threadCount: 0, ports: () => [], hasPredecessors: () => false, refusal: nothing },
    divert: nothing,
    // It is killed here: its socket closes.
    giveUp: () => listener.close().then(() => new Promise<void>(nothing)),
  } as Partial<HandoverServer> as HandoverServer;
  const listener = new HandoverListener({ dataFolder, release: "1", clock: systemClock, log, drainMs: 1, server });
  await listener.listen();
  const succession = new Succession({ dataDir: dataFolder }, log);
  expect(await succession.meetServing()).toBe(true);
  let attempts = 0;
  await succession.takeOver(async () => {
    attempts += 1;
    if (attempts < 3) throw new DataFolderError("the kernel closes its files one by one");
  });
  expect(attempts).toBe(3);
  expect([succession.handovers, succession.isUndecided]).toEqual([[], false]);
});

test("of two upgrades at the same time the second says that the first has taken over", async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), "fanfare-two-"));
  onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }));
  const server = {
    ...{ processId: "1-a", threadCount: 0, ports: () => [], hasPredecessors: () => false, refusal: nothing },
    ...{ divert: nothing, giveUp: async () => undefined, takeBack: async () => undefined },
    state: () => ({ processId: "1-a", threads: [], broadcasts: [], onAirMs: [], reports: [], time: 0 }),
  } as Partial<HandoverServer> as HandoverServer;
  const listener = new HandoverListener({ dataFolder, release: "1", clock: systemClock, log, drainMs: 1, server });
  await listener.listen();
  onTestFinished(() => listener.close());
  const succession = new Succession({ dataDir: dataFolder }, log);
  await succession.meetServing();
  const take = () => Promise.reject(new DataFolderError("another server uses the data folder"));
  await expect(succession.takeOver(take)).rejects.toThrow("another process has taken over meanwhile, and serves:");
  succession.leave();
});

test("files that the earlier process still finishes are not begun with, also where the new one is to stop", async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), "fanfare-files-"));
  onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }));
  const finished = Promise.withResolvers<void>();
  const server = {
    ...{ processId: "1-a", threadCount: 0, ports: () => [], hasPredecessors: () => false, refusal: nothing },
    ...{ divert: nothing, giveUp: async () => undefined, stopAccepting: async () => undefined, isBusy: () => true },
    state: () => ({ processId: "1-a", threads: [], broadcasts: [], onAirMs: [], reports: [], time: 0 }),
    release: () => finished.promise,
  } as Partial<HandoverServer> as HandoverServer;
  const listener = new HandoverListener({ dataFolder, release: "1", clock: systemClock, log, drainMs: 60_000, server });
  await listener.listen();
  onTestFinished(() => listener.close());
  const succession = new Succession({ dataDir: dataFolder }, log);
  await succession.meetServing();
  await succession.takeOver(async () => undefined);
  onTestFinished(() => succession.leave());
  succession.listen({} as MediaPool);
  succession.taken();
  const begun: string[] = [];
  const stopping = new AbortController();
  const stopped = succession.released(stopping.signal, () => begun.push("stopped"));
  const waited = succession.released(new AbortController().signal, () => begun.push("waited"));
  stopping.abort();
  await stopped;
  expect(begun).toEqual([]);
  finished.resolve();
  await waited;
  expect(begun).toEqual(["waited"]);
});
