import { expect, test } from "vitest";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import { en } from "../../../../web/src/text/en.ts";
import { enSignIn } from "../../../../web/src/text/panels-en/sign-in.ts";
import { openBrowser, openContext, PASSWORD, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { press } from "../../../support/dashboard/press.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

/** Runs in the page: an interval lasts so many times as long. */
const SLOW_SECONDS = `
  const { setInterval } = globalThis;
  globalThis.setInterval = (run, ms, ...given) => setInterval(run, ms * (globalThis.slowness ?? 1), ...given);
`;

test("who signs out, and is lost to the server right then, is not told to be signed in still", async () => {
  const stage = await Stage.open();
  const { fanfare } = await sharedServer(stage);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  // Every notice that the page ever shows.
  await page.evaluate(`globalThis.notices = [];
    new MutationObserver(() => notices.push(document.querySelector(".notices").textContent))
      .observe(document.querySelector(".notices"), { childList: true, subtree: true, characterData: true })`);
  await page.route("**/dashboard/session", (route) =>
    route.request().method() === "GET" ? route.abort() : route.continue(),
  );
  await press(page.getByRole("button", { name: en.app.signOut }));
  await page.getByText(en.app.unreachable).waitFor();
  await page.unroute("**/dashboard/session");
  await page.getByRole("heading", { name: enSignIn.title }).waitFor();
  expect(await page.evaluate("notices")).toEqual([]);
  expect(errors).toEqual([]);
});

test("a platform that was switched off, and would be sent to for some seconds more, is off when its person signs out", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("leaving", [
    { rtmpUrl: `rtmp://127.0.0.1:${target.port}/live`, streamKey: uniqueKey("a") },
  ]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await page.addInitScript(SLOW_SECONDS);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  const row = page.locator(".platform");
  await row.locator(".state", { hasText: "On air" }).waitFor();
  await page.evaluate("globalThis.slowness = 120");
  await press(row.getByRole("checkbox"));
  await row.getByText("Other server stops in a moment.").waitFor();
  await press(page.getByRole("button", { name: en.app.signOut }));
  await page.getByRole("heading", { name: enSignIn.title }).waitFor();
  expect((await api.platforms(channel.channelId))[0]).toMatchObject({ enabled: false });
  expect(errors).toEqual([]);
});

test("a sign-in that comes to nothing says why: the session could not be read, or the browser keeps no cookie", async () => {
  const stage = await Stage.open();
  const { fanfare } = await sharedServer(stage);
  const context = await openContext(await openBrowser(stage));
  const page = await context.newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  // The session ends below the page.
  await context.clearCookies();
  await page.goto(`${fanfare.origin}/`);
  const password = page.locator('input[name="password"]');
  const signIn = page.getByRole("button", { name: enSignIn.button, exact: true });
  await password.fill(PASSWORD);
  // The answer of a server whose cookie the browser drops.
  const kept = { signedIn: true, needsSetup: false };
  await page.route("**/dashboard/session", (route) =>
    route.request().method() === "POST" ? route.fulfill({ json: kept }) : route.continue(),
  );
  await press(signIn);
  await page.getByText(enSignIn.notKept).waitFor();
  await page.unroute("**/dashboard/session");
  await password.fill(PASSWORD);
  await press(signIn);
  await page.locator(".top").waitFor();

  await context.clearCookies();
  await press(page.getByRole("link", { name: en.app.settings }));
  const again = page.locator("dialog.sign-in-again");
  await again.locator('input[name="password"]').fill(PASSWORD);
  await page.route("**/dashboard/session", (route) =>
    route.request().method() === "GET" ? route.abort() : route.continue(),
  );
  await press(again.locator('button[type="submit"]'));
  await again.getByText(en.common.network).waitFor();
  await page.unroute("**/dashboard/session");
  await again.locator('input[name="password"]').fill(PASSWORD);
  await press(again.locator('button[type="submit"]'));
  await again.waitFor({ state: "detached" });
  expect(errors).toEqual([]);
});

test("a browser in which cookies are blocked shows the page, and says at the sign-in what it lacks", async () => {
  const stage = await Stage.open();
  const { fanfare } = await sharedServer(stage);
  const browser = await openBrowser(stage);
  await setUp(await (await openContext(browser)).newPage(), fanfare);
  const context = await openContext(browser);
  // With cookies blocked, browsers throw at each use of a page's storage.
  await context.addInitScript(`Object.defineProperty(globalThis, "localStorage", {
    get() { throw new DOMException("Access is denied for this document.", "SecurityError"); },
  })`);
  // The answer of a server whose cookie the browser drops.
  const kept = { signedIn: true, needsSetup: false };
  await context.route("**/dashboard/session", (route) =>
    route.request().method() === "POST" ? route.fulfill({ json: kept }) : route.continue(),
  );
  const page = await context.newPage();
  const errors = watchErrors(page);
  await page.goto(fanfare.origin);
  await page.locator('input[name="password"]').fill(PASSWORD);
  await page.getByLabel(en.app.theme).selectOption("dark");
  await page.locator('html[data-theme="dark"]').waitFor();
  await press(page.getByRole("button", { name: enSignIn.button, exact: true }));
  await page.getByText(enSignIn.notKept).waitFor();
  expect(errors).toEqual([]);
});
