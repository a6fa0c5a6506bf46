import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { maskPassword } from "../../../../src/api-contract/masks.ts";
import {
  expectAccessible,
  openBrowser,
  openContext,
  PASSWORD,
  setUp,
  watchErrors,
} from "../../../support/dashboard/browser.ts";
import { press } from "../../../support/dashboard/press.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

const PLATFORM_PASSWORD = "platform-password-71ac";
const INGEST_PASSWORD = "ingest-password-90fe";

/** Whether the text is anywhere in the page: its HTML, or what its fields hold. */
const isInPage = async (page: Page, text: string): Promise<boolean> =>
  (await page.evaluate(`
    document.documentElement.outerHTML.includes(${JSON.stringify(text)}) ||
    [...document.querySelectorAll("input, textarea, select")].some((field) => field.value.includes(${JSON.stringify(text)}))
  `)) === true;

const clipboardOf = (page: Page) => page.evaluate("navigator.clipboard.readText()");

async function expectNowhere(page: Page, secrets: readonly string[], where: string): Promise<void> {
  for (const secret of secrets) expect([where, secret, await isInPage(page, secret)]).toEqual([where, secret, false]);
}

const pressButton = (place: Page | Locator, name: string) => press(place.getByRole("button", { name, exact: true }));

test("keys and passwords are masked in every form, not in the page before they are shown, and can be copied unseen", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const platformKey = uniqueKey("platform");
  for (const secret of [platformKey, PLATFORM_PASSWORD, INGEST_PASSWORD]) stage.keepSecret(secret);
  const { channelId } = await api.createChannel("secrets", [
    { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: platformKey, id: "me", password: PLATFORM_PASSWORD },
  ]);
  const path = `/api/v2/re-stream/channels/${channelId}`;
  await api.request("PUT", path, {
    backup: { enabled: true },
    ingestAuth: { id: "studio", password: INGEST_PASSWORD },
  });
  const channel = await api.channel(channelId);
  const backupKey = String(channel["backupStreamKey"]);
  stage.keepSecret(backupKey);
  const all = [channel.streamKey, backupKey, platformKey, PLATFORM_PASSWORD, INGEST_PASSWORD];

  const context = await openContext(await openBrowser(stage));
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await expectNowhere(page, all, "overview");
  await page.goto(`${fanfare.origin}/channels/${channelId}`);
  await page.locator(".platform").waitFor();
  for (const folded of await page.locator("details summary").all()) await press(folded);
  await expectNowhere(page, all, "channel");

  // The encoder's keys.
  await pressButton(page, "Copy: Backup stream key");
  await expect.poll(() => clipboardOf(page)).toBe(backupKey);
  await expectNowhere(page, all, "a copied key");
  await pressButton(page, "Show: Stream key");
  expect(await isInPage(page, channel.streamKey)).toBe(true);
  await pressButton(page, "Hide: Stream key");
  await expectNowhere(page, all, "a hidden key");

  // A platform's key and password: kept when a person does not touch them.
  const dialog = page.locator("dialog");
  const open = async () => {
    await press(page.getByRole("button", { name: "More for" }).last());
    await press(page.getByRole("menuitem", { name: "Edit" }));
    await press(dialog.locator("details summary"));
  };
  const save = async () => {
    await pressButton(dialog, "Save");
    await dialog.waitFor({ state: "detached" });
  };
  const stored = async () => {
    const [platform] = await api.platforms(channelId);
    return { key: platform?.["streamKey"], password: platform?.["password"], label: platform?.["label"] };
  };
  await open();
  await expectNowhere(page, all, "the edited platform");
  await expectAccessible(page, "the edited platform");
  await pressButton(dialog, "Copy: Stream key");
  await expect.poll(() => clipboardOf(page)).toBe(platformKey);
  await dialog.locator('input[name="label"]').fill("Renamed");
  await save();
  // The API shows a password's mask alone.
  expect(await stored()).toEqual({ key: platformKey, password: maskPassword(PLATFORM_PASSWORD), label: "Renamed" });

  // Shown, hidden again, and shown for a change.
  await open();
  const key = dialog.locator('input[name="streamKey"]');
  const password = dialog.locator('input[name="password"]');
  for (const field of [key, password]) expect(await field.getAttribute("type")).toBe("password");
  await pressButton(dialog, "Show: Stream key");
  expect([await key.inputValue(), await key.getAttribute("type")]).toEqual([platformKey, "text"]);
  await pressButton(dialog, "Hide: Stream key");
  await expectNowhere(page, all, "a platform's hidden key");
  expect(await dialog.getByRole("button", { name: "Password" }).count()).toBe(0);
  await password.fill("typed");
  await pressButton(dialog, "Show: Password (optional)");
  expect([await password.inputValue(), await password.getAttribute("type")]).toEqual(["typed", "text"]);
  const nextKey = uniqueKey("next");
  stage.keepSecret(nextKey);
  await key.fill(nextKey);
  await password.fill("");
  await save();
  expect(await stored()).toEqual({ key: nextKey, password: undefined, label: "Renamed" });

  // What a person types is masked too.
  await pressButton(page, "Add platform");
  expect(await dialog.locator('input[name="streamKey"]').getAttribute("type")).toBe("password");
  expect(await dialog.getByRole("button", { name: "Copy: Stream key" }).count()).toBe(0);
  await page.keyboard.press("Escape");

  // A new access key: once, and masked.
  await page.goto(`${fanfare.origin}/settings`);
  await press(page.getByRole("button", { name: "New access key" }));
  await pressButton(dialog, "Create");
  await pressButton(dialog, "Copy: Secret key");
  const secretKey = await expect
    .poll(() => clipboardOf(page))
    .not.toBe(platformKey)
    .then(() => clipboardOf(page));
  stage.keepSecret(String(secretKey));
  await expectNowhere(page, [String(secretKey)], "a new access key");
  await pressButton(dialog, "Show: Secret key");
  expect(await isInPage(page, String(secretKey))).toBe(true);
  await page.keyboard.press("Escape");

  await page.locator('input[name="old"]').fill(PASSWORD);
  expect(await page.locator('input[name="old"]').getAttribute("type")).toBe("password");
  await pressButton(page, "Show: Current password");
  expect(await page.locator('input[name="old"]').getAttribute("type")).toBe("text");
  expect(errors).toEqual([]);
});
