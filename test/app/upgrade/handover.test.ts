import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { HandoverListener, type HandoverServer } from "../../../src/app/upgrade/handover.ts";
import { Predecessor } from "../../../src/app/upgrade/predecessor.ts";
import { servingSocket } from "../../../src/app/upgrade/run-folder.ts";
import { systemClock } from "../../../src/base/clock.ts";
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

const nothing = () => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** A new process has this long to take over. */
const TAKEN_DEADLINE_MS = 10_000;

/** A server that notes what is done with its database, and a process that asks for it. */
async function serving(
  acceptLinks: () => Promise<void>,
  giveUp = async (): Promise<void> => undefined,
  takeBack = async (_isWanted: () => boolean): Promise<void> => undefined,
) {
  const dataFolder = mkdtempSync(join(tmpdir(), "fanfare-handover-"));
  onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }));
  const done: string[] = [];
  const server = {
    ...{ processId: "1-a", threadCount: 1, ports: () => [], hasPredecessors: () => false, refusal: nothing },
    ...{ acceptLinks, divert: nothing },
    giveUp: () => {
      done.push("gave up");
      return giveUp();
    },
    takeBack: async (isWanted: () => boolean) => {
      await takeBack(isWanted);
      done.push("took back");
    },
    state: () => ({ processId: "1-a", threads: [], broadcasts: [], onAirMs: [], reports: [], time: 0 }),
  } as Partial<HandoverServer> as HandoverServer;
  let deadlines = 0;
  const clock = {
    ...{ now: () => 0, awakeNow: () => 0, wallNow: () => 0 },
    startTimer: (delayMs: number) => {
      if (delayMs !== TAKEN_DEADLINE_MS) return { cancel: nothing };
      deadlines += 1;
      const cancel = () => {
        deadlines -= 1;
      };
      return { cancel };
    },
  };
  const listener = new HandoverListener({ dataFolder, release: "1", clock, log, drainMs: 1, server });
  await listener.listen();
  onTestFinished(() => listener.close());
  const meet = async () => {
    const deps = { clock: systemClock, log, release: "2" };
    const predecessor = await Predecessor.meet(servingSocket(dataFolder), deps);
    if (predecessor === undefined) throw new Error("nobody serves");
    onTestFinished(() => predecessor.leave());
    return predecessor;
  };
  const isForgotten = () => (deadlines === 0 ? true : undefined);
  return { done, meet, forgotten: () => waitFor("the handover to be forgotten", 10_000, isForgotten) };
}

test("a handover that fails before anything is given up takes nothing back, and the next one succeeds", async () => {
  let isMute = true;
  const { done, meet, forgotten } = await serving(async () => {
    if (isMute) throw new Error("the media thread did not answer");
  });
  const refused = await meet();
  await expect(refused.handOver()).rejects.toThrow("does not hand over: the media thread did not answer");
  await forgotten();
  expect(done).toEqual([]);
  isMute = false;
  const next = await meet();
  expect(await next.handOver()).toMatchObject({ processId: "1-a" });
  expect(done).toEqual(["gave up"]);
  next.leave();
  await forgotten();
  expect(done).toEqual(["gave up", "took back"]);
});

test("nothing is given up for a process that is gone before", async () => {
  const asked = Promise.withResolvers<void>();
  const accepted = Promise.withResolvers<void>();
  const { done, meet, forgotten } = await serving(() => {
    asked.resolve();
    return accepted.promise;
  });
  const gone = await meet();
  void gone.handOver().catch(nothing);
  await asked.promise;
  gone.leave();
  await forgotten();
  accepted.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toEqual([]);
});

test("what was given up when a handover failed is taken back, and the next one succeeds", async () => {
  let isFull = true;
  const { done, meet, forgotten } = await serving(
    () => Promise.resolve(),
    async () => {
      if (isFull) throw new Error("the disk is full");
    },
  );
  const refused = await meet();
  await expect(refused.handOver()).rejects.toThrow("does not hand over: the disk is full");
  await forgotten();
  expect(done).toEqual(["gave up", "took back"]);
  isFull = false;
  const next = await meet();
  expect(await next.handOver()).toMatchObject({ processId: "1-a" });
  expect(done).toEqual(["gave up", "took back", "gave up"]);
});

test("a process that asks while what was given up is taken back gets it once it is given up anew", async () => {
  const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const begun = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let asks = 0;
  const { done, meet } = await serving(
    async () => asked[asks++]?.resolve(),
    async () => undefined,
    () => {
      begun.resolve();
      return opened.promise;
    },
  );
  const gone = await meet();
  await gone.handOver();
  gone.leave();
  await begun.promise;
  const next = await meet();
  const handover = next.handOver();
  await asked[1]?.promise;
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toEqual(["gave up"]);
  opened.resolve();
  expect(await handover).toMatchObject({ processId: "1-a" });
  expect(done).toEqual(["gave up", "took back", "gave up"]);
});

test("a process that has the database already, and asks for the rest, gets it without a wait for the database", async () => {
  const begun = Promise.withResolvers<void>();
  const { done, meet } = await serving(
    async () => undefined,
    async () => undefined,
    async (isWanted) => {
      begun.resolve();
      while (isWanted()) await new Promise((resolve) => setImmediate(resolve));
      throw new Error("another process uses the data folder");
    },
  );
  const gone = await meet();
  await gone.handOver();
  gone.leave();
  await begun.promise;
  const next = await meet();
  expect(await next.handOver()).toMatchObject({ processId: "1-a" });
  expect(done).toEqual(["gave up"]);
});
