import { expect, test } from "vitest";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import { expectAccessible, openBrowser, openContext, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { clickByMouse, press } from "../../../support/dashboard/press.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

/** How many seconds of the platform are known. */
function historySeconds(history: unknown): number {
  const { platforms } = history as { platforms: readonly { bytesPerSecond: readonly (number | null)[] }[] };
  return platforms[0]?.bytesPerSecond.filter((rate) => rate !== null).length ?? 0;
}

/** Runs in the page: an interval lasts so many times as long. */
const SLOW_SECONDS = `
  const { setInterval } = globalThis;
  globalThis.setInterval = (run, ms, ...given) => setInterval(run, ms * (globalThis.slowness ?? 1), ...given);
`;

test("a platform's menu is used with the keyboard; its links lead to the platform's own pages", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("rows", [
    { targetName: "YOUTUBE", rtmpUrl: "rtmp://127.0.0.1:9/live2", streamKey: uniqueKey("k") },
  ]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  const row = page.locator(".platform");
  await row.getByText("127.0.0.1:9/live2").waitFor();
  // Its name and its links come with the server's list of platforms.
  await row.getByRole("heading", { name: "YouTube", exact: true }).waitFor();
  expect(await row.locator(".platform-logo").innerText()).toBe("Y");
  // One action beside the switch, and the menu.
  expect(await row.getByRole("button").allInnerTexts()).toEqual(["Test", ""]);
  const button = row.getByRole("button", { name: "More for YouTube" });
  const focused = () => page.evaluate("document.activeElement.textContent.trim()");
  await button.focus();
  await page.keyboard.press("ArrowDown");
  await row.getByRole("menu").waitFor();
  await expect.poll(focused).toBe("Edit");
  await expectAccessible(page, "an open menu");
  await page.keyboard.press("ArrowDown");
  expect(await focused()).toBe("Open stream key page");
  await page.keyboard.press("End");
  expect(await focused()).toBe("Remove");
  await page.keyboard.press("ArrowDown");
  expect(await focused()).toBe("Edit");
  await page.keyboard.press("Escape");
  await row.getByRole("menu").waitFor({ state: "detached" });
  expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe("More for YouTube");

  await clickByMouse(button);
  // A press elsewhere is heard once the first entry has the focus.
  await row.locator('[role="menuitem"]:focus').waitFor();
  const links = row.locator('a[role="menuitem"]');
  const attribute = async (name: string) => Promise.all((await links.all()).map((link) => link.getAttribute(name)));
  expect(await attribute("href")).toEqual(["https://www.youtube.com/live_dashboard", "https://studio.youtube.com/"]);
  expect(new Set(await attribute("rel"))).toEqual(new Set(["noopener noreferrer"]));
  await clickByMouse(page.getByRole("heading", { name: "rows" }));
  await row.getByRole("menu").waitFor({ state: "detached" });
  expect(errors).toEqual([]);
});

test("a platform on air that is switched off can be kept for some seconds; leaving the page switches it off at once", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("undo", [
    { rtmpUrl: `rtmp://127.0.0.1:${target.port}/live`, streamKey: uniqueKey("a") },
  ]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  await page.addInitScript(SLOW_SECONDS);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  const path = `/api/v2/re-stream/channels/${channel.channelId}/history`;
  const row = page.locator(".platform");
  await row.locator(".state", { hasText: "On air" }).waitFor();
  // The charts are loaded when they are asked for, and hold what was before.
  expect(await row.locator(".platform-charts canvas").count()).toBe(0);
  await expect.poll(async () => historySeconds(await api.request("GET", path))).toBeGreaterThan(2);
  await press(row.getByText("Charts", { exact: true }));
  // A plot is made when its place is in sight.
  const last = row.locator(".platform-charts .chart").nth(3);
  await last.scrollIntoViewIfNeeded();
  await last.locator("canvas").waitFor();
  for (const caption of ["Bitrate (kbit/s)", "Lag (s)", "Dropped frames", "Retries"])
    await row.locator(".platform-charts figcaption").getByText(caption).waitFor();
  await expectAccessible(page, "open charts");
  const isEnabled = async () => (await api.platforms(channel.channelId))[0]?.["enabled"];
  const box = row.getByRole("checkbox");
  // The countdown is not over before the test has looked.
  await page.evaluate("globalThis.slowness = 120");
  await press(box);
  await row.getByText("Other server stops in a moment.").waitFor();
  await expectAccessible(page, "a platform that stops soon");
  await press(row.getByRole("button", { name: "Undo" }));
  await row.getByText("Other server stops in a moment.").waitFor({ state: "detached" });
  expect([await box.isChecked(), await isEnabled(), target.connections.length]).toEqual([true, true, 1]);

  await press(box);
  await row.getByText("Other server stops in a moment.").waitFor();
  expect(await isEnabled()).toBe(true);
  await press(page.getByRole("link", { name: "Back to channels" }));
  await expect.poll(isEnabled).toBe(false);
  expect(target.connections.length).toBe(1);
});
