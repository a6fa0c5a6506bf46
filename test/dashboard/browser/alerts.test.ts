import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { en } from "../../../web/src/text/en.ts";
import { enAlerts as texts } from "../../../web/src/text/panels-en/alerts.ts";
import {
  expectAccessible,
  INSECURE_NAME,
  openBrowser,
  openContext,
  setUp,
  takeScreenshot,
  watchErrors,
} from "../../support/dashboard/browser.ts";
import { clickByMouse, press, seeShown, tick } from "../../support/dashboard/press.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const NOWHERE = { rtmpUrl: "rtmp://127.0.0.1:9/live" };

/** Records what the page shows and plays, and lets the test decide whether the page has the focus. */
const OBSERVE = `
  window.shown = [];
  window.tones = 0;
  window.hasTheFocus = true;
  document.hasFocus = () => window.hasTheFocus;
  const Real = window.Notification;
  if (Real !== undefined) {
    window.Notification = class extends Real {
      constructor(title, options) {
        super(title, options);
        window.shown.push(title);
        window.lastNotification = this;
      }
    };
  }
  // Alerts are a part that a page loads by itself. What watches for them tells the other tabs of its focus.
  const RealChannel = BroadcastChannel;
  window.BroadcastChannel = class extends RealChannel {
    constructor(name) {
      super(name);
      window.isWatching = true;
    }
  };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...given) {
    window.tones += 1;
    return start.apply(this, given);
  };
`;

const tickLabelled = (page: Page, label: string, isOn: boolean) => tick(page.getByLabel(label, { exact: true }), isOn);
const shown = (page: Page) => page.evaluate("[window.shown, window.tones]");
/** Waits until the page takes verdicts: the first one that it takes of a channel is no alert. */
const watches = (page: Page) => expect.poll(() => page.evaluate("window.isWatching")).toBe(true);

/** A server with a healthy channel on air, and a page of its settings with alerts switched on. */
async function openAlerts(host = "127.0.0.1") {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("show", [{ rtmpUrl: target.url, streamKey: uniqueKey("g") }]);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  const context = await openContext(await openBrowser(stage, "whole"));
  await context.addInitScript(OBSERVE);
  const origin = `http://${host}:${fanfare.httpPort}`;
  const page = await context.newPage();
  const errors = watchErrors(page);
  await setUp(page, { origin, stdout: fanfare.stdout });
  await page.locator(".card .pills .tone-good").waitFor();
  await press(page.getByRole("link", { name: en.app.settings }));
  await tickLabelled(page, texts.on, true);
  // On a busy machine the encoder is not steady. That needs attention too, but it is not what these tests are about.
  await tickLabelled(page, texts.severities.attention, false);
  await watches(page);
  return { stage, page, errors, api, channel, context, origin };
}

test("permission is requested at a press, trouble is shown as notification, sound, tab title and banner, and rules hold", async () => {
  const { page, errors, api, channel, context, origin } = await openAlerts();
  await page.locator('[data-notifications="ask"], [data-notifications="denied"]').waitFor();
  await context.grantPermissions(["notifications"], { origin });
  await page.reload();
  await page.locator('[data-notifications="granted"]').waitFor();
  await watches(page);
  await seeShown(page, ".notice", texts.tested, () => clickByMouse(page.getByRole("button", { name: texts.test })));
  await expect.poll(() => shown(page)).toEqual([[texts.testTitle], 1]);

  for (const [width, theme, language] of [
    [390, "dark", "ko"],
    [1_280, "light", "en"],
    [2_560, "dark", "en"],
  ] as const) {
    await page.setViewportSize({ width, height: 860 });
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await page.locator("header select").first().selectOption(language);
    await page.locator(`html[lang="${language}"]`).waitFor();
    await expectAccessible(page, `alerts ${language} ${theme}`);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    await takeScreenshot(page, `alerts-${language}-${theme}-${width}`);
  }
  await page.setViewportSize({ width: 1_280, height: 860 });

  await page.evaluate("window.hasTheFocus = false");
  await api.addPlatform(channel.channelId, { ...NOWHERE, streamKey: uniqueKey("b"), label: "Nowhere" });
  const alert = page.locator(".alert[data-severity=broken]");
  await alert.waitFor();
  const title = `show: ${en.health.states.broken}`;
  expect(await alert.locator("b").innerText()).toContain(title);
  expect(await alert.innerText()).toContain("Nowhere: ");
  expect(await shown(page)).toEqual([[texts.testTitle, title], 2]);
  await expect.poll(() => page.title()).toBe(texts.tabTitle(1, title));
  await expectAccessible(page, "an alert on the page");
  await takeScreenshot(page, "alert-shown", false);
  await page.evaluate("window.hasTheFocus = true; window.dispatchEvent(new Event('focus'))");
  await expect.poll(() => page.title()).toBe(`${en.app.settings} – Fanfare`);

  await press(page.locator(".alert-list a", { hasText: title }));
  await page.getByRole("heading", { name: "show", exact: true }).waitFor();
  await page.goBack();
  await page.evaluate("window.lastNotification.onclick()");
  await page.getByRole("heading", { name: "show", exact: true }).waitFor();
  expect(errors).toEqual([]);
});

