import type { Page } from "playwright-core";
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
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

/** Each language and theme once, on a phone. */
const LOOKS = [
  ["ko-KR", "light"],
  ["en-US", "dark"],
] as const;
/** A stream that stood still on a busy machine is not healthy for ten seconds more, in milliseconds. */
const HEALTHY_MAX_MS = 60_000;
/** Of a phone, a desk and a very wide window, in pixels. */
const WIDTHS = [390, 1_280, 2_560];

/** The steps that are ticked. */
const ticked = (page: Page): Promise<string[]> =>
  page.locator(".first-steps li.done > span:last-child").allInnerTexts();
const expectTicked = (page: Page, count: number) => expect.poll(async () => (await ticked(page)).length).toBe(count);

test("the first hour with the page alone: every step ticks by what is true, and the list is gone the next time once all is green", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await stage.server();
  const browser = await openBrowser(stage);
  const context = await openContext(browser);
  const page = await context.newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);

  // A new installation: nothing is done, and the first step leads to the form.
  const steps = page.locator(".first-steps");
  await steps.getByRole("heading", { name: "First steps" }).waitFor();
  expect(await ticked(page)).toEqual([]);
  await expectAccessible(page, "a new installation");
  await takeScreenshot(page, "first-steps-empty");
  await press(steps.getByRole("button", { name: "Create a channel" }));
  const dialog = page.locator("dialog");
  await dialog.getByLabel("Channel name").fill("금요일 공연 🎤");
  await tick(dialog.getByRole("radio", { name: "Twitch" }));
  const twitchKey = uniqueKey("twitch");
  stage.keepSecret(twitchKey);
  await dialog.locator('input[name="streamKey"]').fill(twitchKey);
  await press(dialog.getByRole("button", { name: "Create" }));
  await page.getByRole("heading", { level: 1, name: "금요일 공연 🎤" }).waitFor();
  await expectTicked(page, 2);

  // What to set the encoder to, from the limits of the chosen platforms.
  const recommended = page.locator("section", { has: page.getByRole("heading", { name: "Set your encoder to" }) });
  await recommended.getByText("6,000 kbit/s").waitFor();
  await recommended.getByText("No HEVC for Twitch.").waitFor();
  expect(await recommended.innerText()).toMatch(/Video codec\s+H\.264 · limit of Twitch/);

  // The real platform of this test takes the place of Twitch.
  await press(page.getByRole("button", { name: "Add platform" }));
  await tick(dialog.getByRole("radio", { name: "Other server" }));
  await dialog.locator('input[name="rtmpUrl"]').fill(target.url);
  const key = uniqueKey("first");
  stage.keepSecret(key);
  await dialog.locator('input[name="streamKey"]').fill(key);
  await press(dialog.getByRole("button", { name: "Add" }));
  await dialog.waitFor({ state: "detached" });
  const [created] = await api.channels();
  const channelId = created?.channelId ?? "";
  const [twitch] = await api.platforms(channelId);
  await api.request("PUT", `/api/v2/re-stream/channels/${channelId}/platforms/${twitch?.platId}/off`);
  await expect.poll(() => recommended.getByText("No HEVC for Twitch.").count()).toBe(0);

  const storageState = await context.storageState();
  for (const [locale, colorScheme] of LOOKS) {
    const other = await openContext(browser, { locale, colorScheme, width: 390, storageState });
    const shown = await other.newPage();
    await shown.goto(`${fanfare.origin}/channels/${channelId}`);
    await shown.locator(".first-steps").waitFor();
    await shown.locator(".recommended").waitFor();
    await expectAccessible(shown, `${locale} ${colorScheme}`);
    await takeScreenshot(shown, `first-steps-${locale}-${colorScheme}`);
    for (const width of WIDTHS) {
      await shown.setViewportSize({ width, height: 860 });
      expect(await shown.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    }
    await other.close();
  }

  // A step leads to its place on the page.
  await press(steps.getByRole("button", { name: "Copy the server and the stream key into your encoder" }));
  await expect.poll(() => page.locator("#encoder-title:focus").count()).toBe(1);
  // The test pattern is a test, and no encoder.
  await press(page.getByRole("button", { name: "Send test pattern" }));
  await press(dialog.getByRole("button", { name: "Send test pattern" }));
  await page.locator(".test-pattern").waitFor();
  await expectTicked(page, 3);
  await press(page.getByRole("button", { name: "Stop test pattern" }));
  await page.getByText("Waiting for your encoder").waitFor();
  expect(await ticked(page)).toHaveLength(3);
  // On the overview the same, with a link to the channel.
  await page.goto(fanfare.origin);
  await expectTicked(page, 3);
  await press(steps.getByRole("link", { name: "Start streaming" }));
  await page.getByRole("heading", { level: 1, name: "금요일 공연 🎤" }).waitFor();

  stage.kitEncoder(await api.channel(channelId), { clip: syntheticClip({ video: "360p" }) });
  await steps.getByRole("heading", { name: "All first steps are done" }).waitFor({ timeout: HEALTHY_MAX_MS });
  expect(await ticked(page)).toHaveLength(6);
  // The page keeps that a moment after it shows it.
  await expect.poll(() => page.evaluate("localStorage.getItem('fanfare-first-steps')")).toContain(channelId);
  await page.reload();
  await page.getByText("Stream check").waitFor();
  expect(await steps.count()).toBe(0);

  // A list that a person hides stays hidden.
  const second = await api.createChannel("second", [{ rtmpUrl: target.url, streamKey: uniqueKey("second") }]);
  await page.goto(`${fanfare.origin}/channels/${second.channelId}`);
  await press(steps.getByRole("button", { name: "Hide the first steps" }));
  await steps.waitFor({ state: "detached" });
  await page.reload();
  await page.getByText("Waiting for your encoder").waitFor();
  expect(await steps.count()).toBe(0);
  expect(errors).toEqual([]);
});
