import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { build } from "vite";
import { expect, test } from "vitest";
import { uplotForLines } from "../../../web/uplot-for-lines.ts";
import config from "../../../web/vite.config.ts";
import type { Channel } from "../../support/api-client.ts";
import { openBrowser, openContext, setUp, watchErrors } from "../../support/browser.ts";
import { Stage, uniqueKey } from "../../support/stage.ts";
import { waitFor } from "../../support/waiting.ts";

const DEADLINE_MS = 20_000;
/** As many as a line shows. */
const SECONDS = 60;
/** Of the chart's width: on the line, where there is none below, and, let go of, past the line's end. */
const POINTED = [0.3, 0.501, 0.93, 1];

/** All that uPlot made, the canvases' pictures and the elements around them, and the value pointed at. Runs in the page. */
const DRAWN = `[
  document.querySelector(".chart figcaption").innerText,
  ...[...document.querySelectorAll(".uplot")].flatMap((plot) => [plot.querySelector("canvas").toDataURL(), plot.outerHTML]),
].join("\\n")`;

/** Whether the minute is drawn: the chart has made room for labels of thousands, and there is ink on the small line's canvas. */
const HAS_LINES = `(() => {
  const { width, height } = document.querySelector(".rate-line canvas");
  const { data } = document.querySelector(".rate-line canvas").getContext("2d").getImageData(0, 0, width, height);
  return document.querySelector(".chart-line .u-over").offsetLeft > 40 && data.some((part) => part > 0);
})()`;

/** The dashboard with all of uPlot, in a folder of its own. */
async function buildWhole(folder: string): Promise<string> {
  const outDir = join(folder, "whole");
  const plugins = config.plugins.filter(({ name }) => name !== uplotForLines().name);
  expect(plugins).toHaveLength(config.plugins.length - 1);
  // Served by the test itself, which puts nothing in front of addresses.
  const own = { configFile: false, base: "/", logLevel: "error", plugins } as const;
  await build({ ...config, ...own, build: { ...config.build, outDir } });
  return outDir;
}

/** What the live stream tells of one channel on air: a rate that rises, falls, and is nothing for a while. */
function liveStream(channel: Channel): string {
  const platform = {
    ...{ platId: 1, targetName: "CUSTOM", label: "one", rtmpUrl: "rtmp://example.com/app", streamKey: "k" },
    ...{ enabled: true, bufferPolicy: "drop", connectStatus: "PUBLISHING", bytesPerSecond: 0, bytesTotalTrans: 0 },
    ...{ totalBytesPerSecond: 0, totalPlaySecond: 0, totalRetryCount: 0 },
  };
  const ingest = {
    ...{ state: "LIVE", source: "main", remoteAddress: "192.0.2.1", encoder: "OBS", startTime: Date.now() },
    ...{ bytesPerSecond: 0, bytesTotal: 0, warnings: [] },
  };
  const snapshot = { channels: [{ ...channel, isPublishing: true, ingest, platforms: [platform] }] };
  const events = [`event: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n`];
  for (let second = 0; second < SECONDS; second += 1) {
    const bytesPerSecond = second > 20 && second < 27 ? 0 : 300_000 + Math.round(200_000 * Math.sin(second / 5));
    const platforms = [{ platId: 1, bytesPerSecond: bytesPerSecond / 2 }];
    const sample = { channelId: channel.channelId, time: second, ingest: { bytesPerSecond }, platforms };
    events.push(`event: sample\ndata: ${JSON.stringify(sample)}\n\n`);
  }
  return events.join("");
}

/** What is drawn on a channel's page as it comes, pointed at, in the other theme, and on a phone. */
async function pictures(page: Page, url: string): Promise<readonly string[]> {
  const looks: string[] = [];
  /** Once it is another picture than the last one, and stays for two frames. */
  const look = async (): Promise<void> => {
    let before = "";
    const settled = async () => {
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      const now = String(await page.evaluate(DRAWN));
      const isSettled = now === before && now !== looks.at(-1);
      before = now;
      return isSettled ? now : undefined;
    };
    looks.push(await waitFor("another picture", DEADLINE_MS, settled));
  };
  await page.goto(url);
  const chart = page.locator(".chart-line");
  await page.locator('.chart-line[aria-label*="between 0 kbit/s"]').waitFor();
  await page.locator(".platform .rate-line canvas").waitFor();
  await waitFor("two lines", DEADLINE_MS, async () => (await page.evaluate(HAS_LINES)) === true || undefined);
  await look();
  for (const part of POINTED) {
    const { x, y, width, height } = (await chart.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.move(x + Math.min(width - 1, part * width), y + height / 2);
    await look();
  }
  await page.emulateMedia({ colorScheme: "dark" });
  await look();
  await page.setViewportSize({ width: 400, height: 860 });
  await look();
  return looks;
}

test("the lines are drawn, and pointed at, as all of uPlot would draw them, pixel by pixel", async () => {
  const stage = await Stage.open();
  const whole = await buildWhole(stage.folder);
  const { fanfare, api } = await stage.server();
  const channel = await api.createChannel("charts", [
    { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") },
  ]);
  const context = await openContext(await openBrowser(stage));
  // In a worker of its own page the connection can be answered by the test; in a shared one it cannot.
  await context.addInitScript("delete globalThis.SharedWorker");
  const page = await context.newPage();
  const errors = watchErrors(page);
  await page.route("**/events/stream", (route) =>
    route.fulfill({ contentType: "text/event-stream", body: liveStream(channel) }),
  );
  await setUp(page, fanfare);
  const url = `${fanfare.origin}/channels/${channel.channelId}`;
  const ours = await pictures(page, url);

  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1_280, height: 860 });
  const served = new Set<string>();
  await page.route(/\/channels\/|\/assets\//, async (route) => {
    const { pathname } = new URL(route.request().url());
    const file = pathname.startsWith("/assets/") ? pathname : "/index.html";
    served.add(file);
    const contentType = { js: "text/javascript", css: "text/css" }[file.split(".").pop() ?? ""] ?? "text/html";
    await route.fulfill({ contentType, body: await readFile(join(whole, file)) });
  });
  const theirs = await pictures(page, url);
  expect(served.size).toBeGreaterThan(3);
  expect(ours).toEqual(theirs);
  expect(errors).toEqual([]);
});
