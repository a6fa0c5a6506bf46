import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/clip.ts";
import { expectAccessible, openBrowser, openContext, setUp, watchErrors } from "../../support/browser.ts";
import { LOADED_WHEN_ASKED_FOR } from "../../support/dashboard-files.ts";
import { ROOT } from "../../support/fanfare-process.ts";
import { Stage, uniqueKey } from "../../support/stage.ts";

/** Where a person may look at them; ignored by git. */
const PICTURES = join(ROOT, "screenshots");
const THEMES = ["light", "dark"] as const;
const PHONE_WIDTH = 390;

test("every page is accessible in both languages and themes, fits a phone, and has its picture taken", async () => {
  await mkdir(PICTURES, { recursive: true });
  const stage = await Stage.open();
  const good = await stage.target();
  const refusing = await stage.target({ refuse: "bad-name" });
  const { fanfare, api } = await stage.server();
  const browser = await openBrowser(stage);
  const context = await openContext(browser);
  const page = await context.newPage();
  const errors = watchErrors(page);
  await page.goto(`${fanfare.origin}/setup`);
  await page.getByText("Open the set-up link").waitFor();
  await expectAccessible(page, "set-up without a link");
  await setUp(page, fanfare);
  await page.getByText("Your first channel").waitFor();
  await expectAccessible(page, "no channel yet");

  const channel = await api.createChannel("evening_show", [
    { targetName: "YOUTUBE", rtmpUrl: `rtmp://127.0.0.1:${good.port}/live`, streamKey: uniqueKey("well") },
    { targetName: "TWITCH", rtmpUrl: `rtmp://127.0.0.1:${refusing.port}/live`, streamKey: uniqueKey("refused") },
  ]);
  stage.kitEncoder(channel, { clip: syntheticClip({ seconds: 110 }) });
  const path = `/channels/${channel.channelId}`;
  await page.locator(".alerts").waitFor();

  // What test/dashboard/bundle.test.ts does not count is not loaded for these two pages.
  const fresh = await context.newPage();
  const loaded = new Set<string>();
  fresh.on("request", (request) => loaded.add(/([\w-]+)-.{8}\.\w+$/.exec(request.url())?.[1] ?? ""));
  await fresh.goto(`${fanfare.origin}/`);
  await fresh.locator(`.card[href="${path}"]`).click();
  await fresh.locator(".platform .failure").waitFor();
  await fresh.close();
  expect([...loaded]).toEqual(expect.arrayContaining(["index", "style", "en"]));
  expect([...LOADED_WHEN_ASKED_FOR, "ko"].filter((name) => loaded.has(name))).toEqual([]);

  for (const language of ["en", "ko"] as const) {
    await page.locator("header select").first().selectOption(language);
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme });
      for (const [name, address, mark] of [
        ["overview", "/", ".card .rate-line"],
        ["channel", path, ".platform .failure"],
        ["settings", "/settings", "tbody tr"],
      ] as const) {
        await page
          .locator(`.top a[href="${address === path ? "/" : address}"]`)
          .first()
          .click();
        if (address === path) await page.locator(`.card[href="${path}"]`).click();
        await page.locator(mark).first().waitFor();
        expect(await page.locator("html").getAttribute("lang")).toBe(language);
        await expectAccessible(page, `${name}, ${language}, ${theme}`);
        await page.screenshot({ path: join(PICTURES, `${name}-${language}-${theme}.png`), fullPage: true });
      }
    }
  }

  await page.goto(`${fanfare.origin}${path}`);
  for (const [name, button] of [
    ["add-platform", "플랫폼 추가"],
    ["import", "가져오기"],
    ["edit-platform", "수정"],
  ] as const) {
    await page.getByRole("button", { name: button }).first().click();
    await page.locator("dialog input, dialog textarea").first().waitFor();
    await expectAccessible(page, name);
    await page.screenshot({ path: join(PICTURES, `${name}.png`) });
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
  }

  await page.setViewportSize({ width: PHONE_WIDTH, height: 844 });
  for (const address of ["/", path, "/settings"]) {
    await page.goto(`${fanfare.origin}${address}`);
    await page.locator("h1").waitFor();
    await page
      .locator(address === "/settings" ? "tbody tr" : ".state")
      .first()
      .waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth"), address).toBe(PHONE_WIDTH);
    await page.screenshot({
      path: join(PICTURES, `phone${address === path ? "-channel" : address.replace("/", "-")}.png`),
      fullPage: true,
    });
  }
  await page.getByRole("button", { name: "로그아웃" }).click();
  await page.getByRole("heading", { name: "로그인" }).waitFor();
  await expectAccessible(page, "sign-in");
  await page.screenshot({ path: join(PICTURES, "sign-in.png") });
  expect(errors).toEqual([]);
});
