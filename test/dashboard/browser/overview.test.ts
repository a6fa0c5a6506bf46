import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { NOT_AVAILABLE } from "../../../src/api-contract/input/not-available.ts";
import { NEXT_STEPS } from "../../../src/control/health/next-steps.ts";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { en } from "../../../web/src/text/en.ts";
import { panelsEn } from "../../../web/src/text/panels-en/panels.ts";
import { panelsKo } from "../../../web/src/text/panels-ko/panels.ts";
import {
  expectAccessible,
  openBrowser,
  openContext,
  setUp,
  takeScreenshot,
  watchErrors,
} from "../../support/dashboard/browser.ts";
import { press, tick } from "../../support/dashboard/press.ts";
import { linesOf } from "../../support/dashboard/text-places.ts";
import { tellStream } from "../../support/dashboard/told-stream.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const WIDTHS = [390, 1_280, 2_560];
const RED = encodeURIComponent("#e0342f");

/** A card that has just got its place is not drawn yet, and an element that is not drawn has no inner text. */
const names = (page: Page) => page.locator(".card-name").allTextContents();
const pressButton = (page: Page, name: string | RegExp) =>
  press(page.locator(".page").getByRole("button", { name, exact: true }));

/** A server with one channel on air that is well, one that is broken, one that waits, and one that is disabled. */
async function openOverview() {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const nowhere = { rtmpUrl: "rtmp://127.0.0.1:9/live" };
  const off = await api.createChannel("a_disabled", [{ ...nowhere, streamKey: uniqueKey("o") }]);
  await api.request("PUT", `/api/v2/re-stream/channels/${off.channelId}/off`);
  const waits = await api.createChannel("b_waits", [{ targetName: "TWITCH", ...nowhere, streamKey: uniqueKey("w") }]);
  const well = await api.createChannel("c_well", [{ rtmpUrl: target.url, streamKey: uniqueKey("g") }]);
  const broken = await api.createChannel("d_broken", [{ ...nowhere, streamKey: uniqueKey("b") }]);
  for (const channel of [well, broken]) stage.kitEncoder(channel, { clip: syntheticClip() });
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.locator(".card.tone-bad", { hasText: "d_broken" }).waitFor();
  await page.locator(".card:not(.tone-bad) .pills .tone-good").waitFor();
  return { page, errors, api, waits, well };
}

test("the overview shows broken channels first with reason and next step, filters them, and keeps the chosen view", async () => {
  const { page, errors } = await openOverview();
  await expect.poll(() => names(page)).toEqual(["d_broken", "c_well", "b_waits", "a_disabled"]);
  const verdict = page.locator(".card", { hasText: "d_broken" });
  await expect.poll(async () => (await verdict.locator(".verdict-reason").innerText()).length).toBeGreaterThan(20);
  await expect.poll(() => verdict.locator(".verdict-step").innerText()).toMatch(/^→ \S/);
  await expect.poll(() => page.title()).toMatch(/^1 broken(, 1 needs attention)? – Fanfare$/);
  await expect.poll(() => page.locator('link[rel="icon"]').getAttribute("href")).toContain(RED);

  await press(page.locator('[data-health="waiting"]'));
  await expect.poll(() => names(page)).toEqual(["b_waits"]);
  await press(page.locator('[data-health="waiting"]'));
  await page.locator('select[name="platform"]').selectOption("TWITCH");
  await expect.poll(() => names(page)).toEqual(["b_waits"]);
  await page.locator('select[name="platform"]').selectOption("");
  await page.locator('input[type="search"]').fill("WELL");
  await expect.poll(() => names(page)).toEqual(["c_well"]);
  await page.locator('input[type="search"]').fill("nothing has this name");
  await pressButton(page, en.overview.clearFilters);
  await expect.poll(async () => (await names(page)).length).toBe(4);

  await page.locator('select[name="sort"]').selectOption("newest");
  await expect.poll(() => names(page)).toEqual(["d_broken", "c_well", "b_waits", "a_disabled"]);
  await page.locator('select[name="sort"]').selectOption("name");
  await pressButton(page, en.overview.views.list);
  await page.reload();
  await page.locator(".cards.as-list .card").nth(3).waitFor();
  await expect.poll(() => names(page)).toEqual(["a_disabled", "b_waits", "c_well", "d_broken"]);
  await page.locator('select[name="sort"]').selectOption("urgency");

  await pressButton(page, en.overview.select);
  for (const view of ["list", "cards"] as const) {
    await pressButton(page, en.overview.views[view]);
    for (const language of ["ko", "en"]) {
      await page.locator("header select").first().selectOption(language);
      await page.locator(`html[lang="${language}"]`).waitFor();
      // Each view, language and theme once.
      const isLight = view === "list";
      await page.emulateMedia({ colorScheme: isLight ? "light" : "dark" });
      if (isLight === (language === "ko")) await expectAccessible(page, `${view} ${language}`);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 860 });
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
        await takeScreenshot(page, `at-scale-${view}-${language}-${width}`);
      }
    }
  }
  expect(errors).toEqual([]);
});

