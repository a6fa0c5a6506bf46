import { expect, test } from "vitest";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import { openBrowser, openContext, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { press } from "../../../support/dashboard/press.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

test("a row offers what helps: another key, another attempt; a platform that was never on air has no time; a disabled channel waits for nothing", async () => {
  const stage = await Stage.open();
  const healthy = await stage.target();
  const rejecting = await stage.target({ refuse: "bad-name" });
  const closed = await stage.target();
  await closed.close();
  const { fanfare, api } = await sharedServer(stage);
  const platform = (label: string, { port }: { readonly port: number }) => ({
    ...{ label, rtmpUrl: `rtmp://127.0.0.1:${port}/live`, streamKey: uniqueKey(label) },
  });
  const { channelId, ...channel } = await api.createChannel("truth", [
    platform("healthy", healthy),
    platform("rejecting", rejecting),
    platform("closed", closed),
  ]);
  stage.kitEncoder({ channelId, ...channel }, { clip: syntheticClip() });
  const context = await openContext(await openBrowser(stage));
  const page = await context.newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channelId}`);
  const row = (name: string) => page.locator(".platform", { has: page.getByRole("heading", { name, exact: true }) });
  await row("healthy").locator(".state", { hasText: "On air" }).waitFor();
  await row("rejecting").getByText("Stream or key rejected by the platform").waitFor();
  await row("closed").getByText("Connection refused").waitFor();
  await row("healthy").getByText("On air for").waitFor();
  for (const name of ["rejecting", "closed"]) expect(await row(name).getByText("On air for").count()).toBe(0);

  // During an attempt there are others.
  const buttons = async (name: string) => (await row(name).getByRole("button").allInnerTexts()).slice(0, -1);
  await expect.poll(() => buttons("rejecting")).toEqual(["Edit"]);
  await expect.poll(() => buttons("closed")).toEqual(["Retry now"]);
  await press(row("rejecting").getByRole("button", { name: "More for rejecting" }));
  const entries = row("rejecting").getByRole("menuitem");
  await expect.poll(() => entries.allInnerTexts()).toEqual(["Retry now", "Test", "Remove"]);
  await page.keyboard.press("Escape");

  await press(page.getByRole("button", { name: "End broadcast" }));
  await press(page.locator("dialog").getByRole("button", { name: "End broadcast" }));
  const lines = page.locator(".timeline li");
  await lines.filter({ hasText: /Broadcast stopped · in the dashboard$/ }).waitFor();
  await lines.filter({ hasText: /Broadcast ended \(stopped by user\)$/ }).waitFor();
  const cells = page.locator(".report tbody tr");
  await cells.first().waitFor();
  expect(await cells.filter({ hasText: "rejecting" }).locator("td").first().innerText()).toBe("Not on air");
  expect(await cells.filter({ hasText: "healthy" }).locator("td").first().innerText()).toMatch(/\d+ s$/);

  await press(page.getByRole("button", { name: "Disable" }));
  await press(page.locator("dialog").getByRole("button", { name: "Disable" }));
  for (const name of ["healthy", "rejecting", "closed"]) {
    await row(name).locator(".state", { hasText: "Disabled" }).waitFor();
  }
  await page.goto(fanfare.origin);
  const words = page.locator(".pills .state-word");
  await expect.poll(() => words.allInnerTexts()).toEqual(["Disabled", "Disabled", "Disabled"]);
  expect(errors).toEqual([]);
});
