import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { INSECURE_NAME, openBrowser, openContext, setUp, watchErrors } from "../../support/dashboard/browser.ts";
import { press, seeShown } from "../../support/dashboard/press.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

/** The text that a paste gives. The probe is inside an open dialog: nothing outside can have the focus. */
async function pasted(page: Page): Promise<string> {
  await page.evaluate(`
    const area = document.createElement("textarea");
    area.id = "probe";
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.focus();
  `);
  await page.keyboard.press("Control+V");
  const text = await page.locator("#probe").inputValue();
  await page.locator("#probe").evaluate((area) => area.remove());
  return text;
}

/** Blocks both interfaces to the clipboard, as a browser's policy may. */
const REFUSE_CLIPBOARD = `
  const writeText = () => Promise.reject(new DOMException("Write permission denied.", "NotAllowedError"));
  Object.defineProperty(navigator, "clipboard", { value: { writeText } });
  document.execCommand = () => false;
`;

test("the button copies on a page without the browser's clipboard, in a dialog too, and selects the text where nothing copies", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("copied", [
    { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") },
  ]);
  const context = await openContext(await openBrowser(stage));
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const errors = watchErrors(page);
  const insecure = { origin: `http://${INSECURE_NAME}:${fanfare.httpPort}`, stdout: fanfare.stdout };
  await setUp(page, insecure);
  expect(await page.evaluate("[isSecureContext, typeof navigator.clipboard]")).toEqual([false, "undefined"]);

  await page.goto(`${insecure.origin}/channels/${channel.channelId}`);
  const copyKey = page.getByRole("button", { name: "Copy: Stream key" });
  await seeShown(page, ".copied", "Copied", () => press(copyKey));
  expect(await pasted(page)).toBe(channel.streamKey);

  await page.goto(`${insecure.origin}/settings`);
  await press(page.locator('section[aria-labelledby="keys-title"] .panel-head button'));
  const dialog = page.locator("dialog[open]");
  await press(dialog.getByRole("button", { name: "Create" }));
  const field = dialog.locator(".copy-field").nth(1);
  await press(field.getByRole("button", { name: "Show: Secret key" }));
  const secret = await field.locator(".copy-value").innerText();
  stage.keepSecret(secret);
  const button = field.getByRole("button", { name: /^Copy/ });
  await seeShown(page, "dialog[open] .copied", "Copied", () => press(button));
  // The focus is still on the button.
  expect(await page.evaluate(`document.activeElement?.getAttribute("aria-label")`)).toBe("Copy: Secret key");
  expect(await pasted(page)).toBe(secret);

  const refused = await context.newPage();
  errors.push(...watchErrors(refused));
  await refused.addInitScript(REFUSE_CLIPBOARD);
  await refused.goto(`${insecure.origin}/channels/${channel.channelId}`);
  await press(refused.getByRole("button", { name: "Copy: Stream key" }));
  await refused.locator(".copied", { hasText: "Not copied" }).waitFor();
  await expect.poll(() => refused.evaluate("String(getSelection())")).toBe(channel.streamKey);
  expect(errors).toEqual([]);
});

test("two servers on one host do not sign each other out", async () => {
  const stage = await Stage.open();
  const [first, second] = await Promise.all(
    ["one", "two"].map((name) => stage.server({ dataFolder: `${stage.folder}/${name}` })),
  );
  const context = await openContext(await openBrowser(stage));
  const page = await context.newPage();
  for (const server of [first, second]) if (server !== undefined) await setUp(page, server.fanfare);
  for (const server of [first, second]) {
    await page.goto(server?.fanfare.origin ?? "");
    await page.locator(".top").waitFor();
  }
});