test("the list shows a name of twenty letters in one line, and a long one takes no room from the filters", async () => {
  const { page, api } = await openOverview();
  const rtmpUrl = "rtmp://127.0.0.1:9/live";
  const { channelId } = await api.createChannel("name_of_twenty_signs", [{ rtmpUrl, streamKey: uniqueKey("t") }]);
  await api.request("PUT", `/api/v2/re-stream/channels/${channelId}`, { labels: ["M".repeat(30)] });
  const name = `[href="/channels/${channelId}"] .card-name`;
  await page.locator(name).waitFor();
  await pressButton(page, en.overview.views.list);
  for (const width of [1_000, 1_280]) {
    await page.setViewportSize({ width, height: 860 });
    expect(await linesOf(page, name), `at ${width}`).toBe(1);
  }
  const filter = page.locator('select[name="label"]');
  await filter.locator("option", { hasText: "MMM" }).waitFor({ state: "attached" });
  expect((await filter.boundingBox())?.width).toBeLessThanOrEqual(224);
});

test("labels are edited on the channel page and for many channels at once, are shown, and filter the overview", async () => {
  const { page, errors, api, waits, well } = await openOverview();
  const { labels } = en;
  const chips = (of: string) => page.locator(".card", { hasText: of }).locator(".chip").allTextContents();
  expect(await page.locator('select[name="label"]').count()).toBe(0);
  await press(page.locator(".card", { hasText: "c_well" }));
  for (const label of [" Studio 2 ", "스포츠"]) {
    await pressButton(page, labels.add);
    await page.locator('dialog input[name="label"]').fill(label);
    await press(page.locator("dialog").getByRole("button", { name: en.common.add, exact: true }));
    await page.locator(".labels .chip", { hasText: label.trim() }).waitFor();
  }
  expect((await api.channel(well.channelId))["labels"]).toEqual(["Studio 2", "스포츠"]);
  await expectAccessible(page, "labels of a channel");
  await takeScreenshot(page, "labels-channel", false);
  await pressButton(page, labels.remove("스포츠"));
  await page.locator(".labels .chip", { hasText: "스포츠" }).waitFor({ state: "detached" });
  await press(page.locator(".back"));
  await expect.poll(() => chips("c_well")).toEqual(["Studio 2"]);

  await pressButton(page, en.overview.select);
  await pressButton(page, en.overview.selectAll(4));
  await pressButton(page, labels.edit);
  await page.locator('dialog input[name="label"]').fill("studio 2");
  await expectAccessible(page, "labels of selected channels");
  await takeScreenshot(page, "labels-selected", false);
  await press(page.locator("dialog").getByRole("button", { name: labels.add, exact: true }));
  await page.locator(".selection-summary", { hasText: labels.added(4) }).waitFor();
  await page.locator(".card", { hasText: "b_waits" }).locator(".chip").waitFor();
  await expect.poll(() => chips("c_well")).toEqual(["Studio 2"]);

  await tick(page.getByRole("checkbox", { name: en.overview.selectOne("c_well") }));
  await pressButton(page, labels.edit);
  await press(page.locator("dialog").getByRole("button", { name: labels.remove("studio 2") }));
  await page.locator(".selection-summary", { hasText: labels.removed(1) }).waitFor();
  await page.locator(".card", { hasText: "c_well" }).locator(".chip").waitFor({ state: "detached" });
  await page.locator('select[name="label"]').selectOption("studio 2");
  // Each card has its label once the live stream told it.
  await expect.poll(() => names(page)).toEqual(["d_broken", "b_waits", "a_disabled"]);
  await takeScreenshot(page, "labels-overview");
  expect((await api.channel(waits.channelId))["labels"]).toEqual(["studio 2"]);
  expect(errors).toEqual([]);
});

