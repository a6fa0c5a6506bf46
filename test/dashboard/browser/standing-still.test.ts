import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { openBrowser, openContext, setUp, watchErrors } from "../../support/dashboard/browser.ts";
import { holdRequests } from "../../support/dashboard/held-calls.ts";
import { clickByMouse, press } from "../../support/dashboard/press.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

/** What the page loads and asks for by and by, when its channel is shown already. */
const LATER =
  /\/assets\/(panels-|sources-|schedules-|history-)|\/(events|reports|recommended-settings|refused-encoders)(\?|$)/;
/** A stream that stood still on a busy machine is not healthy for ten seconds more, in milliseconds. */
const HEALTHY_MAX_MS = 60_000;
/** What people use of a channel's page. */
const USED = ["#platforms-title", ".platform", "#encoder-title", "#settings-title", ".more-fields summary"];

/** What people press there, whether an encoder is on air or not. */
const PRESSED = [
  ...USED,
  ...["h1", ".page-actions", ".platform:last-child", ".platform:last-child .switch", "#ingest-title"],
  ...[".copy-field", "#source-title", "#schedules-title"],
];

/** How far from the top of the page each of them is, in pixels, once all of them are there. */
const placesOf = async (page: Page, selectors: readonly string[] = USED): Promise<Readonly<Record<string, number>>> => {
  for (const selector of selectors) await page.locator(selector).first().waitFor({ state: "attached" });
  return await page.evaluate(`Object.fromEntries(${JSON.stringify(selectors)}.map((selector) => [selector,
    Math.round(document.querySelector(selector).getBoundingClientRect().top + scrollY)]))`);
};
const pressedPlaces = (page: Page) => placesOf(page, PRESSED);

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

test.each([1_280, 390])(
  "at %i pixels an encoder that comes, is lost and goes moves nothing on its channel's page",
  async (width) => {
    const stage = await Stage.open();
    const { fanfare, api } = await stage.server();
    const platforms = await Promise.all(
      ["first", "second"].map(async (label) => ({
        label,
        rtmpUrl: (await stage.target()).url,
        streamKey: uniqueKey(label),
      })),
    );
    const channel = await api.createChannel("comes", platforms);
    const page = await (await openContext(await openBrowser(stage), { width, preview: "open" })).newPage();
    const errors = watchErrors(page);
    await setUp(page, fanfare);
    /** Opens the page, and returns where all that people press is. */
    const opened = async () => {
      await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
      for (const later of ["#source-title", "#schedules-title", "#timeline-title", "#recordings-title"])
        await page.locator(later).waitFor();
      await page.locator("#recommended-title:visible, video").waitFor();
      return await pressedPlaces(page);
    };
    const waiting = await opened();
    const encoder = stage.kitEncoder(channel, { clip: syntheticClip() });
    await page.locator(".platform .state", { hasText: "On air" }).nth(1).waitFor();
    await page.getByText("All first steps are done").waitFor({ timeout: HEALTHY_MAX_MS });
    await page.getByText("Stream check").waitFor();
    await page.locator("video").waitFor();
    expect(await pressedPlaces(page)).toEqual(waiting);
    if (width === 390) await encoder.stop("clean");
    else {
      await encoder.stop("reset");
      await page.getByRole("timer").waitFor();
      expect(await pressedPlaces(page)).toEqual(waiting);
      await press(page.getByRole("button", { name: "End now" }));
      await press(page.locator("dialog").getByRole("button", { name: "End now" }));
    }
    await page.locator("#recommended-title:visible").waitFor();
    expect(await pressedPlaces(page)).toEqual(waiting);
    await page.getByText("All first steps are done").waitFor();

    // Opened on air, the stream is above the keys, and its place stays when it ends.
    const again = stage.kitEncoder(channel, { clip: syntheticClip() });
    await page.getByText("Stream check").waitFor();
    const onAir = await opened();
    expect(onAir["#ingest-title"]).toBeLessThan(onAir["#encoder-title"] ?? 0);
    expect(waiting["#ingest-title"]).toBeGreaterThan(waiting["#encoder-title"] ?? 0);
    await again.stop("clean");
    await page.locator("#recommended-title:visible").waitFor();
    expect(await pressedPlaces(page)).toEqual(onAir);
    expect(errors).toEqual([]);
  },
);

