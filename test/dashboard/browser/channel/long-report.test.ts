import { expect, test } from "vitest";
import { type ReportParts, reportPage } from "../../../../src/http/answers/report-files.ts";
import type { ChannelId } from "../../../../src/thread-protocol/channel-spec.ts";
import { openBrowser, openContext, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { indentOf, linesOf } from "../../../support/dashboard/text-places.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

const TIMES = 14;
const START_MS = Date.parse("2026-03-01T12:00:00Z");

/** A report of one platform whose connection was lost again and again, as the API gives it. */
function longReport(channelId: string) {
  const interruptions = Array.from({ length: TIMES }, (_, index) => ({
    time: START_MS + index * 20_000,
    durationSeconds: 16,
    reason: "REMOTE_CLOSED",
  }));
  const platform = {
    ...{ platId: 1, targetName: "CUSTOM", label: "the second stage", onAirSeconds: 10, bytesSent: 203_142 },
    ...{ retryCount: TIMES, droppedFrames: 0, interruptions, interruptionCount: TIMES },
    droppedFramesByCause: { overTime: 0, overBytes: 0, untilKeyframe: 0 },
  };
  const report = { channelId, startTime: START_MS, endTime: START_MS + 300_000, durationSeconds: 300, reason: "end" };
  return { content: [{ ...report, interruptions: [], interruptionCount: 0, platforms: [platform] }], total: 1 };
}

test("a long cell leaves the words beside it whole, on a phone and on a desk", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const { channelId } = await api.createChannel("long_report", [
    { label: "the second stage", rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("r") },
  ]);
  await page.route(`**/channels/${channelId}/reports?*`, (route) => route.fulfill({ json: longReport(channelId) }));
  await page.goto(`${fanfare.origin}/channels/${channelId}`);
  await page.locator(".report tbody tr").waitFor();

  expect(await linesOf(page, ".report tbody th"), "lines of the platform's name").toBe(1);

  await page.setViewportSize({ width: 390, height: 844 });
  const { indent, label } = await indentOf(page, ".report tbody td:last-child");
  expect(label).toBeGreaterThan(0);
  expect(indent, "pixels before the text").toBeGreaterThan(label);
  expect(errors).toEqual([]);
});

/** A broadcast with the longest names of each kind, none of which has a blank. */
function wideParts(): ReportParts {
  const channelId = "ls-20260301120000-Abc12" as ChannelId;
  const interruptions = { list: [{ time: START_MS, durationMs: 16_000, reason: "REMOTE_CLOSED" as const }], count: 1 };
  const drops = { overTime: 1_234_567, overBytes: 0, untilKeyframe: 0 };
  const label = "Wintergartenbühnenaufführungsübertragung";
  const change = { level: "INFO", description: "", by: "A".repeat(20) } as const;
  return {
    channelName: "w".repeat(80),
    report: {
      ...{ channelId, startTime: START_MS, endTime: START_MS + 3_600_000, end: "clean", interruptions },
      refused: [
        {
          ...{ remoteAddress: "2001:db8:1234:5678:9abc:def0:1234:5678", reason: "unknown-key", count: 123_456 },
          ...{ firstTime: START_MS, lastTime: START_MS },
        },
      ],
      targets: [
        { targetId: 1, label, onAirMs: 3_600_000, bytes: 9e12, retryCount: 123_456, drops, interruptions },
        { targetId: 2, label: "둘째무대", onAirMs: 0, bytes: 0, retryCount: 0, drops, interruptions },
      ],
    },
    events: [
      { ...change, eventId: 1, channelId, time: START_MS, code: "PLATFORM_TESTED", targetId: 1, targetLabel: label },
      { ...change, eventId: 2, channelId, time: START_MS, code: "ENCODER_REFUSED", remoteAddress: "192.0.2.1" },
    ],
    history: { from: START_MS, to: START_MS, stepSeconds: 1, ingestRates: [1, 2], targets: [] },
  };
}

test("a report to print fits a phone, with the heading of each cell, and stays a table on a desk and on paper", async () => {
  const stage = await Stage.open();
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const headOf = () =>
    page.evaluate<string>("getComputedStyle(document.querySelector('td'), '::before').content.replaceAll('\"', '')");
  const overflow = () => page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
  for (const lang of ["en", "ko"] as const) {
    await page.setContent(reportPage(wideParts(), { lang, timeZone: "Asia/Seoul" }));
    const cells = page.locator("td");
    const [first] = await page.locator("th").allInnerTexts();
    for (const width of [320, 390, 760]) {
      await page.setViewportSize({ width, height: 844 });
      expect(await overflow(), `${lang}, ${width} pixels`).toBeLessThanOrEqual(0);
      expect(await headOf()).toBe(first);
      for (const cell of await cells.all()) expect((await cell.boundingBox())?.width).toBeLessThanOrEqual(width);
    }
    for (const width of [800, 1_280]) {
      await page.setViewportSize({ width, height: 844 });
      expect(await overflow(), `${lang}, ${width} pixels`).toBeLessThanOrEqual(0);
      expect(await headOf()).toBe("none");
    }
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ media: "print" });
    expect(await headOf()).toBe("none");
    await page.emulateMedia({ media: "screen" });
  }
});
