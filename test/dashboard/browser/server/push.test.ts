import type { Page, Worker } from "playwright-core";
import { afterAll, expect, test } from "vitest";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import { en } from "../../../../web/src/text/en.ts";
import { enAlerts as texts } from "../../../../web/src/text/panels-en/alerts.ts";
import {
  openBrowser,
  openContext,
  PASSWORD,
  setUp,
  takeScreenshot,
  watchErrors,
} from "../../../support/dashboard/browser.ts";
import { press, seeShown, tick } from "../../../support/dashboard/press.ts";
import { PushBrowser } from "../../../support/dashboard/push-browser.ts";
import { openPushService } from "../../../support/dashboard/push-service.ts";
import { type Server, Stage, uniqueKey } from "../../../support/stages/stage.ts";

const BASE = "/fanfare";
const WAIT = { timeout: 60_000 };

/** This Chromium reaches no push service: it gets a subscription at the test's. Everything else is the browser's own. */
const subscribedAt = ({ endpoint, keys }: PushBrowser): string => `
  let isSubscribed = false;
  const subscription = {
    endpoint: ${JSON.stringify(endpoint)},
    toJSON: () => (${JSON.stringify({ endpoint, keys })}),
    unsubscribe: async () => { isSubscribed = false; return true; },
  };
  PushManager.prototype.subscribe = async function (options) {
    window.subscribedWith = options;
    isSubscribed = true;
    localStorage.setItem("test-subscribed", "1");
    return subscription;
  };
  PushManager.prototype.getSubscription = async () =>
    isSubscribed || localStorage.getItem("test-subscribed") === "1" ? subscription : null;
`;

const shownTitles = (page: Page): Promise<unknown> =>
  page.evaluate(`
    navigator.serviceWorker.ready
      .then((registration) => registration.getNotifications())
      .then((notifications) => notifications.map(({ title, body, tag }) => ({ title, body, tag })))
  `);

/** Passes a message to the service worker as the browser would. */
async function deliver(page: Page, worker: Worker, origin: string, data: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const mine = registrations.find(({ scopeURL }) => worker.url().startsWith(scopeURL));
      if (mine !== undefined) resolve(mine.registrationId);
    });
  });
  await session.send("ServiceWorker.enable");
  await session.send("ServiceWorker.deliverPushMessage", { origin, registrationId: await registered, data });
  await session.detach();
}

const stageOfAll = await Stage.open(afterAll);
const pushService = await openPushService(stageOfAll);
const startServer = (stage: Stage) =>
  stage.server({ environment: { NODE_EXTRA_CA_CERTS: pushService.authority, FANFARE_BASE_PATH: BASE } });
const serverOfAll = await startServer(stageOfAll);

async function openStage(serverOf: (stage: Stage) => Server | Promise<Server> = () => serverOfAll) {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await serverOf(stage);
  const secret = uniqueKey("browser");
  const browser = new PushBrowser(`${pushService.origin}/send/${secret}`);
  for (const word of [secret, browser.keys.auth]) for (const each of [stageOfAll, stage]) each.keepSecret(word);
  const push = {
    service: pushService.service,
    /** What this browser was sent. */
    pushed: () => pushService.pushed.filter(({ path }) => path === `/send/${secret}`),
  };
  const context = await openContext(await openBrowser(stage, "whole"));
  await context.grantPermissions(["notifications"], { origin: fanfare.origin });
  const page = await context.newPage();
  const errors = watchErrors(page);
  const channel = await api.createChannel("show", [{ rtmpUrl: target.url, streamKey: uniqueKey("g") }]);
  stage.onClose(async () => {
    const url = `/api/v2/re-stream/channels/${channel.channelId}`;
    await api.request("PUT", `${url}/off`);
    await api.request("DELETE", url);
  });
  stage.kitEncoder(channel, { clip: syntheticClip({ seconds: 110 }) });
  const dashboard = {
    origin: `${fanfare.origin}${BASE}`,
    stdout: fanfare.stdout.replaceAll(`${BASE}/setup`, "/setup"),
  };
  return { stage, push, api, channel, fanfare, browser, context, page, errors, dashboard };
}

