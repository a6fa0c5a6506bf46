import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { enAuditWords as words } from "../../../../src/api-contract/audit/en-audit-words.ts";
import { createFanfareClient } from "../../../../src/client/client.ts";
import { en } from "../../../../web/src/text/en.ts";
import { ko } from "../../../../web/src/text/ko.ts";
import {
  expectAccessible,
  openBrowser,
  openContext,
  setUp,
  takeScreenshot,
  watchErrors,
} from "../../../support/dashboard/browser.ts";
import { press } from "../../../support/dashboard/press.ts";
import { Stage } from "../../../support/stages/stage.ts";

test("a person makes an access key on the page; what is done with it is in the change history, filtered and exported", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const page = await (await openContext(await openBrowser(stage), { timezoneId: "Asia/Seoul" })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await press(page.getByRole("link", { name: en.app.settings }));
  await press(page.getByRole("button", { name: en.settings.newKey }));
  const dialog = page.getByRole("dialog");
  await dialog.locator('input[name="name"]').fill("deploy bot");
  await press(dialog.getByRole("button", { name: en.common.create }));
  const reveal = dialog.getByRole("button", { name: en.common.show });
  await press(reveal.last());
  const shown = await dialog
    .locator("input, code")
    .evaluateAll((all) => all.map((each) => ("value" in each ? String(each.value) : (each.textContent ?? ""))));
  const secretKey = shown.find((text) => /^[A-Za-z0-9]{40}$/.test(text)) ?? "";
  expect(secretKey).not.toBe("");

  // A program with that key.
  const client = createFanfareClient({ server: fanfare.origin, secretKey, userAgent: "fanfare-cli/test" });
  const platform = {
    targetName: "YOUTUBE" as const,
    rtmpUrl: "rtmp://a.rtmp.youtube.com/live2",
    streamKey: "hidden-stream-key",
  };
  const planType = "STANDARD" as const;
  const body = { channelName: "history_1", planType, restream: [platform] };
  expect((await client.POST("/re-stream/channels", { body })).response.status).toBe(200);
  const [made] = (await api.request("GET", "/api/v2/audit?action=createAccessKey")) as { readonly subject: string }[];

  await page.keyboard.press("Escape");
  await press(page.getByRole("link", { name: en.app.audit }));
  const rows = page.locator("tbody tr");
  await rows.filter({ hasText: words.actions.createChannel }).waitFor();
  await expect.poll(() => page.title()).toBe(`${en.app.audit} – Fanfare`);
  const created = await rows.filter({ hasText: words.actions.createChannel }).innerText();
  expect(created).toContain(`access key "deploy bot" ${made?.subject}`);
  expect(created).toContain("command line");
  expect(await rows.filter({ hasText: words.actions.createAccessKey }).innerText()).toContain("secret");
  expect(await page.content()).not.toContain("hidden-stream-key");

  await page.getByRole("combobox", { name: "Change" }).selectOption(words.actions.setUpDashboard);
  await rows.filter({ hasText: words.actions.createAccessKey }).waitFor({ state: "detached" });
  expect(await rows.allInnerTexts()).toMatchObject([expect.stringContaining(words.actors["set-up"])]);
  await page.getByRole("combobox", { name: "Change" }).selectOption("");
  await page.getByRole("combobox", { name: "Who" }).selectOption("deploy bot");
  await rows.filter({ hasText: words.actions.setUpDashboard }).waitFor({ state: "detached" });
  expect(await rows.count()).toBe(1);
  const exported = async (format: string) => {
    const download = page.waitForEvent("download");
    await press(page.getByRole("button", { name: `Export ${format}` }));
    return readFile(await (await download).path(), "utf8");
  };
  expect(JSON.parse(await exported("JSON"))).toMatchObject([{ action: "createChannel", client: "cli" }]);
  const csv = await exported("CSV");
  expect(csv).toMatch(/^\uFEFFtime \(Asia\/Seoul\),action,.*\r\n[-\d]{10} [:\d]{8},createChannel,Channel created,/);
  expect(csv.trimEnd().split("\r\n")).toHaveLength(2);
  await page.getByRole("combobox", { name: "Who" }).selectOption("");
  await rows.filter({ hasText: words.actions.setUpDashboard }).waitFor();

  for (const [language, title, width] of [
    ["en", en.app.audit, 1_280],
    ["ko", ko.app.audit, 390],
  ] as const) {
    await page.setViewportSize({ width, height: 860 });
    await page.locator("select", { has: page.locator('option[value="ko"]') }).selectOption(language);
    await page.getByRole("heading", { name: title }).waitFor();
    await page.emulateMedia({ colorScheme: language === "ko" ? "dark" : "light", reducedMotion: "reduce" });
    await expectAccessible(page, `change history, ${language}`);
    await takeScreenshot(page, `audit-${language}`);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  }
  expect(errors).toEqual([]);
});