test("many channels are started, ended, disabled and enabled at once, and those that failed are named and stay selected", async () => {
  const { page, errors, api, waits, well } = await openOverview();
  const { acts, done, failedCount } = panelsEn.bulk;
  await pressButton(page, en.overview.select);
  // One source starts and fails, one finds an encoder, and two channels have none.
  const pull = { pull: { url: "rtmp://127.0.0.1:9/live/a" } };
  for (const { channelId } of [waits, well])
    await api.request("PUT", `/api/v2/re-stream/channels/${channelId}/source`, pull);
  await pressButton(page, en.overview.selectAll(4));
  await pressButton(page, acts.start);
  await expectAccessible(page, "start of sources");
  await press(page.locator("dialog").getByRole("button", { name: acts.start }));
  await page.locator(".selection-summary", { hasText: `${done.start(1)} ${failedCount(3)}` }).waitFor();
  expect(await page.locator(".selection-failures li").allInnerTexts()).toEqual([
    `d_broken, a_disabled (2 channels): ${en.common.failed(NOT_AVAILABLE["no-source"][2])}`,
    `c_well: ${en.common.failed(NOT_AVAILABLE["source-encoder-on-air"][2])}`,
  ]);
  const failing = page.locator(".card.tone-bad", { hasText: "b_waits" });
  await failing.locator(".verdict-step", { hasText: NEXT_STEPS.CHECK_SOURCE.en }).waitFor();
  await expectAccessible(page, "summary of started sources");
  const detail = await page.context().newPage();
  await detail.goto(new URL(`/channels/${waits.channelId}`, page.url()).href);
  await detail.locator(".page-head .state", { hasText: en.health.states.broken }).waitFor();
  // No encoder is waited for.
  await detail.getByRole("heading", { name: en.encoder.title, exact: true }).waitFor();
  await detail.close();
  await takeScreenshot(page, "sources-started");
  await page.locator("header select").first().selectOption("ko");
  await page.locator(".selection-failures", { hasText: NOT_AVAILABLE["no-source"][3] }).waitFor();
  await failing.locator(".verdict-step", { hasText: NEXT_STEPS.CHECK_SOURCE.ko }).waitFor();
  expect(await page.locator(".selection-summary").innerText()).toBe(
    `${panelsKo.bulk.done.start(1)} ${panelsKo.bulk.failedCount(3)}`,
  );
  await takeScreenshot(page, "sources-started-ko");
  await page.locator("header select").first().selectOption("en");
  await api.request("POST", `/api/v2/re-stream/channels/${waits.channelId}/source/stop`);
  await failing.waitFor({ state: "detached" });
  await pressButton(page, en.overview.selectAll(4));
  await pressButton(page, en.overview.selectNone);

  await tick(page.getByRole("checkbox", { name: en.overview.selectOne("c_well") }));
  await pressButton(page, acts.end);
  await press(page.locator("dialog").getByRole("button", { name: acts.end }));
  await page.locator(".selection-summary", { hasText: done.end(1) }).waitFor();
  expect((await api.channel(well.channelId)).isPublishing).toBe(false);

  await pressButton(page, en.overview.selectAll(4));
  const refusesWaits = `**/channels/${waits.channelId}/off`;
  await page.route(refusesWaits, (route) => route.abort());
  await pressButton(page, acts.disable);
  await press(page.locator("dialog").getByRole("button", { name: acts.disable }));
  await page.locator(".selection-summary").waitFor();
  expect(await page.locator(".selection-summary").innerText()).toBe(`${done.disable(3)} ${failedCount(1)}`);
  expect(await page.locator(".selection-failures li").allInnerTexts()).toEqual([
    `b_waits: ${en.common.failed(en.common.network)}`,
  ]);
  await page.getByText(en.overview.selected(1)).waitFor();
  await page.locator('[data-health="off"]', { hasText: "4" }).waitFor({ state: "detached" });
  await page.locator('[data-health="off"]', { hasText: "3" }).waitFor();
  await expect.poll(() => page.title()).toBe("Channels – Fanfare");

  await page.unroute(refusesWaits);
  await pressButton(page, en.overview.selectAll(4));
  await pressButton(page, acts.enable);
  await page.locator(".selection-summary", { hasText: done.enable(4) }).waitFor();
  await page.locator('[data-health="off"]').waitFor({ state: "detached" });
  expect((await api.channel(well.channelId)).channelStatus).not.toBe("BLOCK");
  expect(errors).toEqual([]);
});

