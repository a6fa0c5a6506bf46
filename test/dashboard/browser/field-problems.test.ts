import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { hintOf, MISSING_HINT } from "../../../src/api-contract/input/hints.ts";
import { NOT_AVAILABLE } from "../../../src/api-contract/input/not-available.ts";
import { en } from "../../../web/src/text/en.ts";
import { ko } from "../../../web/src/text/ko.ts";
import { enSignIn } from "../../../web/src/text/panels-en/sign-in.ts";
import { koSignIn } from "../../../web/src/text/panels-ko/sign-in.ts";
import {
  expectAccessible,
  openBrowser,
  openContext,
  PASSWORD,
  setUp,
  setupLink,
  takeScreenshot,
  watchErrors,
} from "../../support/dashboard/browser.ts";
import { press, tick } from "../../support/dashboard/press.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

/** The control of this name shows these words, is marked, and has the focus. */
async function expectProblem(place: Page | Locator, name: string, words: string): Promise<void> {
  const control = place.locator(`[name="${name}"]`);
  const problem = place.locator(`.field:has([name="${name}"]) > .problem`);
  await problem.getByText(words, { exact: true }).waitFor();
  expect(await control.getAttribute("aria-invalid"), name).toBe("true");
  const described = (await control.getAttribute("aria-describedby"))?.split(" ") ?? [];
  expect(described, name).toContain(await problem.getAttribute("id"));
  await expect.poll(() => place.locator(`[name="${name}"]:focus`).count()).toBe(1);
}

/** The control has no problem any more. */
async function expectFine(place: Page | Locator, name: string): Promise<void> {
  await expect.poll(() => place.locator(`[name="${name}"]`).getAttribute("aria-invalid")).toBeNull();
}