test("no alert comes for a person's action, for what the rules leave out, or twice where two tabs are open", async () => {
  const { page, errors, api, channel, context, origin } = await openAlerts();
  await context.grantPermissions(["notifications"], { origin });
  const other = await api.createChannel("other", [{ rtmpUrl: NOWHERE.rtmpUrl, streamKey: uniqueKey("o") }]);
  await page.reload();
  await tick(page.getByLabel(texts.scopes.channels));
  await tickLabelled(page, "show", true);
  const second = await context.newPage();
  await second.goto(`${origin}/settings`);
  await second.getByLabel("show", { exact: true }).waitFor();
  expect(await second.getByLabel("show", { exact: true }).isChecked()).toBe(true);
  // A press, without which a page stays silent.
  for (const each of [page, second]) await clickByMouse(each.locator("h1"));
  for (const each of [page, second]) await watches(each);

  await api.request("POST", `/api/v2/re-stream/channels/${other.channelId}/end`);
  await api.addPlatform(channel.channelId, { ...NOWHERE, streamKey: uniqueKey("b") });
  for (const each of [page, second]) await each.locator(".alert").waitFor();
  const [first, rest] = [await shown(page), await shown(second)];
  const title = `show: ${en.health.states.broken}`;
  expect([first, rest]).toEqual([
    [[title], 1],
    [[], 0],
  ]);
  await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}/off`);
  await press(page.getByRole("link", { name: en.app.channels, exact: true }));
  await page.locator('[data-health="off"]').waitFor();
  expect(await shown(page)).toEqual(first);
  // Those on the page leave it after some seconds; the list in the settings keeps them.
  await press(page.getByRole("link", { name: en.app.settings, exact: true }));
  await page.locator(".alert-list li", { hasText: title }).waitFor();
  expect(await page.locator(".alert-list li").count()).toBe(1);
  expect(errors).toEqual([]);
});

test("a tab keeps quiet while another one has the focus, and that one makes the sounds once the first is closed", async () => {
  const { stage, page, errors, api, context, origin } = await openAlerts();
  await tickLabelled(page, texts.quiet, true);
  const second = await context.newPage();
  await second.goto(origin);
  // A press, without which a page stays silent.
  for (const each of [page, second]) await clickByMouse(each.locator("h1"));
  for (const each of [page, second]) await watches(each);
  const fails = async (name: string, tabs: readonly Page[]) => {
    const broken = await api.createChannel(name, [{ ...NOWHERE, streamKey: uniqueKey(name) }]);
    // A channel's first verdict is no alert.
    await second.locator(".card-name", { hasText: name }).waitFor();
    stage.kitEncoder(broken, { clip: syntheticClip() });
    for (const tab of tabs) await tab.locator(".alert", { hasText: name }).waitFor();
  };
  const tones = () =>
    Promise.all([page, second].map((each) => (each.isClosed() ? "closed" : each.evaluate("window.tones"))));
  await page.evaluate("window.hasTheFocus = false; window.dispatchEvent(new Event('blur'))");
  await second.evaluate("window.dispatchEvent(new Event('focus'))");
  await fails("in_focus", [page, second]);
  expect(await tones()).toEqual([0, 0]);
  await second.evaluate("window.hasTheFocus = false; window.dispatchEvent(new Event('blur'))");
  await fails("without_focus", [page, second]);
  expect(await tones()).toEqual([1, 0]);
  await page.close();
  await fails("first_closed", [second]);
  expect(await tones()).toEqual(["closed", 1]);
  expect(errors).toEqual([]);
});

test("a page without HTTPS says what it cannot do, still alerts on the page and with sound, and keeps quiet in focus", async () => {
  const { page, errors, api, channel } = await openAlerts(INSECURE_NAME);
  expect(await page.evaluate("isSecureContext")).toBe(false);
  expect(await page.locator('[data-notifications="insecure"]').innerText()).toBe(texts.notificationStates.insecure);
  await takeScreenshot(page, "alerts-insecure");
  await tickLabelled(page, texts.quiet, true);
  const broken = { ...NOWHERE, streamKey: uniqueKey("b") };
  await api.addPlatform(channel.channelId, broken);
  await page.locator(".alert").waitFor();
  expect(await shown(page)).toEqual([[], 0]);

  await tickLabelled(page, texts.quiet, false);
  await clickByMouse(page.getByRole("button", { name: texts.test }));
  await expect.poll(() => shown(page)).toEqual([[], 1]);
  expect(errors).toEqual([]);
});
