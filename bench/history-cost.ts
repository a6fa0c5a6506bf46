import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../src/base/clock.ts";
import { HistoryReader } from "../src/control/history/history-reader.ts";
import { HistoryWriter } from "../src/control/history/history-writer.ts";
import { SqlHistoryStore } from "../src/store/history/history-store.ts";
import { openSqliteDatabase } from "../src/store/sqlite/sqlite.ts";

/**
 * Measures what the history costs: 300 channels of five targets, an hour of samples as fast as they can be taken, into
 * a real database. Prints the share of one core that it takes at one sample a second, and the bytes on disk of a day.
 */
const [CHANNELS, TARGETS, SECONDS] = [300, 5, 3_600];

let nowMs = 0;
const timers = new Set<{ readonly dueMs: number; readonly run: () => void }>();
const clock: Clock = {
  now: () => nowMs,
  awakeNow: () => nowMs,
  wallNow: () => 1_800_000_000_000 + nowMs,
  startTimer: (delayMs, run) => {
    const timer = { dueMs: nowMs + delayMs, run };
    timers.add(timer);
    return { cancel: () => void timers.delete(timer) };
  },
};
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: console.warn, error: console.error };

const folder = mkdtempSync(join(tmpdir(), "fanfare-history-cost-"));
const path = join(folder, "fanfare.db");
const { database } = await openSqliteDatabase(path);
const store = new SqlHistoryStore(database);
const writer = new HistoryWriter({ store, clock, log });
writer.start();
const names = Array.from({ length: CHANNELS }, (_, index) => `ls-20260101000000-${String(index).padStart(5, "0")}`);
const drops = { overTime: 0, overBytes: 0, untilKeyframe: 0 };
const emptyBytes = statSync(path).size;
const before = process.cpuUsage();
let longestMs = 0;
for (let second = 0; second < SECONDS; second += 1) {
  nowMs += 1_000;
  // Channels begin one after another, as real ones do.
  const begun = names.slice(0, second * 5);
  for (const channelId of names.slice((second - 1) * 5, second * 5)) {
    const encoder = {
      ingestId: 1,
      slot: "main",
      remoteAddress: "192.0.2.1",
      encoder: "x",
      isBroadcastNew: true,
    } as const;
    writer.fact({ kind: "ingest-started", time: clock.wallNow(), channelId, ...encoder });
  }
  const samples = begun.map((channelId, channel) => ({
    channelId,
    ingest: {
      ...({
        state: "LIVE",
        slot: "main",
        remoteAddress: "192.0.2.1",
        encoder: "x",
        startTime: 0,
        bytesTotal: 0,
      } as const),
      bytesPerSecond: 750_000 + Math.round(40_000 * Math.random()),
    },
    targets: Array.from({ length: TARGETS }, (_, index) => ({
      ...{ targetId: channel * TARGETS + index + 1, bytesTotal: 0, playMs: 0, retryCount: 0, droppedFrames: 0, drops },
      ...{ bytesPerSecond: 750_000 + Math.round(40_000 * Math.random()), queueMs: 50 * Math.random() },
      isUnstable: false,
    })),
  }));
  const startMs = performance.now();
  writer.samples(samples);
  for (const timer of [...timers]) {
    if (timer.dueMs > nowMs) continue;
    timers.delete(timer);
    timer.run();
  }
  await new Promise((resolve) => setImmediate(resolve));
  longestMs = Math.max(longestMs, performance.now() - startMs);
}
const { user, system } = process.cpuUsage(before);
await writer.pause();
const readMs = performance.now();
const reader = new HistoryReader(store, writer, clock);
await reader.read(names[0] ?? "", { step: 1 });
const tookMs = performance.now() - readMs;
await database.close();
const bytes = statSync(path).size - emptyBytes;
const cpuPercent = ((user + system) / 1_000_000 / SECONDS) * 100;
console.log(
  JSON.stringify({
    channels: CHANNELS,
    targets: TARGETS,
    hours: SECONDS / 3_600,
    cpuPercentOfACore: Math.round(cpuPercent * 100) / 100,
    longestTurnMs: Math.round(longestMs),
    megabytesADay: Math.round(((bytes / SECONDS) * 86_400) / 1_000_000),
    bytesOfAChannelAndSecond: Math.round((bytes / SECONDS / CHANNELS) * 10) / 10,
    readAnHourInSecondsMs: Math.round(tookMs),
  }),
);
rmSync(folder, { recursive: true, force: true });
