import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/clip.ts";
import { expectAccessible, openBrowser, openContext, setUp, watchErrors } from "../../support/browser.ts";
import { Stage } from "../../support/stage.ts";

test("from the printed link to a green platform: password, channel, key, encoder", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await stage.server();
  const browser = await openBrowser(stage);
  const page = await (await openContext(browser)).newPage();
  const errors = watchErrors(page);

  await setUp(page, fanfare);
  await page.getByRole("button", { name: "New channel" }).click();
  await page.getByLabel("Channel name").fill("my_show");
  await page.locator('input[value="CUSTOM"]').check();
  await page.locator('input[name="rtmpUrl"]').fill(`rtmp://127.0.0.1:${target.port}/live`);
  await page.locator('input[name="streamKey"]').fill("a-first-key");
  await page.getByRole("button", { name: "Create", exact: true }).click();

  await page.getByRole("heading", { name: "my_show" }).waitFor();
  await page.getByText("Waiting for your encoder").waitFor();
  const [made] = (await api.request("GET", "/api/v2/re-stream/channels")) as { channelId: string }[];
  const channel = await api.channel(made?.channelId ?? "");
  // The key is hidden until asked for, and then it is the one that works.
  const encoder = page.locator("section", { hasText: "Waiting for your encoder" });
  expect(await encoder.innerText()).not.toContain(channel.streamKey);
  await encoder.getByRole("button", { name: "Show: Stream key" }).click();
  expect(await encoder.innerText()).toContain(channel.streamKey);

  stage.kitEncoder(channel, { clip: syntheticClip({ seconds: 60 }) });
  const row = page.locator(".platform").first();
  await row.locator(".state", { hasText: "On air" }).waitFor();
  await page.locator(".platform .rate-line path.line[d^='M']").waitFor();
  await expectAccessible(page, "a channel on air");
  expect(errors).toEqual([]);
});
