import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { openBrowser, openContext, PASSWORD, setupLink, watchErrors } from "../../support/browser.ts";
import { Stage, uniqueKey } from "../../support/stage.ts";
import { waitFor } from "../../support/waiting.ts";

/** No page has more stops than this between two things. */
const STOPS_MAX = 60;

const NAME_OF_FOCUS = `(({ activeElement: on }) =>
  on?.getAttribute("name") ?? on?.getAttribute("aria-label") ?? (on === document.body ? "" : on?.textContent) ?? "")(document)`;

/** What is painted on the canvas of the first platform's line; empty text where nothing is. */
const PAINTING = `(() => {
  const canvas = document.querySelector(".platform .rate-line canvas");
  const pixels = canvas?.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data ?? [];
  return pixels.some((value) => value > 0) ? canvas.toDataURL() : "";
})()`;

/** Presses Tab until what has this name, or this field, has the focus. */
async function tabTo(page: Page, wanted: string): Promise<void> {
  const seen: string[] = [];
  for (let stop = 0; stop < STOPS_MAX; stop += 1) {
    await page.keyboard.press("Tab");
    // Asked at once: between two pages nothing has the focus, and a locator would wait for something that has.
    const name = String(await page.evaluate(NAME_OF_FOCUS));
    if (name.trim() === wanted) return;
    seen.push(name);
  }
  throw new Error(`Tab never comes to ${wanted}: ${seen.join(", ")}`);
}

test("from the printed link to a green platform, by keyboard alone: password, channel, key, encoder", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const secureUrl = "rtmps://live.example.com/relay";
  const { fanfare, api } = await stage.server({ environment: { FANFARE_SECURE_PUBLISH_URL: secureUrl } });
  const browser = await openBrowser(stage);
  const page = await (await openContext(browser)).newPage();
  const errors = watchErrors(page);
  const keyboard = page.keyboard;

  await page.goto(setupLink(fanfare));
  await page.locator('input[name="repeat"]').waitFor();
  await tabTo(page, "password");
  await keyboard.type(PASSWORD);
  await tabTo(page, "repeat");
  await keyboard.type(PASSWORD);
  await keyboard.press("Enter");

  await page.getByText("Your first channel").waitFor();
  await tabTo(page, "New channel");
  await keyboard.press("Enter");
  // The dialog begins at the name; the platforms are one stop, chosen by arrow keys.
  await page.locator(".presets").waitFor();
  await keyboard.type("my_show");
  await tabTo(page, "targetName");
  await keyboard.press("ArrowUp");
  await page.locator('input[name="rtmpUrl"]').waitFor();
  await tabTo(page, "rtmpUrl");
  await keyboard.type(`rtmp://127.0.0.1:${target.port}/live`);
  await tabTo(page, "streamKey");
  await keyboard.type(uniqueKey("first"));
  await keyboard.press("Enter");

  await page.getByRole("heading", { name: "my_show" }).waitFor();
  await page.getByText("Waiting for your encoder").waitFor();
  const [made] = (await api.request("GET", "/api/v2/re-stream/channels")) as { channelId: string }[];
  const channel = await api.channel(made?.channelId ?? "");
  // The key is hidden until asked for, and then it is the one that works.
  const encoder = page.locator("section", { hasText: "Waiting for your encoder" });
  expect(await encoder.innerText()).not.toContain(channel.streamKey);
  for (const url of [channel.publishUrl, secureUrl]) await encoder.getByText(url, { exact: true }).waitFor();
  await encoder.getByRole("button", { name: "Copy: Server, encrypted (RTMPS)" }).waitFor();
  await tabTo(page, "Show: Stream key");
  await keyboard.press("Space");
  await encoder.getByText(channel.streamKey).waitFor();

  stage.kitEncoder(channel, { clip: syntheticClip({ seconds: 110 }) });
  await page.locator(".platform .state", { hasText: "On air" }).waitFor();
  // The line moves: something is painted, and a second later something else.
  const painted = async () => String(await page.evaluate(PAINTING));
  const first = await waitFor("a line", 10_000, async () => (await painted()) || undefined);
  await waitFor("a line that moves", 10_000, async () => ((await painted()) === first ? undefined : true));
  expect(target.connections).toHaveLength(1);

  // Off and on again.
  await tabTo(page, "Send to Other server");
  await keyboard.press("Space");
  await page.locator(".platform .state", { hasText: "Switched off" }).waitFor();
  await keyboard.press("Space");
  await page.locator(".platform .state", { hasText: "On air" }).waitFor();
  expect(errors).toEqual([]);
});
