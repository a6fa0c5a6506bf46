import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { openBrowser, openContext, setUp, watchErrors } from "../../support/dashboard/browser.ts";
import { clickByMouse } from "../../support/dashboard/press.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

/** What the page loads and asks for by and by, when its channel is shown already. */
const LATER =
  /\/assets\/(panels-|sources-|schedules-|history-|recordings-)|\/(events|reports|recommended-settings|refused-encoders)(\?|$)/;
/** What people use of a channel's page. */
const USED = ["#platforms-title", ".platform", "#encoder-title", "#settings-title", ".more-fields summary"];

/** How far from the top of the page each of them is, in pixels. */
const placesOf = (page: Page): Promise<unknown> =>
  page.evaluate(`Object.fromEntries(${JSON.stringify(USED)}.map((selector) => {
    const element = document.querySelector(selector);
    return [selector, element === null ? "missing" : Math.round(element.getBoundingClientRect().top + scrollY)];
  }))`);

test.each([1_280, 390])("at %i pixels nothing on a channel's page moves when its later parts come", async (width) => {
  const stage = await Stage.open();
  // A shared one may have refused encoders of other tests, which the page lists.
  const { fanfare, api } = await stage.server();
  const nowhere = { rtmpUrl: "rtmp://127.0.0.1:9/live" };
  const channel = await api.createChannel("still", [{ ...nowhere, streamKey: uniqueKey("k") }]);
  const page = await (await openContext(await openBrowser(stage), { width })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const held: string[] = [];
  const letGo = Promise.withResolvers<void>();
  await page.route(LATER, async (route) => {
    held.push(new URL(route.request().url()).pathname);
    await letGo.promise;
    await route.continue();
  });
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await page
    .locator(USED.at(-1) ?? "")
    .first()
    .waitFor();
  await expect.poll(() => held.some((path) => path.includes("/assets/schedules-"))).toBe(true);
  expect(await page.locator(".first-steps:visible, #schedules-title, #timeline-title").count()).toBe(0);
  const before = await placesOf(page);
  letGo.resolve();
  for (const later of [".first-steps:visible", "#recommended-title", "#source-title", "#schedules-title"])
    await page.locator(later).waitFor();
  for (const later of ["#timeline-title", "#recordings-title"]) await page.locator(later).waitFor();
  expect(await placesOf(page)).toEqual(before);
  expect(errors).toEqual([]);
});

test("a picture that is loaded has its place from the beginning, on the overview and in a preview", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("picture", [{ rtmpUrl: target.url, streamKey: uniqueKey("k") }]);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.locator(".card.tone-good").waitFor();
  for (const [path, place, loaded] of [
    ["/", ".card .thumb", ".card .thumb canvas"],
    [`/channels/${channel.channelId}`, ".preview", ".preview canvas"],
  ] as const) {
    const letGo = Promise.withResolvers<void>();
    await page.route(/\/assets\/video-/, async (route) => {
      await letGo.promise;
      await route.continue();
    });
    await page.goto(fanfare.origin + path);
    const height = async () => Math.round((await page.locator(place).boundingBox())?.height ?? 0);
    await page.locator(place).waitFor();
    const before = await height();
    expect(await page.locator(loaded).count()).toBe(0);
    letGo.resolve();
    await page.locator(loaded).waitFor();
    expect(await height(), path).toBe(before);
    await page.unroute(/\/assets\/video-/);
  }
  expect(errors).toEqual([]);
});

test("the page of settings is shown once all its parts are loaded", async () => {
  const stage = await Stage.open();
  const { fanfare } = await sharedServer(stage);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const [asked, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await page.route(/\/assets\/contacts-/, async (route) => {
    asked.resolve();
    await letGo.promise;
    await route.continue();
  });
  await page.goto(`${fanfare.origin}/settings`);
  await asked.promise;
  expect(await page.locator("#keys-title, #password-title").count()).toBe(0);
  letGo.resolve();
  await page.locator("#password-title").waitFor();
  expect(await page.locator("#alerts-title, #webhook-title, #contacts-title").count()).toBe(3);
  expect(errors).toEqual([]);
});

test("a problem of a field that was changed leaves its place, and a click of the mouse hits what is below", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("mouse", [{ rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") }]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  const settings = page.locator("section", { has: page.locator("#settings-title") });
  const save = settings.getByRole("button", { name: "Save" }).first();
  const hold = settings.locator('input[name="hold"]');
  const problem = settings.locator(".field .problem");
  await hold.fill("1801");
  await clickByMouse(save);
  await problem.waitFor();
  const before = await placesOf(page);
  await hold.fill("120");
  await problem.waitFor({ state: "hidden" });
  expect(await hold.getAttribute("aria-invalid")).toBeNull();
  expect(await placesOf(page)).toEqual(before);
  await clickByMouse(settings.getByText("Advanced"));
  await settings.locator('input[name="freezeVideo"]').fill("11");
  await clickByMouse(save);
  await expect.poll(async () => (await api.channel(channel.channelId))["freeze"]).toMatchObject({ videoSeconds: 11 });
  expect(await problem.count()).toBe(0);
  expect(errors).toEqual([]);
});
