import { text } from "node:stream/consumers";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import { expectAccessible, openBrowser, openContext, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { press } from "../../../support/dashboard/press.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { type Server, Stage, uniqueKey } from "../../../support/stages/stage.ts";

/** In a report with seconds. What came before midnight has its day. */
const WRONG_KEY = String.raw`An encoder tried with a wrong key from 127\.0\.0\.1 at (\w+ \d+, \d{4}, |\d+/\d+, )?\d+:\d\d(:\d\d)? [AP]M`;

/** The seconds that the large countdown shows. */
async function secondsLeft(page: Page): Promise<number> {
  const [, minutes = "", seconds = ""] = /^Ends in (\d+):(\d\d)$/.exec(await page.getByRole("timer").innerText()) ?? [];
  return Number(minutes) * 60 + Number(seconds);
}

/** A channel with one platform, and its page in a browser. */
async function openChannelPage(name: string, start: (stage: Stage) => Promise<Server>) {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await start(stage);
  const channel = await api.createChannel(name, [
    { rtmpUrl: `rtmp://127.0.0.1:${target.port}/live`, streamKey: uniqueKey("k") },
  ]);
  const context = await openContext(await openBrowser(stage), { timezoneId: "Asia/Seoul" });
  const page = await context.newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  return { stage, channel, context, page, errors };
}

test("the page and its title show one verdict, from waiting to on air to a hold that is extended and ended", async () => {
  const { stage, channel, page, errors } = await openChannelPage("verdict", sharedServer);
  const verdict = page.getByRole("region", { name: "Channel health" });
  await verdict.getByText("Waiting for encoder", { exact: true }).waitFor();
  await verdict.getByText("Start streaming in the encoder.").waitFor();
  await expect.poll(() => page.title()).toBe("Waiting for encoder: verdict – Fanfare");
  // A test of a platform says what it is, beside the platform's state.
  await press(page.getByRole("button", { name: "Test", exact: true }));
  await page.locator(".test-result", { hasText: /Test result, .*It works/ }).waitFor();
  expect(await page.locator(".platform-head .state").innerText()).toBe("Waiting");
  expect(await page.getByText("Stream check").count()).toBe(0);

  const encoder = stage.kitEncoder(channel, { clip: syntheticClip() });
  // An encoder's first seconds prove nothing yet. Both at one look: a check ends by itself.
  const incoming = page.locator('section[aria-labelledby="ingest-title"]');
  await incoming.filter({ hasText: "Checking…", hasNotText: "No problems found." }).waitFor();
  await page.locator(".platform .state", { hasText: "On air" }).waitFor();

  await encoder.stop("reset");
  await verdict.getByText("Broken", { exact: true }).waitFor();
  await verdict.getByText(/^The encoder is lost\./).waitFor();
  await verdict.getByText(/start streaming again before the hold ends/).waitFor();
  await expect.poll(() => page.title()).toBe("Broken: verdict – Fanfare");
  // Without an encoder the check is silent.
  expect(await page.getByText("Stream check").count()).toBe(0);
  const before = await secondsLeft(page);
  expect(before).toBeGreaterThan(60);
  expect(before).toBeLessThanOrEqual(120);
  await press(verdict.getByRole("button", { name: "Extend by 1 minute" }));
  await page
    .getByRole("timer")
    .getByText(/Ends in (2:[1-5]\d|3:00)/)
    .waitFor();
  expect(await secondsLeft(page)).toBeGreaterThan(before);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page, `a hold, ${colorScheme}`);
  }

  // A refusal is shown, and the hold goes on.
  await page.route("**/hold/extend", (route) => route.fulfill({ status: 400, json: REFUSED }));
  await press(verdict.getByRole("button", { name: "Extend by 1 minute" }));
  await page.locator(".notice", { hasText: "This isn't possible right now." }).waitFor();

  await press(verdict.getByRole("button", { name: "End now" }));
  await press(page.locator("dialog").getByRole("button", { name: "End now" }));
  await verdict.getByText("Waiting for encoder", { exact: true }).waitFor();
  expect(await page.getByRole("timer").count()).toBe(0);
  expect(errors).toEqual([]);
});

test("a wrong key is shown at the encoder card, and a report can be saved and printed", async () => {
  // Encoders with wrong keys are counted for the whole server.
  const ownServer = (stage: Stage) => stage.server();
  const { stage, channel, context, page, errors } = await openChannelPage("report", ownServer);
  await page.getByText("Waiting for your encoder").waitFor();
  const clip = syntheticClip();
  stage.kitEncoder({ ...channel, streamKey: "not-a-key" }, { clip });
  await page.getByText(new RegExp(`^${WRONG_KEY}\\.( \\(\\d+ times\\))?$`)).waitFor();

  // A wrong key belongs to no channel: the timeline of each has it.
  await page.locator(".timeline li", { hasText: new RegExp(`${WRONG_KEY}\\.`) }).waitFor();

  const encoder = stage.kitEncoder(channel, { clip });
  await page.locator(".platform .state", { hasText: "On air" }).waitFor();
  const refused = stage.kitEncoder({ ...channel, streamKey: "another-wrong-key" }, { clip });
  await refused.closed;
  // Rejections of one second are told together: this one has to be, while the broadcast runs.
  await page
    .getByText(new RegExp(`^${WRONG_KEY}\\. \\(2 times\\)$`))
    .first()
    .waitFor();
  await encoder.stop("clean");
  const report = page.locator(".report");
  await report.waitFor();
  await report.getByText(new RegExp(`^${WRONG_KEY}\\.`)).waitFor();
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    press(report.getByRole("link", { name: "Export JSON" })),
  ]);
  expect(saved.suggestedFilename()).toMatch(/^report-\d{4}-\d\d-\d\dT\d{6}\.json$/);
  const { content } = JSON.parse(await text(await saved.createReadStream())) as { content: { channelId: string } };
  expect(content.channelId).toBe(channel.channelId);
  const [table] = await Promise.all([
    page.waitForEvent("download"),
    press(report.getByRole("link", { name: "Export CSV" })),
  ]);
  expect(await text(await table.createReadStream())).toMatch(/^\uFEFF?time \(Asia\/Seoul\),ingest kbit\/s/);
  expect(table.suggestedFilename()).toMatch(/^report-\d{4}-\d\d-\d\dT\d{6}\.csv$/);
  const [printable] = await Promise.all([
    context.waitForEvent("page"),
    press(report.getByRole("link", { name: "Printable page" })),
  ]);
  await printable
    .getByRole("heading", { name: /report/ })
    .first()
    .waitFor();
  await expectAccessible(page, "a report");
  // The same in the language of the page.
  await page.getByLabel("Language").selectOption("ko");
  const [korean] = await Promise.all([
    context.waitForEvent("page"),
    press(report.getByRole("link", { name: "인쇄용 페이지" })),
  ]);
  await korean.getByRole("heading", { name: "거부된 인코더" }).waitFor();
  expect(await korean.locator("tbody tr", { hasText: "127.0.0.1" }).innerText()).toContain("잘못된 스트림 키");
  expect(errors).toEqual([]);
});

const REFUSED = { error: { errorCode: 250005, message: "invalid status", errorName: "INVALID_STATUS" } };