test.each([1_280, 390])("at %i pixels a server that is lost and back moves nothing on an open page", async (width) => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const channel = await api.createChannel("lost", [{ rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") }]);
  const page = await (await openContext(await openBrowser(stage), { width })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  for (const [path, used] of [
    ["/", ["h1", ".card"]],
    [`/channels/${channel.channelId}`, PRESSED],
  ] as const) {
    await page.goto(fanfare.origin + path);
    await page.locator(used.at(-1) ?? "").waitFor();
    // A list of steps that could not be read is left out.
    await page.locator(".first-steps:visible").waitFor();
    if (path !== "/")
      for (const later of ["#recommended-title:visible", "#timeline-title", "#recordings-title"])
        await page.locator(later).waitFor();
    await page.locator('[data-stream="connected"]').waitFor();
    const before = await placesOf(page, used);
    await fanfare.stop();
    const notice = page.locator(".trouble");
    await notice.waitFor();
    expect(await placesOf(page, used), path).toEqual(before);
    const { y = 0, height = 0 } = (await notice.boundingBox()) ?? {};
    expect(Math.round(y + height)).toBe(860);
    await fanfare.restart();
    await notice.waitFor({ state: "detached" });
    expect(await placesOf(page, used), path).toEqual(before);
  }
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
  // Not the card's own: on a busy machine the encoder is not steady, and its channel needs attention.
  await page.locator(".card .pills .tone-good").waitFor();
  for (const [path, place, loaded] of [
    ["/", ".card .thumb", ".card .thumb canvas"],
    [`/channels/${channel.channelId}`, ".preview", ".preview canvas"],
  ] as const) {
    const part = await holdRequests(page, /\/assets\/video-/);
    await page.goto(fanfare.origin + path);
    const height = async () => Math.round((await page.locator(place).boundingBox())?.height ?? 0);
    await page.locator(place).waitFor();
    const before = await height();
    expect(await page.locator(loaded).count()).toBe(0);
    part.letGo();
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
  const part = await holdRequests(page, /\/assets\/settings-/);
  await page.goto(`${fanfare.origin}/settings`);
  await part.asked;
  expect(await page.locator("#keys-title, #password-title").count()).toBe(0);
  part.letGo();
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

test("cards keep their order under the mouse, and a click hits the one that it was meant for", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const platform = () => ({ rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") });
  const first = await api.createChannel("a_first", [platform()]);
  await api.createChannel("b_second", [platform()]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const names = () => page.locator(".card-name").allTextContents();
  await expect.poll(names).toEqual(["a_first", "b_second"]);
  const box = await page.locator(".card").nth(1).boundingBox();
  const [x, y] = [(box?.x ?? 0) + 40, (box?.y ?? 0) + 20];
  await page.mouse.move(x, y);
  await api.request("PUT", `/api/v2/re-stream/channels/${first.channelId}/off`);
  await expect
    .poll(async () => {
      await page.mouse.move(x + Math.random(), y);
      return await page.locator(".card-head .state", { hasText: "Disabled" }).count();
    })
    .toBe(1);
  expect(await names()).toEqual(["a_first", "b_second"]);
  await page.mouse.move(5, 5);
  await expect.poll(names).toEqual(["b_second", "a_first"]);
  await page.mouse.move(x, y);
  await api.request("PUT", `/api/v2/re-stream/channels/${first.channelId}/on`);
  await expect
    .poll(async () => {
      await page.mouse.move(x + Math.random(), y);
      return await page.locator(".card-head .state", { hasText: "Disabled" }).count();
    })
    .toBe(0);
  await page.mouse.down();
  await page.mouse.up();
  await page.getByRole("heading", { level: 1, name: "a_first" }).waitFor();
  expect(errors).toEqual([]);
});
