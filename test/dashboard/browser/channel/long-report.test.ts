import { expect, test } from "vitest";
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
