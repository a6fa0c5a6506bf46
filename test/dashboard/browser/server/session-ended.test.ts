import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { en } from "../../../../web/src/text/en.ts";
import { enSignIn } from "../../../../web/src/text/panels-en/sign-in.ts";
import {
  expectAccessible,
  openBrowser,
  openContext,
  PASSWORD,
  setUp,
  takeScreenshot,
  watchErrors,
} from "../../../support/dashboard/browser.ts";
import { press, seeShown, tick } from "../../../support/dashboard/press.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

const NEW_PASSWORD = "another horse battery";
const NOWHERE = "rtmp://127.0.0.1:9/live";

/** Changes the password in this page's browser, which ends the sessions of all others. */
async function changePassword(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/settings`);
  await page.locator('input[name="old"]').fill(PASSWORD);
  await page.locator('input[name="new"]').fill(NEW_PASSWORD);
  const save = page.locator("section", { has: page.locator("#password-title") }).getByRole("button", { name: "Save" });
  await seeShown(page, ".notice", en.settings.passwordChanged, () => press(save));
}

// Chrome on Android has no worker that tabs share.
test.each([
  ["a worker that its tabs share", ""],
  ["a worker for each tab", "delete globalThis.SharedWorker"],
])(
  "a session that ends leaves what was typed: the password is asked for above the page, in one tab for all, with %s",
  async (_, script) => {
    const stage = await Stage.open();
    const { fanfare, api } = await stage.server();
    stage.keepSecret(NEW_PASSWORD);
    const channel = await api.createChannel("half_done", [{ rtmpUrl: NOWHERE, streamKey: uniqueKey("k") }]);
    const browser = await openBrowser(stage);
    const context = await openContext(browser);
    await context.addInitScript(script);
    const page = await context.newPage();
    const errors = watchErrors(page);
    await setUp(page, fanfare);
    await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
    const other = await context.newPage();
    await other.goto(fanfare.origin);
    await other.locator(".card").waitFor();
    const elsewhere = await (await openContext(browser)).newPage();
    await setUp(elsewhere, fanfare);

    // On the page, and in a dialog above it.
    await page.locator('input[name="hold"]').fill("77");
    await press(page.getByRole("button", { name: "Add platform" }).first());
    const dialog = page.locator("dialog.dialog");
    await tick(dialog.getByRole("radio", { name: "Twitch" }));
    const key = uniqueKey("typed");
    stage.keepSecret(key);
    await dialog.locator('input[name="streamKey"]').fill(key);
    await changePassword(elsewhere, fanfare.origin);
    const again = page.locator("dialog.sign-in-again");
    await again.getByText(enSignIn.again).waitFor();
    await expectAccessible(page, "a session that ended");
    await takeScreenshot(page, "session-ended", false);
    // Nothing of the page can be seen or reached.
    for (const _ of [1, 2, 3]) await page.keyboard.press("Escape");
    await expect.poll(() => again.boundingBox()).toEqual({ x: 0, y: 0, width: 1_280, height: 860 });
    await again.locator('input[name="password"]:focus').fill("wrong horse battery");
    await page.keyboard.press("Enter");
    await again.getByText(enSignIn.wrong).waitFor();
    await other.locator("dialog.sign-in-again").waitFor();

    await again.locator('input[name="password"]').fill(NEW_PASSWORD);
    await page.keyboard.press("Enter");
    await again.waitFor({ state: "detached" });
    await other.locator("dialog.sign-in-again").waitFor({ state: "detached" });
    for (const tab of [page, other]) await tab.locator('[data-stream="connected"]').waitFor();
    await press(dialog.getByRole("button", { name: "Add" }));
    await dialog.waitFor({ state: "detached" });
    expect(await api.platforms(channel.channelId)).toMatchObject([{}, { targetName: "TWITCH", streamKey: key }]);
    await press(
      page
        .locator("section", { has: page.locator("#settings-title") })
        .getByRole("button", { name: "Save" })
        .first(),
    );
    await expect.poll(async () => (await api.channel(channel.channelId))["hold"]).toEqual({ seconds: 77 });
    // What happens from now on is shown.
    await page.locator(".platform").nth(1).waitFor();

    // Who signs out leaves nothing of the page in any tab.
    await press(page.getByRole("button", { name: "Sign out" }));
    for (const tab of [page, other]) {
      await tab.locator("main.sign-in").waitFor();
      expect(await tab.locator(".top, dialog").count()).toBe(0);
    }
    expect(errors).toEqual([]);
  },
);
