import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Channel } from "../../../support/dashboard/api-client.ts";
import { openBrowser, openContext, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { tellStream } from "../../../support/dashboard/told-stream.ts";
import { waitFor } from "../../../support/processes/waiting.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

const DEADLINE_MS = 20_000;
/** How many values a line shows. */
const SECONDS = 60;
/** Bytes a second of each second, the newest last: a wave, and a gap of some seconds without data. */
const RATES = Array.from({ length: SECONDS }, (_, second) =>
  second > 20 && second < 27 ? 0 : 300_000 + Math.round(200_000 * Math.sin(second / 5)),
);

/** When the first sample was taken. */
const START = Date.now();

/** What the live stream tells about one channel on air: a snapshot, and samples unless it has none. */
function liveStream(channel: Channel, rates: readonly number[] = RATES) {
  const platform = {
    ...{ platId: 1, targetName: "CUSTOM", label: "one", rtmpUrl: "rtmp://example.com/app", streamKey: "k" },
    ...{ enabled: true, bufferPolicy: "drop", connectStatus: "PUBLISHING", bytesPerSecond: 0, bytesTotalTrans: 0 },
    ...{ totalBytesPerSecond: 0, totalPlaySecond: 0, totalRetryCount: 0 },
  };
  const ingest = {
    ...{ state: "LIVE", source: "main", remoteAddress: "192.0.2.1", encoder: "OBS", startTime: Date.now() },
    ...{ bytesPerSecond: 0, bytesTotal: 0, warnings: [] },
  };
  const snapshot = { time: Date.now(), channels: [{ ...channel, isPublishing: true, ingest, platforms: [platform] }] };
  const samples = rates.map((bytesPerSecond, second) => {
    const platforms = [{ platId: 1, bytesPerSecond: bytesPerSecond / 2 }];
    return { channelId: channel.channelId, time: START + second * 1_000, ingest: { bytesPerSecond }, platforms };
  });
  return [["snapshot", snapshot] as const, ...samples.map((sample) => ["sample", sample] as const)];
}

/**
 * Where the line of `selector` is on its canvas: for each second the distance of its highest pixel from the lower edge of the
 * plot, as a part of the plot's height. The line is the opaque ink in the style's `stroke`. Runs in the page.
 */
const heightsOf = (selector: string) => `(() => {
  const place = document.querySelector(${JSON.stringify(selector)});
  const canvas = place.querySelector("canvas");
  // Drawn only while in sight.
  if (canvas === null) return [];
  const over = place.querySelector(".u-over");
  const ratio = canvas.width / place.clientWidth;
  const [left, top, width, height] = [over.offsetLeft, over.offsetTop, over.offsetWidth, over.offsetHeight].map((px) => px * ratio);
  const wanted = getComputedStyle(place).stroke.match(/\\d+/g).map(Number);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const isLine = (x, y) => {
    const at = 4 * (Math.round(y) * canvas.width + Math.round(x));
    return data[at + 3] > 120 && wanted.every((part, index) => Math.abs(part - data[at + index]) < 40);
  };
  return Array.from({ length: ${SECONDS} }, (_, second) => {
    const x = Math.min(left + width - 1, left + (second * width) / ${SECONDS - 1});
    for (let y = top; y < top + height; y += 1) if (isLine(x, y)) return (top + height - y) / height;
    return 0;
  });
})()`;

/** The heights that the line should have, in the scale that ends at `top`. */
const expected = (top: number): readonly number[] => RATES.map((rate) => rate / top);

/** The largest difference, at seconds around which the line is not steep. */
function furthest(found: readonly number[], wanted: readonly number[]): number {
  const isSmooth = (second: number): boolean =>
    [second - 1, second + 1].every((near) => Math.abs((wanted[near] ?? 0) - (wanted[second] ?? 0)) < 0.15);
  return Math.max(
    ...wanted.map((height, second) =>
      second > 0 && second < SECONDS - 1 && isSmooth(second) ? Math.abs(height - (found[second] ?? 0)) : 0,
    ),
  );
}

async function expectLine(page: Page, selector: string, top: number): Promise<void> {
  let found: readonly number[] = [];
  await waitFor(
    `the line of ${selector}`,
    DEADLINE_MS,
    async () => {
      found = (await page.evaluate(heightsOf(selector))) as readonly number[];
      // Two pixels of a line and one of rounding, of 26 to 150.
      return furthest(found, expected(top)) < 0.12 || undefined;
    },
    () => found.map((height) => height.toFixed(2)).join(" "),
  );
}

test("the lines show the last minute in both themes and on a phone, and the value under the pointer", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("charts", [
    { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") },
  ]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await tellStream(page, () => liveStream(channel));
  await setUp(page, fanfare);
  // Charts are drawn while they are in sight.
  await page.setViewportSize({ width: 1_280, height: 2_400 });
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await page.locator('.chart-line[aria-label*=", 0 kbit/s to"]').waitFor();
  await page.locator(".platform .rate-line canvas").waitFor();

  /** The chart ends at 5,000 kbit/s; the small line a tenth above its highest value. */
  const chartTop = 625_000;
  const smallTop = Math.max(...RATES) * 1.1;
  const expectLines = async (): Promise<void> => {
    await expectLine(page, ".chart-line", chartTop);
    await expectLine(page, ".platform .rate-line", smallTop);
  };
  await expectLines();

  const caption = page.locator(".chart figcaption");
  const over = page.locator(".chart-line .u-over");
  const { x, y, width, height } = (await over.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  for (const second of [5, 23, SECONDS - 1]) {
    await page.mouse.move(x + Math.min(width - 1, (second * width) / (SECONDS - 1)), y + height / 2);
    const rate = new Intl.NumberFormat("en").format(Math.round(((RATES[second] ?? 0) * 8) / 1_000));
    await caption
      .getByText(
        `${new Intl.DateTimeFormat("en-US", { timeStyle: "medium" }).format(START + second * 1_000)}: ${rate} kbit/s`,
      )
      .waitFor();
  }
  await page.mouse.move(0, 0);
  await caption.getByText(/^kbit\/s/).waitFor();

  // A drag over the gap shows only the gap; a double click shows all again.
  await page.mouse.move(x + (22 * width) / (SECONDS - 1), y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + (25 * width) / (SECONDS - 1), y + height / 2, { steps: 4 });
  await page.mouse.up();
  await waitFor("the zoomed line", DEADLINE_MS, async () => {
    const heights = (await page.evaluate(heightsOf(".chart-line"))) as readonly number[];
    return heights.every((height) => height < 0.05) || undefined;
  });
  await page.mouse.dblclick(x + width / 2, y + height / 2);
  await page.mouse.move(0, 0);
  await expectLines();

  await page.emulateMedia({ colorScheme: "dark" });
  await expectLines();
  await page.setViewportSize({ width: 400, height: 3_600 });
  await expectLines();
  expect(errors).toEqual([]);
});

test("a small line shows the last minute as soon as the page is open, from the server's history", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("charts", [
    { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") },
  ]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  await tellStream(page, () => liveStream(channel, []));
  const asked: string[] = [];
  await page.route("**/history**", (route) => {
    const { search } = new URL(route.request().url());
    asked.push(search);
    const points = { queueMilliseconds: [], droppedFrames: [], retryCount: [] };
    const bytesPerSecond = RATES.map((rate) => rate / 2);
    return route.fulfill({
      json: {
        content: {
          ...{ channelId: channel.channelId, fromTime: START, toTime: START + 60_000, stepSeconds: 1 },
          ingest: { bytesPerSecond: RATES },
          platforms: [{ platId: 1, bytesPerSecond, ...points }],
        },
      },
    });
  });
  await setUp(page, fanfare);
  // On the overview the encoder's rate.
  await page.locator(".card .rate-line").waitFor();
  await expectLine(page, ".card .rate-line", Math.max(...RATES) * 1.1);
  expect(asked.every((query) => /^\?fromTime=\d{13}&stepSeconds=1$/.test(query))).toBe(true);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await page.locator(".platform .rate-line").waitFor();
  await expectLine(page, ".platform .rate-line", Math.max(...RATES) * 1.1);
});