test("a server without a page open pushes trouble, encrypted for the browser, whose worker shows it and opens the channel", async () => {
  const { push, api, channel, fanfare, browser, context, page, errors, dashboard } = await openStage();
  await context.addInitScript(subscribedAt(browser));
  await setUp(page, dashboard);
  await page.locator(".card .pills .tone-good").waitFor();
  await press(page.getByRole("link", { name: en.app.settings }));
  await tick(page.getByLabel(texts.on, { exact: true }));
  // On a busy machine the encoder is not steady: that would be a message too.
  await tick(page.getByLabel(texts.severities.attention, { exact: true }), false);
  const workerStarts = context.waitForEvent("serviceworker");
  await press(page.getByRole("button", { name: texts.pushOn }));
  await page.locator('[data-push="on"]').waitFor();
  const worker = await workerStarts;
  expect(worker.url()).toBe(`${dashboard.origin}/service-worker.js`);
  expect(await page.evaluate("window.subscribedWith.userVisibleOnly")).toBe(true);
  await seeShown(page, ".notice", texts.tested, () => press(page.getByRole("button", { name: texts.test })));
  expect(push.pushed().map(({ body }) => JSON.parse(browser.decrypt(body)).title)).toEqual([texts.testTitle]);

  await page.goto("about:blank");
  await api.addPlatform(channel.channelId, {
    rtmpUrl: "rtmp://127.0.0.1:9/live",
    streamKey: uniqueKey("b"),
    label: "Nowhere",
  });
  await expect.poll(() => push.pushed().length, WAIT).toBe(2);
  const message = push.pushed()[1];
  expect(message?.headers).toMatchObject({ "content-encoding": "aes128gcm", urgency: "high", ttl: "3600" });
  const text = browser.decrypt(message?.body ?? Buffer.alloc(0));
  const title = `show: ${en.health.states.broken}`;
  expect(JSON.parse(text)).toEqual({
    ...{ title, channelId: channel.channelId, isQuietInFocus: false },
    body: expect.stringMatching(/^Nowhere: \S.{20,}/),
  });

  await page.goto(`${dashboard.origin}/settings`);
  await page.locator('[data-push="on"]').waitFor();
  // The browser's tools lose a message at times, which a push service would send again. All of them have one tag: one is shown.
  const shown = async () => {
    await deliver(page, worker, fanfare.origin, text);
    return await shownTitles(page);
  };
  await expect
    .poll(shown, { ...WAIT, interval: 1_000 })
    .toMatchObject([{ title, tag: `fanfare-${channel.channelId}` }]);
  await worker.evaluate(`
    self.registration.getNotifications().then(([notification]) =>
      self.dispatchEvent(new NotificationEvent("notificationclick", { notification })))
  `);
  await page.getByRole("heading", { name: "show", exact: true }).waitFor();

  // Alerts that are switched off are not sent either.
  await press(page.getByRole("link", { name: en.app.settings }));
  const ended = page.waitForResponse(
    (response) => response.request().method() === "DELETE" && response.url().endsWith("/dashboard/push"),
  );
  await tick(page.getByLabel(texts.on, { exact: true }), false);
  expect((await ended).status()).toBe(200);
  expect(errors).toEqual([]);
});

test("where the browser's push service cannot be used, the page says so and offers it again", async () => {
  const { context, page, errors, dashboard } = await openStage();
  await context.addInitScript(
    "PushManager.prototype.subscribe = () => Promise.reject(new DOMException('no service', 'AbortError'));",
  );
  await setUp(page, dashboard);
  await page.goto(`${dashboard.origin}/settings`);
  await tick(page.getByLabel(texts.on, { exact: true }));
  expect(await page.locator('[data-push="off"] p').innerText()).toBe(texts.pushStates.off);
  await press(page.getByRole("button", { name: texts.pushOn }));
  await page.locator('[data-push="refused"]').waitFor();
  expect(await page.locator('[data-push="refused"] p').innerText()).toBe(texts.pushStates.refused);
  await takeScreenshot(page, "alerts-push-refused");
  expect(errors).toEqual([]);
});

test("rules go to the server; sign-out and another password end a subscription, and a push service that forgot the browser too", async () => {
  // The password is another one afterwards.
  const { push, fanfare, browser, context, page, errors, dashboard } = await openStage(startServer);
  await context.addInitScript(subscribedAt(browser));
  await setUp(page, dashboard);
  await page.goto(`${dashboard.origin}/settings`);
  await tick(page.getByLabel(texts.on, { exact: true }));
  await press(page.getByRole("button", { name: texts.pushOn }));
  await page.locator('[data-push="on"]').waitFor();
  // The subscription itself is saved by such a request too, and its response may come later than the page shows it.
  const saved = page.waitForResponse(
    (response) => response.request().method() === "PUT" && !response.request().postData()?.includes('"attention"'),
  );
  await tick(page.getByLabel(texts.severities.attention, { exact: true }), false);
  expect((await (await saved).request().postDataJSON()).severities).toEqual(["broken"]);
  await (await saved).finished();

  await page.locator('input[name="old"]').fill(PASSWORD);
  await page.locator('input[name="new"]').fill("another password");
  const again = page.waitForResponse((response) => response.url().endsWith("/dashboard/push"));
  const password = page.locator("section", { hasText: en.settings.newPassword }).last();
  await press(password.getByRole("button", { name: en.common.save }));
  expect((await again).status()).toBe(200);
  push.service.status = 410;
  await press(page.getByRole("button", { name: texts.test }));
  await page.locator(".notice", { hasText: texts.testFailed("HTTP 410") }).waitFor();
  push.service.status = 201;
  await press(page.getByRole("button", { name: texts.test }));
  await page.locator(".notice", { hasText: en.common.refusals["250004"] }).waitFor();

  await page.reload();
  await page.locator('[data-push="on"]').waitFor();
  await tick(page.getByLabel(texts.severities.attention, { exact: true }));
  await press(page.getByRole("button", { name: en.app.signOut }));
  await page.locator('input[name="password"]').waitFor();
  // Signed in again beside the page, which would subscribe once more.
  const ask = (path: string, data: object) =>
    context.request.post(`${dashboard.origin}/dashboard/${path}`, { data, headers: { origin: fanfare.origin } });
  expect((await ask("session", { password: "another password" })).status()).toBe(200);
  expect((await ask("push/test", { endpoint: browser.endpoint })).status()).toBe(404);
  expect(errors).toEqual([]);
});
