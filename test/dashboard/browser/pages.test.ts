import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { en } from "../../../web/src/text/en.ts";
import { ko } from "../../../web/src/text/ko.ts";
import {
  expectAccessible,
  openBrowser,
  openContext,
  setUp,
  setupLink,
  takeScreenshot,
  watchErrors,
} from "../../support/dashboard/browser.ts";
import { press } from "../../support/dashboard/press.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

/** Widths and heights in pixels; the narrowest window of WCAG 2.2 (reflow, 1.4.10), and a very wide one. */
const WINDOWS = [
  ["phone", 320, 844],
  ["wide", 2_560, 1_300],
] as const;

/** Whether the chart is painted in the colour of its current style. */
const PAINTED_AS_STYLED = `(() => {
  const place = document.querySelector(".chart-line");
  const canvas = place.querySelector("canvas");
  const wanted = getComputedStyle(place).stroke.match(/\\d+/g).map(Number);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4) {
    const far = wanted.reduce((sum, part, index) => sum + Math.abs(part - data[at + index]), 0);
    if (data[at + 3] > 200 && far < 30) return true;
  }
  return false;
})()`;

type Look = readonly [language: "en" | "ko", theme: "light" | "dark"];
const LOOKS: readonly Look[] = [
  ["ko", "light"],
  ["en", "dark"],
  ["ko", "dark"],
  ["en", "light"],
];

/** Each language and each theme once: no rule of axe depends on both. */
const TWO_LOOKS: readonly Look[] = LOOKS.slice(0, 2);

/** Calls `act` in each of these looks. */
async function inLooks(page: Page, act: (...look: Look) => Promise<unknown>, looks = TWO_LOOKS) {
  for (const [language, theme] of looks) {
    await page.locator("select", { has: page.locator('option[value="ko"]') }).selectOption(language);
    await page.locator(`html[lang="${language}"]`).waitFor();
    await page.emulateMedia({ colorScheme: theme });
    await act(language, theme);
  }
}

test("every page is accessible in both languages and themes, and fits a phone and a very wide window", async () => {
  const stage = await Stage.open();
  const good = await stage.target();
  const refusing = await stage.target({ refuse: "bad-name" });
  const { fanfare, api } = await stage.server();
  const browser = await openBrowser(stage);
  const context = await openContext(browser);
  const page = await context.newPage();
  const errors = watchErrors(page);
  const take = async (name: string, isWhole = true) => {
    await expectAccessible(page, name);
    await takeScreenshot(page, name, isWhole);
  };
  const look = (name: string) => inLooks(page, (language, theme) => take(`${name}-${language}-${theme}`));
  await page.goto(`${fanfare.origin}/setup`);
  await page.getByText("Open the setup link").waitFor();
  await look("set-up-without-link");
  await page.goto(setupLink(fanfare));
  await page.locator('input[name="repeat"]').waitFor();
  await look("set-up");
  await setUp(page, fanfare);
  await page.getByText("Create your first channel").waitFor();
  await look("no-channel");
  await inLooks(page, async (language, theme) => {
    const { overview } = language === "en" ? en : ko;
    await press(page.getByRole("button", { name: overview.create }));
    await page.locator("dialog .presets").waitFor();
    await take(`new-channel-${language}-${theme}`, false);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
  });

  const channel = await api.createChannel("evening_show", [
    { targetName: "YOUTUBE", rtmpUrl: `rtmp://127.0.0.1:${good.port}/live`, streamKey: uniqueKey("well") },
    { targetName: "TWITCH", rtmpUrl: `rtmp://127.0.0.1:${refusing.port}/live`, streamKey: uniqueKey("refused") },
  ]);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  const path = `/channels/${channel.channelId}`;
  await page.locator(".verdict-reason").waitFor();
  await page.locator(".card .rate-line canvas").waitFor();
  await look("overview");

  // These two pages do not load the other pages and dialogs, or the other language.
  const fresh = await context.newPage();
  const loaded = new Set<string>();
  fresh.on("request", (request) => loaded.add(/([\w-]+)-.{8}\.\w+$/.exec(request.url())?.[1] ?? ""));
  await fresh.goto(`${fanfare.origin}/`);
  await press(fresh.locator(`.card[href="${path}"]`));
  await fresh.locator(".platform .failure").waitFor();
  await fresh.close();
  expect([...loaded]).toEqual(expect.arrayContaining(["index", "style", "en"]));
  expect(["deferred-bundle", "ko"].filter((name) => loaded.has(name))).toEqual([]);

  await press(page.locator(`.card[href="${path}"]`));
  await page.locator(".platform .failure").waitFor();
  for (const folded of await page.locator("details.more-fields summary").all()) await press(folded);
  await page.evaluate("scrollTo(0, 0)");
  await page.locator(".chart-line canvas").waitFor();
  const isPainted = async () => ((await page.evaluate(PAINTED_AS_STYLED)) === true ? true : undefined);
  await inLooks(page, (_language, theme) => waitFor(`a line in the colours of ${theme}`, 10_000, isPainted), LOOKS);
  await look("channel");
  await inLooks(page, async (language, theme) => {
    const { channel: words, common } = language === "en" ? en : ko;
    for (const [name, button] of [
      ["add-platform", words.addPlatform],
      ["import", words.importPlatforms],
      ["edit-platform", common.edit],
    ] as const) {
      // The steps of the first hour have the same words.
      const platforms = page.locator('[aria-labelledby="platforms-title"]');
      await press(platforms.getByRole("button", { name: button, exact: true }).first());
      await page.locator("dialog input, dialog textarea").first().waitFor();
      for (const folded of await page.locator("dialog summary").all()) await press(folded);
      await take(`${name}-${language}-${theme}`, false);
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
    }
  });
  await press(page.locator('.top a[href="/settings"]'));
  await page.locator("tbody tr").first().waitFor();
  // A page whose code is loaded on demand has the focus on its heading and a title, like every other.
  await page.locator("h1:focus").waitFor();
  await expect.poll(() => page.title()).toBe("Settings – Fanfare");
  await look("settings");

  for (const [size, width, height] of WINDOWS) {
    await page.setViewportSize({ width, height });
    for (const [name, address, mark] of [
      ["overview", "/", ".card .rate-line"],
      ["channel", path, ".platform .failure"],
      ["settings", "/settings", "tbody tr"],
    ] as const) {
      await page.goto(`${fanfare.origin}${address}`);
      await page.locator(mark).first().waitFor();
      if (size === "phone") expect(await page.evaluate("document.documentElement.scrollWidth"), name).toBe(width);
      await take(`${size}-${name}`);
    }
  }
  await press(page.getByRole("button", { name: "Sign out" }));
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await look("sign-in");
  expect(errors).toEqual([]);
});

test("the way back leads to the card that was opened, or to the heading", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  for (let index = 10; index < 34; index += 1)
    await api.createChannel(`room_${index}`, [{ rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") }]);
  const page = await (await openContext(await openBrowser(stage), { width: 390 })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const card = page.locator(".card", { hasText: "room_30" });
  await card.scrollIntoViewIfNeeded();
  await press(card);
  await page.getByRole("heading", { level: 1, name: "room_30" }).waitFor();
  await page.goBack();
  await page.locator(".card:focus", { hasText: "room_30" }).waitFor();
  const { y = -1 } = (await card.boundingBox()) ?? {};
  expect(y).toBeGreaterThan(0);
  expect(y).toBeLessThan(860);
  await page.goForward();
  await page.locator("h1:focus", { hasText: "room_30" }).waitFor();
  expect(errors).toEqual([]);
});
