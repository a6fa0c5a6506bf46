import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import { en } from "../../../../web/src/text/en.ts";
import { ko } from "../../../../web/src/text/ko.ts";
import {
  expectAccessible,
  openBrowser,
  openContext,
  setUp,
  setupLink,
  takeScreenshot,
  watchErrors,
} from "../../../support/dashboard/browser.ts";
import { waitFor } from "../../../support/processes/waiting.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

const DEADLINE_MS = 30_000;
const DAY_MS = 24 * 3_600_000;

/** The clocks and countdowns of a channel's page. */
const clocksOf = (page: Page) => page.locator(".on-air-time, .countdown, .figure dd").allInnerTexts();

/** Every colour of text, border or background on the page that is not grey. Runs in the page. */
const COLOURS = `[...document.querySelectorAll(".page, .page *, .total")].flatMap((element) => {
  const { color, borderInlineStartColor, backgroundColor } = getComputedStyle(element);
  return [color, borderInlineStartColor, backgroundColor].filter((each) => {
    const [red, green, blue, alpha = 1] = each.match(/[\\d.]+/g).map(Number);
    return alpha > 0 && Math.max(red, green, blue) - Math.min(red, green, blue) > 20;
  });
})`;

/** Lets three seconds pass in the page: its clocks tick once a second. */
const THREE_SECONDS = "new Promise((done) => setTimeout(done, 3_000))";

test("a server that hangs turns the page grey, stops its clocks and shows the age, and the page goes on with the server", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await stage.server();
  const channel = await api.createChannel("hangs", [
    { rtmpUrl: target.url, streamKey: uniqueKey("a") },
    // Nothing listens there: it counts down to its next attempt.
    { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("b") },
  ]);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  const browser = await openBrowser(stage);
  const page = await (await openContext(browser)).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.locator('[data-stream="connected"]', { hasText: "Connected" }).waitFor();
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await page.locator(".countdown").waitFor();
  await page.locator(".platform .state", { hasText: "On air" }).waitFor();
  expect(await page.evaluate(COLOURS)).not.toEqual([]);
  const storageState = await page.context().storageState();
  // A narrow window in the other language; texts of a language cannot be loaded while the server is gone.
  const korean = await (
    await openContext(browser, { locale: "ko-KR", width: 390, storageState: { ...storageState, origins: [] } })
  ).newPage();
  await korean.goto(page.url());
  await korean.locator(".countdown").waitFor();

  const stoppedTime = Date.now();
  process.kill(fanfare.pid, "SIGSTOP");
  stage.onClose(async () => process.kill(fanfare.pid, "SIGCONT"));
  const banner = page.locator(".trouble");
  await banner.waitFor({ timeout: DEADLINE_MS });
  // As of the last second that was heard, not of the moment when the page gave up.
  const [, clock = ""] = /as of (\d+:\d\d:\d\d [AP]M)\. Reconnecting/.exec(await banner.innerText()) ?? [];
  const seen = new Date(`${new Date(stoppedTime).toDateString()} ${clock}`).getTime();
  // The clock has no day: midnight may be in between.
  const apart = Math.abs(seen - stoppedTime) % DAY_MS;
  expect(Math.min(apart, DAY_MS - apart)).toBeLessThan(5_000);
  await page.locator('[data-stream="lost"]', { hasText: "Connection lost" }).waitFor();
  const clocks = await clocksOf(page);
  expect(clocks.length).toBeGreaterThan(3);
  await page.evaluate(THREE_SECONDS);
  expect(await clocksOf(page)).toEqual(clocks);
  expect(await page.evaluate(COLOURS)).toEqual([]);
  // Each language and theme once.
  for (const [tab, language, words, colorScheme] of [
    [page, "en", en, "light"],
    [korean, "ko", ko, "dark"],
  ] as const) {
    await tab.locator("[data-stream]", { hasText: words.stream.lost }).waitFor();
    await tab.emulateMedia({ colorScheme });
    await expectAccessible(tab, `a lost server, ${language} ${colorScheme}`);
    await takeScreenshot(tab, `server-gone-${language}-${colorScheme}`);
  }

  process.kill(fanfare.pid, "SIGCONT");
  await banner.waitFor({ state: "detached", timeout: DEADLINE_MS });
  await page.locator('[data-stream="connected"]').waitFor();
  await waitFor("clocks that go on", DEADLINE_MS, async () => (await clocksOf(page))[0] !== clocks[0] || undefined);
  expect(await page.evaluate(COLOURS)).not.toEqual([]);
  expect(errors).toEqual([]);
});

test("on the server's return the timeline and the access keys are read again", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const channel = await api.createChannel("returns", [
    { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") },
  ]);
  const context = await openContext(await openBrowser(stage));
  // The test can refuse the connection of a page's own worker, not that of a shared one.
  await context.addInitScript("delete globalThis.SharedWorker");
  const page = await context.newPage();
  await setUp(page, fanfare);
  const keysPage = await context.newPage();
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await keysPage.goto(`${fanfare.origin}/settings`);
  await page.locator(".timeline li", { hasText: "Channel created" }).waitFor();
  await keysPage.locator("tbody tr").first().waitFor();
  const keyCount = await keysPage.locator("tbody tr").count();

  await context.route("**/events/stream", (route) => route.abort());
  await fanfare.stop();
  for (const tab of [page, keysPage]) await tab.locator(".trouble").waitFor();
  await fanfare.restart();
  // What happens now reaches neither page over the live stream.
  await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}`, { hold: { seconds: 7 } });
  await api.request("POST", "/api/v2/access-keys", { role: "viewer", name: "while away" });
  await context.unroute("**/events/stream");

  await page.locator(".timeline li", { hasText: "Channel settings changed" }).waitFor();
  await keysPage.locator("tbody tr", { hasText: "while away" }).waitFor();
  expect(await keysPage.locator("tbody tr").count()).toBe(keyCount + 1);
});

test("a page that could not read its session at first shows that, and goes on once it can", async () => {
  const stage = await Stage.open();
  const { fanfare } = await sharedServer(stage);
  const context = await openContext(await openBrowser(stage));
  let asked = 0;
  await context.route("**/dashboard/session", (route) => {
    asked += 1;
    if (asked === 1) return route.abort();
    // The second answer is enough: where it takes long, the page asks once more, and gets none.
    return asked === 2 ? route.continue() : undefined;
  });
  const page = await context.newPage();
  await page.goto(setupLink(fanfare));
  await page.getByText(en.app.unreachable).waitFor();
  await page.locator('input[name="password"]').waitFor();
});

test("a page whose part could not be loaded loads it once the server can be reached", async () => {
  const stage = await Stage.open();
  const { fanfare } = await sharedServer(stage);
  const context = await openContext(await openBrowser(stage));
  let refused = 0;
  await context.route(/\/assets\/deferred-[^/]+\.js$/, (route) => {
    refused += 1;
    return refused === 1 ? route.abort() : route.continue();
  });
  const page = await context.newPage();
  await page.goto(setupLink(fanfare));
  await page.locator('input[name="password"]').waitFor();
  // How often it asks meanwhile is its own affair.
  expect(refused).toBeGreaterThan(1);
});
