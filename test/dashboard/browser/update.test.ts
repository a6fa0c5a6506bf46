import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { build } from "vite";
import { expect, test } from "vitest";
import config from "../../../web/vite.config.ts";
import { openBrowser, openContext, setUp, watchErrors } from "../../support/browser.ts";
import { ROOT } from "../../support/fanfare-process.ts";
import { Stage } from "../../support/stage.ts";

/** Longer ago than a page that its own server could have broken: in milliseconds. */
const OPENED_AGO_MS = 60_000;

/** The server and its dashboard, installed in a folder of their own. */
async function install(root: string): Promise<void> {
  await mkdir(root);
  for (const name of ["src", "dist-web", "package.json"])
    await cp(join(ROOT, name), join(root, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(root, "node_modules"));
}

/** The same dashboard as the next version would have it: none of its files is called as before. */
async function update(root: string): Promise<void> {
  const names = "assets/[name]-updated0.js";
  const output = { ...config.build.rolldownOptions.output, entryFileNames: names, chunkFileNames: names };
  const outDir = join(root, "dist-web");
  await build({
    ...config,
    configFile: false,
    logLevel: "error",
    build: { ...config.build, outDir, rolldownOptions: { output } },
  });
}

/** What of the page's own scripts is loaded now. */
const scripts = (page: Page) =>
  page.locator("script").evaluateAll((all) => all.map((each) => each.getAttribute("src")));

test("a page of before an update is loaded anew when it needs a file that is gone; a lost server is told", async () => {
  const stage = await Stage.open();
  const root = join(stage.folder, "installed");
  await install(root);
  const { fanfare } = await stage.server({ root });
  const browser = await openBrowser(stage);
  const first = await openContext(browser);
  await setUp(await first.newPage(), fanfare);
  // A browser of its own: what that page loaded is not in its cache.
  const context = await openContext(browser);
  await context.addCookies(await first.cookies());
  await context.clock.install();
  const [page, other] = [await context.newPage(), await context.newPage()];
  const errors = watchErrors(page);
  for (const tab of [page, other]) {
    await tab.goto(fanfare.origin);
    await tab.getByText("Your first channel").waitFor();
  }
  const before = await scripts(page);
  await context.clock.fastForward(OPENED_AGO_MS);

  await fanfare.stop();
  await page.getByRole("button", { name: "New channel" }).click();
  await page.locator(".notice", { hasText: "the server could not be reached" }).waitFor();
  expect(await scripts(page)).toEqual(before);

  await update(root);
  await fanfare.restart();
  await page.locator('[data-stream="live"]').waitFor();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("heading", { name: "Access keys" }).waitFor();
  expect(await scripts(page)).toEqual([expect.stringContaining("-updated0.js")]);

  // Another language is a file, too.
  expect(await scripts(other)).toEqual(before);
  await other.locator("header select").first().selectOption("ko");
  await other.getByText("첫 채널 만들기").waitFor();
  expect(await scripts(other)).toEqual([expect.stringContaining("-updated0.js")]);
  expect(errors).toEqual([]);
});
