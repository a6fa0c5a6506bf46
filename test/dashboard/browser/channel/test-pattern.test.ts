import { expect, test } from "vitest";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import {
  expectAccessible,
  openBrowser,
  openContext,
  setUp,
  takeScreenshot,
  watchErrors,
} from "../../../support/dashboard/browser.ts";
import { press, tick } from "../../../support/dashboard/press.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

/**
 * Letters of two scripts, characters that a file name must not have, one character of seven code points, and a
 * formula's beginning.
 */
const NAME = '=공연 "라이브" / 👨‍👩‍👧‍👦 & <b>홍대</b>';
/** Each language and theme once, on a phone. */
const LOOKS = [
  ["ko-KR", "light"],
  ["en-US", "dark"],
] as const;
/** Of a phone, a desk and a very wide window, in pixels. */
const WIDTHS = [390, 1_280, 2_560];

test("the test pattern shows who will see it, runs on air, and ends when a person stops it or an encoder connects", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const other = await stage.target();
  const channel = await api.createChannel("plain", [
    { label: "Studio", rtmpUrl: target.url, streamKey: uniqueKey("pattern") },
    { label: "Main stage", rtmpUrl: other.url, streamKey: uniqueKey("pattern") },
  ]);
  const browser = await openBrowser(stage);
  const context = await openContext(browser);
  const page = await context.newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);

  await press(page.getByRole("button", { name: "Rename" }));
  const dialog = page.locator("dialog");
  await dialog.getByLabel("Channel name").fill(`  ${NAME} `);
  await press(dialog.getByRole("button", { name: "Save" }));
  await page.getByRole("heading", { level: 1, name: NAME, exact: true }).waitFor();
  await expect.poll(() => page.title()).toContain(NAME);
  expect((await api.channel(channel.channelId)).channelName).toBe(NAME);

  await press(page.getByRole("button", { name: "Send test pattern" }));
  // A platform that is left out gets nothing, and says so.
  await tick(dialog.getByRole("group", { name: "Send to" }).getByLabel("Main stage"), false);
  await dialog.getByText("Viewers of these platforms will see it.").waitFor();
  await expectAccessible(page, "the dialog");
  await takeScreenshot(page, "test-pattern-dialog", false);
  await press(dialog.getByRole("button", { name: "Send test pattern" }));
  const banner = page.locator(".test-pattern");
  await banner.getByText("Viewers of Studio see it now.").waitFor();
  const left = page.locator(".platform", { has: page.getByRole("heading", { name: "Main stage" }) });
  await left.locator(".state", { hasText: "Not in this test" }).waitFor();
  expect(other.connections).toHaveLength(0);
  // An encoder's card describes it, and the stream check has no finding about it.
  const incoming = page.locator("section", { has: page.getByRole("heading", { name: "Incoming stream" }) });
  await incoming.getByText("Test pattern", { exact: true }).waitFor();
  expect(await incoming.getByText("Stream check").count()).toBe(0);
  expect(await page.getByRole("button", { name: "Send test pattern" }).count()).toBe(0);

  const storageState = await context.storageState();
  const overview = await context.newPage();
  await overview.goto(fanfare.origin);
  await overview.locator(".card .state", { hasText: "Test pattern" }).waitFor();
  await expectAccessible(overview, "the overview");
  await takeScreenshot(overview, "test-pattern-overview", false);
  await overview.close();
  for (const [locale, colorScheme] of LOOKS) {
    const looking = await openContext(browser, { locale, colorScheme, width: 390, storageState });
    const shown = await looking.newPage();
    await shown.goto(`${fanfare.origin}/channels/${channel.channelId}`);
    await shown.locator(".test-pattern").waitFor();
    await expectAccessible(shown, `${locale} ${colorScheme}`);
    await takeScreenshot(shown, `test-pattern-${locale}-${colorScheme}`, false);
    for (const width of WIDTHS) {
      await shown.setViewportSize({ width, height: 860 });
      expect(await shown.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    }
    await looking.close();
  }

  await press(banner.getByRole("button", { name: "Stop test pattern" }));
  await banner.waitFor({ state: "detached" });
  await page.getByText("Waiting for your encoder").waitFor();
  await page.locator(".report summary", { hasText: "Test pattern · " }).waitFor();
  const link = page.getByRole("link", { name: "Export JSON" }).first();
  expect(await link.getAttribute("download")).toMatch(/^=공연 -라이브- - 👨‍👩‍👧‍👦 & -b-홍대--b--\d{4}-/u);

  // The next one ends because an encoder connects.
  await press(page.getByRole("button", { name: "Send test pattern" }));
  await dialog.getByLabel("Ends after").selectOption("60");
  await press(dialog.getByRole("button", { name: "Send test pattern" }));
  await banner.waitFor();
  stage.kitEncoder(channel, { clip: syntheticClip() });
  await banner.waitFor({ state: "detached" });
  await incoming.getByText("Stream check").waitFor();
  await page.getByText("The test pattern ended because an encoder took over").waitFor();
  await left.locator(".state", { hasText: "On air" }).waitFor();
  expect(errors).toEqual([]);
});