test.each([
  ["ko-KR", ko, koSignIn, "light", 390],
  ["en-US", en, enSignIn, "dark", 1_280],
] as const)(
  "in %s every form shows its error in words beside the field, before it sends and after",
  async (locale, texts, signIn, colorScheme, width) => {
    const stage = await Stage.open();
    const { fanfare, api } = await stage.server();
    const key = uniqueKey("fields");
    const channel = await api.createChannel("fields", [{ rtmpUrl: "rtmps://127.0.0.1:9/live", streamKey: key }]);
    const other = await api.createChannel("other", [
      { rtmpUrl: "rtmps://127.0.0.1:9/live", streamKey: uniqueKey("o") },
    ]);
    const otherPassword = uniqueKey("other-password");
    stage.keepSecret(otherPassword);
    const otherUrl = `/api/v2/re-stream/channels/${other.channelId}`;
    await api.request("PUT", otherUrl, { ingestAuth: { id: "studio", password: otherPassword } });
    const browser = await openBrowser(stage);
    const page = await (await openContext(browser, { locale, colorScheme, width })).newPage();
    const errors = watchErrors(page);
    const { problems } = texts;
    const language = locale === "ko-KR" ? "hintKo" : "hint";
    /** The server's text for a rule, in the page's language. */
    const hint = (rule: string): string => hintOf(rule)?.[language] ?? `no hint for ${rule}`;

    // The first page: too short, then not the same.
    await page.goto(setupLink(fanfare));
    await page.locator('input[name="password"]').fill("short");
    await press(page.locator('button[type="submit"]'));
    await expectProblem(page, "password", problems.tooShort(8));
    await page.locator('input[name="password"]').fill(PASSWORD);
    await expectFine(page, "password");
    await page.locator('input[name="repeat"]').fill(`${PASSWORD}!`);
    await press(page.locator('button[type="submit"]'));
    await expectProblem(page, "repeat", signIn.mismatch);
    await expectAccessible(page, "set-up");
    await setUp(page, fanfare);

    // A new channel: nothing typed, then one problem after the other, none of which is sent.
    await press(page.getByRole("button", { name: texts.overview.create }));
    const dialog = page.locator("dialog");
    const submit = dialog.locator('button[type="submit"]');
    await tick(dialog.getByRole("radio").last());
    await dialog.locator('input[name="rtmpUrl"]').waitFor();
    await press(submit);
    await expectProblem(dialog, "channelName", problems.missing);
    await dialog.locator('input[name="channelName"]').fill("x".repeat(81));
    await dialog.locator('input[name="rtmpUrl"]').fill("https://example.com/live");
    await press(submit);
    await expectProblem(dialog, "channelName", problems.channelName["too-long"]);
    await expectAccessible(page, "the dialog of a new channel");
    await takeScreenshot(page, `field-problems-${locale}-${colorScheme}-${width}`, false);
    // Errors that only the server finds come back to their field, in the page's language, one field after the other.
    await dialog.locator('input[name="channelName"]').fill("🎤 무대");
    await dialog.locator('input[name="streamKey"]').fill("rtmp://a.example/live");
    await press(submit);
    await expectProblem(dialog, "rtmpUrl", hint("an address that begins with rtmp:// or rtmps://"));
    await dialog.locator('input[name="rtmpUrl"]').fill("rtmp://a..b/live");
    await press(submit);
    await expectProblem(dialog, "rtmpUrl", hint("a host without two dots in a row"));
    await dialog.locator('input[name="rtmpUrl"]').fill("rtmp://a.example/live");
    await press(submit);
    await expectProblem(dialog, "streamKey", hint("the platform's key; this is its address, with no key behind it"));
    await page.keyboard.press("Escape");

    // The settings: folded fields are unfolded, numbers have their bounds, and a name in use is reported at the name.
    await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
    const settings = page.locator("section", { has: page.getByRole("heading", { name: texts.settings.channelTitle }) });
    const save = settings.locator('button[type="submit"]').first();
    await settings.locator('input[name="hold"]').fill("1801");
    await press(save);
    await expectProblem(settings, "hold", problems.wholeNumber("0", "1800"));
    await settings.locator('input[name="hold"]').fill("120");
    const advanced = settings.getByText(texts.common.advanced);
    await press(advanced);
    await settings.locator('input[name="freezeVideo"]').fill("3");
    await press(advanced);
    await press(save);
    await expectProblem(settings, "freezeVideo", hint("0, or a whole number of seconds from 5 to 600"));
    await settings.locator('input[name="freezeVideo"]').fill("10");
    await settings.locator('input[name="ingestId"]').fill("a b");
    await press(save);
    await expectProblem(settings, "ingestId", hint("a name without blanks and & ? # = / : @"));
    await settings.locator('input[name="ingestId"]').fill("studio");
    await press(save);
    await expectProblem(settings, "ingestPassword", MISSING_HINT[language]);
    await settings.locator('input[name="ingestPassword"]').fill(`mine-${otherPassword}`);
    await press(save);
    await expectProblem(settings, "ingestId", NOT_AVAILABLE["ingest-login-taken"][language === "hint" ? 2 : 3]);

    // A webhook, and the password: the old one is wrong.
    await page.goto(`${fanfare.origin}/settings`);
    const webhook = page.locator("section", { has: page.getByRole("heading", { name: texts.settings.webhook }) });
    await webhook.locator('input[name="callbackUrl"]').fill("ftp://example.com");
    await press(webhook.locator('button[type="submit"]'));
    await expectProblem(webhook, "callbackUrl", hint("an address that begins with http:// or https://"));
    await webhook.locator('input[name="callbackUrl"]').fill("https://-a-.example.com/hook");
    await press(webhook.locator('button[type="submit"]'));
    await expectProblem(webhook, "callbackUrl", hint("a host whose parts neither begin nor end with a hyphen"));
    const password = page.locator("section", { has: page.locator('[name="old"]') });
    await password.locator('input[name="old"]').fill("not the password");
    await password.locator('input[name="new"]').fill(`${PASSWORD}2`);
    await press(password.locator('button[type="submit"]'));
    await expectProblem(password, "old", signIn.wrong);
    await expectAccessible(page, "settings");
    expect(await api.channels()).toHaveLength(2);
    expect(errors).toEqual([]);
  },
);
