import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import { openBrowser, openContext, PASSWORD, setupLink, watchErrors } from "../../../support/dashboard/browser.ts";
import { seeShown } from "../../../support/dashboard/press.ts";
import { waitFor } from "../../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

/** No page has more tab stops than this between two controls. */
const STOPS_MAX = 60;

const NAME_OF_FOCUS = `(({ activeElement: on }) =>
  on?.getAttribute("name") ?? on?.getAttribute("aria-label") ?? (on === document.body ? "" : on?.textContent) ?? "")(document)`;

/** The canvas of the first platform's line as a data URL, or "" while nothing is painted. */
const PAINTING = `(() => {
  const canvas = document.querySelector(".platform .rate-line canvas");
  const pixels = canvas?.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data ?? [];
  return pixels.some((value) => value > 0) ? canvas.toDataURL() : "";
})()`;

/** Presses Tab until the control or field of this name has the focus. */
async function tabTo(page: Page, wanted: string): Promise<void> {
  const seen: string[] = [];
  for (let stop = 0; stop < STOPS_MAX; stop += 1) {
    await page.keyboard.press("Tab");
    // Read at once: between two pages nothing has the focus, and a locator would wait.
    const name = String(await page.evaluate(NAME_OF_FOCUS));
    if (name.trim() === wanted) return;
    seen.push(name);
  }
  throw new Error(`Tab never reaches ${wanted}: ${seen.join(", ")}`);
}

test("a person gets from the printed link to a green platform, by keyboard alone: password, channel, key, encoder", async () => {
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

  await page.getByText("Create your first channel").waitFor();
  await tabTo(page, "New channel");
  await keyboard.press("Enter");
  // The dialog focuses the name. The platforms are one stop: arrow keys choose among them.
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
  const [created] = (await api.request("GET", "/api/v2/re-stream/channels")) as { channelId: string }[];
  const channel = await api.channel(created?.channelId ?? "");
  // The key is hidden until it is asked for.
  const encoder = page.locator("section", { hasText: "Waiting for your encoder" });
  expect(await encoder.innerText()).not.toContain(channel.streamKey);
  for (const url of [channel.publishUrl, secureUrl]) await encoder.getByText(url, { exact: true }).waitFor();
  await encoder.getByRole("button", { name: "Copy: Encrypted server (RTMPS)" }).waitFor();
  await tabTo(page, "Show: Stream key");
  await keyboard.press("Space");
  await encoder.getByText(channel.streamKey).waitFor();

  stage.kitEncoder(channel, { clip: syntheticClip() });
  await page.locator(".platform .state", { hasText: "On air" }).waitFor();
  // The line moves: its canvas changes from one second to the next.
  const painted = async () => String(await page.evaluate(PAINTING));
  const first = await waitFor("a line", 10_000, async () => (await painted()) || undefined);
  await waitFor("a line that moves", 10_000, async () => ((await painted()) === first ? undefined : true));
  expect(target.connections).toHaveLength(1);

  // Off and on again.
  await tabTo(page, "Send to Other server");
  await seeShown(page, ".undo", "Other server stops in a moment.", () => keyboard.press("Space"));
  await page.locator(".platform .state", { hasText: /^Off$/ }).waitFor();
  await keyboard.press("Space");
  await page.locator(".platform .state", { hasText: "On air" }).waitFor();
  expect(errors).toEqual([]);
});
