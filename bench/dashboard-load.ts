import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import fastifyStatic from "@fastify/static";
import fastify from "fastify";
import { type CDPSession, chromium } from "playwright-core";
import { MessageType } from "../src/protocol/rtmp/message.ts";
import { keyframeFile } from "../src/relay/stream/keyframe-file.ts";
import { readFlv } from "../src/testkit/flv-file.ts";
import { makeClip } from "../test/support/streams/clip.ts";
import { isKeyframe, isVideoHeader } from "../test/support/streams/flv-file.ts";

/**
 * Measures what the dashboard costs a browser: 300 channels of 5 platforms, all on air with a new keyframe every 2 s,
 * and one sample of each a second, on the overview in a laptop's window and in a very large one. Arguments: minutes for
 * each of the two; `--profile` writes a CPU profile of the page's main thread into the temporary folder.
 */
const CHANNELS = 300;
const PLATFORMS = 5;
const MINUTES = Number(process.argv[2] ?? 5);
const WINDOWS = [
  { width: 1_280, height: 860 },
  { width: 2_560, height: 1_300 },
] as const;
const HAS_PROFILE = process.argv.includes("--profile");
const PROFILE_MS = 20_000;
/** The keyframes of a stream as broadcasters send it. */
const VIDEO = { seconds: 20, kilobits: 6_000, size: "1920x1080", framesPerSecond: 30 };
const KEYFRAME_EVERY_MS = 2_000;
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

/** Keyframes of 1080p H.264, each as the server answers it. */
async function makeKeyframes(): Promise<readonly Buffer[]> {
  const clip = await makeClip(VIDEO);
  const video = readFlv(await readFile(clip.path)).filter(({ type }) => type === MessageType.Video);
  const config = video.find(isVideoHeader)?.payload;
  return video.filter(isKeyframe).flatMap(({ payload }) => {
    const file = keyframeFile(payload, config, 0);
    return file.found === "keyframe" ? [Buffer.from(file.bytes)] : [];
  });
}

const keyframes = await makeKeyframes();
const keyframeBytes = keyframes.reduce((sum, { length }) => sum + length, 0) / keyframes.length;
/** How many keyframes the page was given. */
let keyframesSent = 0;

const server = fastify({ serverFactory: (handler) => createServer(handler) });
server.register(fastifyStatic, { root: join(ROOT, "dist-web") });
server.get("/dashboard/session", async () => ({ signedIn: true, needsSetup: false }));
server.get("/api/v2/re-stream/presets", async () => ({ content: [] }));
server.get<{ Params: { readonly channelId: string } }>(
  "/api/v2/re-stream/channels/:channelId/keyframe",
  (request, reply) => {
    const index = ids.indexOf(request.params.channelId);
    // The channels' keyframes are spread over their interval.
    const at = Math.floor(Date.now() / KEYFRAME_EVERY_MS + index / CHANNELS);
    const time = Math.round((at - index / CHANNELS) * KEYFRAME_EVERY_MS);
    const etag = `"${time}"`;
    if (request.headers["if-none-match"] === etag) return reply.code(304).send();
    keyframesSent += 1;
    return reply
      .headers({ "content-type": "video/x-flv", "cache-control": "no-store", etag })
      .header("last-modified", new Date(time).toUTCString())
      .send(keyframes[(at + index) % keyframes.length]);
  },
);
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
const system = await browser.newBrowserCDPSession();
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const load = (): string => loadavg()[0]?.toFixed(1) ?? "";

async function writeProfile(cdp: CDPSession, file: string): Promise<void> {
  await cdp.send("Profiler.enable");
  await cdp.send("Profiler.start");
  await delay(PROFILE_MS);
  const { profile } = await cdp.send("Profiler.stop");
  await cdp.send("Profiler.disable");
  await writeFile(file, JSON.stringify(profile));
  process.stdout.write(`${file}\n`);
}

/** Opens the overview in a window of this size and returns one row of the table for each minute. */
async function measure({ width, height }: (typeof WINDOWS)[number]): Promise<string[]> {
  const page = await browser.newPage({ viewport: { width, height } });
  await page.goto(`http://127.0.0.1:${port}/`);
  const cards = page.locator(".card");
  await cards.nth(CHANNELS - 1).waitFor({ state: "attached" });
  await page.locator('.thumb[data-state="drawn"]').first().waitFor();
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  /** CPU seconds of all of Chromium's processes; the page's share of its main thread; its heap after a collection. */
  const look = async () => {
    await cdp.send("HeapProfiler.collectGarbage");
    const { metrics } = await cdp.send("Performance.getMetrics");
    const { processInfo } = await system.send("SystemInfo.getProcessInfo");
    const of = (metric: string): number => metrics.find((each) => each.name === metric)?.value ?? 0;
    return {
      cpuSeconds: processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0),
      taskSeconds: of("TaskDuration"),
      heapBytes: of("JSHeapUsedSize"),
      atMs: performance.now(),
      sent: keyframesSent,
    };
  };
  // A minute first: until every line has its 60 points, growth of the heap is expected.
  await delay(Math.min(65_000, MINUTES * 30_000));
  if (HAS_PROFILE) await writeProfile(cdp, join(tmpdir(), `dashboard-${width}.cpuprofile`));
  const drawn = await page.locator('.thumb[data-state="drawn"]').count();
  const first = await look();
  const lines = [`| ${width} × ${height} | 0 | | | ${megabytes(first.heapBytes)} | ${drawn} | | ${load()} |`];
  for (let minute = 1; minute <= MINUTES; minute += 1) {
    await delay(60_000);
    const now = await look();
    const seconds = (now.atMs - first.atMs) / 1_000;
    const percent = (used: number): string => `${((used / seconds) * 100).toFixed(1)} %`;
    const cpu = percent(now.cpuSeconds - first.cpuSeconds);
    const main = percent(now.taskSeconds - first.taskSeconds);
    const keyframeRate = ((now.sent - first.sent) / seconds).toFixed(2);
    lines.push(`| | ${minute} | ${cpu} | ${main} | ${megabytes(now.heapBytes)} | | ${keyframeRate} | ${load()} |`);
    process.stdout.write(`${lines.at(-1)}\n`);
  }
  await page.close();
  return lines;
}

const lines: string[] = [];
for (const size of WINDOWS) lines.push(...(await measure(size)));
await browser.close();
await server.close();
const text = [
  "# The dashboard under load",
  "",
  `${CHANNELS} channels of ${PLATFORMS} platforms on the overview, all on air: one sample of each a second, and a new keyframe every ${KEYFRAME_EVERY_MS / 1_000} s (H.264, ${VIDEO.size}, ${VIDEO.kilobits / 1_000} Mbit/s, ${(keyframeBytes / 1_000).toFixed(0)} kB on average). Chromium ${version} without a GPU, ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? "unknown"}).`,
  `CPU is the share of one core since minute 0, when every line has its 60 points; the heap is measured after a forced collection; thumbnails are those on the page that are drawn by then, keyframes those that the page fetches and decodes; \`npm run bench:dashboard -- ${MINUTES}\`.`,
  "The main thread's share is wall-clock time, so it grows with the machine's other work (its load average of one minute is in the last column).",
  "",
  "| window | minute | all of Chromium | the page's main thread | heap | thumbnails | keyframes/s | load |",
  "|---|---|---|---|---|---|---|---|",
  ...lines,
  "",
].join("\n");
await writeFile(RESULT, text);