test("a channel with very many platforms shows those in trouble first and the number of the others", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("many", [{ rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") }]);
  const platform = (platId: number, isFailed: boolean) => ({
    ...{ platId, targetName: "CUSTOM", label: `number ${platId}`, rtmpUrl: "rtmp://example.com/app", streamKey: "k" },
    ...{ enabled: true, bufferPolicy: "drop", connectStatus: isFailed ? "FAIL" : "PUBLISHING", bytesPerSecond: 0 },
    ...{ bytesTotalTrans: 0, totalBytesPerSecond: 0, totalPlaySecond: 0, totalRetryCount: 0 },
  });
  const platforms = Array.from({ length: 100 }, (_, index) => platform(index + 1, index > 97));
  const whole = { ...channel, isPublishing: true, platforms, totalPublishSeconds: 60 };
  const waits = { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") };
  const oldest = { ...(await api.createChannel("oldest", [waits])), createdTime: 1, platforms: [] };
  const context = await openContext(await openBrowser(stage));
  const page = await context.newPage();
  const errors = watchErrors(page);
  await tellStream(page, () => [["snapshot", { time: Date.now(), channels: [whole, oldest] }]]);
  await setUp(page, fanfare);
  const shown = page.locator(".card", { hasText: "many" }).locator(".pills");
  await shown.getByText("+88").waitFor();
  const names = await shown.locator(".state-name").allInnerTexts();
  expect(names).toHaveLength(12);
  expect(names.slice(0, 3)).toEqual(["number 99", "number 100", "number 1"]);
  // A channel was on air: nobody takes first steps here, though the oldest channel never was.
  await page.locator(".card", { hasText: "oldest" }).waitFor();
  expect(await page.locator(".first-steps").count()).toBe(0);
  expect(errors).toEqual([]);
});

test("a name that is written from the right shows its beginning where it is too long, and has its marks in their places", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const label = "بث مباشر من القاهرة إلى كل بلاد العالم!!";
  const { channelId } = await api.createChannel("from_right", [
    { label, rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("r") },
  ]);
  const page = await (await openContext(await openBrowser(stage), { width: 390 })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const place = page.locator(`.card[href="/channels/${channelId}"] .state-name`);
  await place.waitFor();
  const selector = JSON.stringify(`.card[href="/channels/${channelId}"] .state-name`);
  type Edges = { readonly left: number; readonly right: number };
  const edges = await page.evaluate<Record<"box" | "first" | "last", Edges>>(`(() => {
    const box = document.querySelector(${selector});
    const edgesOf = (from, to) => {
      const range = document.createRange();
      range.setStart(box.firstChild, from);
      range.setEnd(box.firstChild, to);
      const { left, right } = range.getBoundingClientRect();
      return { left, right };
    };
    const { left, right } = box.getBoundingClientRect();
    const { length } = box.textContent;
    return { box: { left, right }, first: edgesOf(0, 1), last: edgesOf(length - 1, length) };
  })()`);
  expect(edges.first.right).toBeLessThanOrEqual(edges.box.right + 1);
  expect(edges.first.left).toBeGreaterThan(edges.box.left);
  expect(edges.last.right).toBeLessThan(edges.first.left);
  expect(errors).toEqual([]);
});
