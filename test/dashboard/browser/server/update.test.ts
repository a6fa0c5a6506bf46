import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { build } from "vite";
import { expect, test } from "vitest";
import config from "../../../../web/vite.config.ts";
import { openBrowser, openContext, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { press } from "../../../support/dashboard/press.ts";
import { ROOT } from "../../../support/processes/fanfare-process.ts";
import { Stage } from "../../../support/stages/stage.ts";

/** Longer than the age at which a page counts as current, in milliseconds. */
const OPENED_AGO_MS = 60_000;

/** Installs the server and its dashboard in a folder of their own. */
async function install(root: string): Promise<void> {
  await mkdir(root);
  for (const name of ["src", "dist-web", "package.json"])
    await cp(join(ROOT, name), join(root, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(root, "node_modules"));
}

/** Builds the dashboard as an update would: no file has its old name. */
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

/** The page's scripts. */
const scripts = (page: Page) =>
  page.locator("script").evaluateAll((all) => all.map((each) => each.getAttribute("src")));

test("an old page reloads after an update when it needs a file that is gone; a lost server is shown", async () => {
  const stage = await Stage.open();
  const root = join(stage.folder, "installed");
  await install(root);
  const { fanfare } = await stage.server({ root });
  const browser = await openBrowser(stage);
  const first = await openContext(browser);
  await setUp(await first.newPage(), fanfare);
  // A second browser context, whose cache does not have what the first page loaded.
  const context = await openContext(browser);
  await context.addCookies(await first.cookies());
  await context.clock.install();
  const [page, other] = [await context.newPage(), await context.newPage()];
  const errors = watchErrors(page);
  for (const tab of [page, other]) {
    await tab.goto(fanfare.origin);
    await tab.getByText("Create your first channel").waitFor();
  }
  const before = await scripts(page);
  await context.clock.fastForward(OPENED_AGO_MS);

  await fanfare.stop();
  await press(page.getByRole("button", { name: "New channel" }));
  await page.locator(".notice", { hasText: "The server can't be reached." }).waitFor();
  expect(await scripts(page)).toEqual(before);

  await update(root);
  await fanfare.restart();
  await page.locator('[data-stream="connected"]').waitFor();
  await press(page.getByRole("link", { name: "Settings" }));
  await page.getByRole("heading", { name: "Access keys" }).waitFor();
  expect(await scripts(page)).toEqual([expect.stringContaining("-updated0.js")]);

  // Another language is a file too.
  expect(await scripts(other)).toEqual(before);
  await other.locator("header select").first().selectOption("ko");
  await other.getByText("첫 채널 만들기").waitFor();
  expect(await scripts(other)).toEqual([expect.stringContaining("-updated0.js")]);
  expect(errors).toEqual([]);
});
