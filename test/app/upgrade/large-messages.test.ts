import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { HandoverListener, type HandoverServer } from "../../../src/app/upgrade/handover.ts";
import { Predecessor } from "../../../src/app/upgrade/predecessor.ts";
import type { Handover } from "../../../src/app/upgrade/process-messages.ts";
import { servingSocket } from "../../../src/app/upgrade/run-folder.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { SLATE_LIMITS } from "../../../src/ffmpeg/job-limits.ts";
import type { ToMedia } from "../../../src/thread-protocol/messages.ts";
import { waitFor } from "../../support/processes/waiting.ts";

const DEADLINE_MS = 60_000;
const MIB = 1024 * 1024;
/** Together more than any message may have. */
const CHANNELS = 9;

const done = () => Promise.resolve();

/** An old process without media threads of its own. `took`: what the new one sends to them. */
function serverOf(handover: Handover, took: (message: ToMedia) => void): HandoverServer {
  return {
    ...{ processId: handover.processId, ports: () => [], refusal: () => undefined, threadCount: 1, acceptLinks: done },
    ...{ hasPredecessors: () => false, divert: () => undefined, giveUp: done, takeBack: done, release: done },
    ...{ state: () => handover, note: () => undefined, take: () => undefined, stopAccepting: done },
    ...{ isBusy: () => true, stop: done },
    post: (_thread, message) => took(message),
  };
}

test("the state of many broadcasts, and the largest slates of several channels at once, cross the link of an upgrade", async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), "fanfare-large-"));
  onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }));
  const faults: unknown[] = [];
  const write = (event: string, more?: object) => void faults.push({ event, ...more });
  const log = { debug: () => undefined, info: () => undefined, warn: write, error: write };
  const thread = { name: "media", linkPath: "", channels: [] };
  // More than any text of a report, so that it stands for thousands of them.
  const told = [["ls-1", "x".repeat(64 * MIB)]] as unknown as NonNullable<Handover["told"]>;
  const handover: Handover = {
    ...{ processId: "1-a", threads: [thread], broadcasts: [], onAirMs: [], reports: [], told, time: 1 },
  };
  const slates: (readonly [string, number, number | undefined])[] = [];
  const server = serverOf(handover, (message) => {
    if (message.kind !== "slate" || message.flv === undefined) return;
    slates.push([message.channelId, message.flv.byteLength, new Uint8Array(message.flv).at(-1)]);
  });
  const older = new HandoverListener({
    ...{ dataFolder, release: "1", clock: systemClock, log, server },
    drainMs: 1e9,
  });
  await older.listen();
  onTestFinished(() => older.close());

  const newer = await Predecessor.meet(servingSocket(dataFolder), { clock: systemClock, log, release: "2" });
  if (newer === undefined) throw new Error("nobody listens");
  onTestFinished(() => newer.leave());
  const state = await newer.handOver();
  if (state === undefined) throw new Error("nothing was handed over");
  expect(state.told?.[0]?.[1]).toHaveLength(64 * MIB);
  const [worker] = newer.workers(state, 0);
  const gone: boolean[] = [];
  newer.listen({ take: () => undefined, gone: (_worker, hasDied) => gone.push(hasDied) });
  newer.taken();
  const bytes = SLATE_LIMITS.outputBytes;
  const marks = Array.from({ length: CHANNELS }, (_, index) => index + 1);
  for (const mark of marks) {
    worker?.post({ kind: "slate", channelId: `ls-${mark}`, flv: new Uint8Array(bytes).fill(mark).buffer });
  }
  const isOver = () => (slates.length === CHANNELS || gone.length > 0 ? true : undefined);
  await waitFor("the slates, or the end of the link", DEADLINE_MS, isOver);
  expect({ faults, gone }).toEqual({ faults: [], gone: [] });
  expect(slates).toEqual(marks.map((mark) => [`ls-${mark}`, bytes, mark]));
});
