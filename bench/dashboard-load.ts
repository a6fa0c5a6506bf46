import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import fastifyStatic from "@fastify/static";
import fastify from "fastify";
import { chromium } from "playwright-core";

/**
 * Measures what the dashboard costs a browser: 300 channels of 5 platforms, one sample of each a second, on the
 * overview.
 */
const CHANNELS = 300;
const PLATFORMS = 5;
const MINUTES = Number(process.argv[2] ?? 10);
const ROOT = join(import.meta.dirname, "..");
const RESULT = join(ROOT, "docs", "results", "dashboard-load.md");

const ids = Array.from({ length: CHANNELS }, (_, index) => `ls-20260101000000-${String(index).padStart(5, "0")}`);
const platIds = Array.from({ length: PLATFORMS }, (_, index) => index + 1);
const rate = (): number => Math.round(600_000 + Math.random() * 100_000);

function channel(channelId: string, index: number): object {
  return {
    channelId,
    channelName: `channel_${index}`,
    channelStatus: "PUBLISHING",
    isPublishing: true,
    createdTime: index,
    recentPublishStartTime: Date.now(),
    hold: { seconds: 120 },
    backup: { enabled: false },
    health: { state: "healthy", reasonCount: 0 },
    platformCount: PLATFORMS,
    ingest: {
      state: "LIVE",
      videoCodec: "avc",
      width: 1920,
      height: 1080,
      bytesPerSecond: 0,
      bytesTotal: 0,
      warnings: [],
    },
    platforms: platIds.map((platId) => ({
      platId,
      targetName: "YOUTUBE",
      label: `target ${platId}`,
      enabled: true,
      connectStatus: "PUBLISHING",
      bytesPerSecond: 0,
      bytesTotalTrans: 0,
    })),
  };
}

function samples(): string {
  const time = Date.now();
  return ids
    .map((channelId) => {
      const platforms = platIds.map((platId) => ({
        platId,
        bytesPerSecond: rate(),
        queueMilliseconds: 20,
        droppedFrames: 0,
      }));
      const data = { channelId, time, ingest: { bytesPerSecond: rate() }, platforms };
      return `event: sample\ndata: ${JSON.stringify(data)}\n\n`;
    })
    .join("");
}

const server = fastify({ serverFactory: (handler) => createServer(handler) });
server.register(fastifyStatic, { root: join(ROOT, "dist-web") });
server.get("/dashboard/session", async () => ({ signedIn: true, needsSetup: false }));
server.get("/api/v2/re-stream/presets", async () => ({ content: [] }));
server.get("/api/v2/re-stream/events/stream", (_request, reply) => {
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": "text/event-stream" });
  reply.raw.write(
    `event: snapshot\nid: x-1\ndata: ${JSON.stringify({ time: Date.now(), channels: ids.map(channel) })}\n\n`,
  );
  const timer = setInterval(() => reply.raw.write(samples()), 1_000);
  reply.raw.on("close", () => clearInterval(timer));
});
await server.listen({ host: "127.0.0.1", port: 0 });
const { port } = server.server.address() as AddressInfo;

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const version = browser.version();
const page = await browser.newPage({ viewport: { width: 1_280, height: 860 } });
await page.goto(`http://127.0.0.1:${port}/`);
await page
  .locator(".card")
  .nth(CHANNELS - 1)
  .waitFor({ state: "attached" });
const cdp = await page.context().newCDPSession(page);
const system = await browser.newBrowserCDPSession();
await cdp.send("Performance.enable");

/** CPU seconds of all of Chromium's processes; the page's share of its main thread; its heap after a collection. */
async function look() {
  await cdp.send("HeapProfiler.collectGarbage");
  const { metrics } = await cdp.send("Performance.getMetrics");
  const { processInfo } = await system.send("SystemInfo.getProcessInfo");
  const of = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return {
    cpuSeconds: processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0),
    taskSeconds: of("TaskDuration"),
    heapBytes: of("JSHeapUsedSize"),
    atMs: performance.now(),
  };
}

// A minute first: until every line has its 60 points, growth of the heap is expected.
await delay(Math.min(65_000, MINUTES * 30_000));
const first = await look();
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const lines: string[] = [`| 0 | | | ${megabytes(first.heapBytes)} | ${loadavg()[0]?.toFixed(1)} |`];
for (let minute = 1; minute <= MINUTES; minute += 1) {
  await delay(60_000);
  const now = await look();
  const seconds = (now.atMs - first.atMs) / 1_000;
  const percent = (used: number): string => `${((used / seconds) * 100).toFixed(1)} %`;
  const cpu = percent(now.cpuSeconds - first.cpuSeconds);
  const main = percent(now.taskSeconds - first.taskSeconds);
  lines.push(`| ${minute} | ${cpu} | ${main} | ${megabytes(now.heapBytes)} | ${loadavg()[0]?.toFixed(1)} |`);
  process.stdout.write(`${lines.at(-1)}\n`);
}
await browser.close();
await server.close();
const text = [
  "# The dashboard under load",
  "",
  `${CHANNELS} channels of ${PLATFORMS} platforms on the overview, one sample of each a second. Chromium ${version} without a GPU, ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? "unknown"}).`,
  `CPU is the share of one core since minute 0, when every line has its 60 points; the heap is measured after a forced collection; \`npm run bench:dashboard -- ${MINUTES}\`.`,
  "The main thread's share is wall-clock time, so it grows with the machine's other work (its load average of one minute is in the last column).",
  "",
  "| minute | all of Chromium | the page's main thread | heap | load |",
  "|---|---|---|---|---|",
  ...lines,
  "",
].join("\n");
await writeFile(RESULT, text);
