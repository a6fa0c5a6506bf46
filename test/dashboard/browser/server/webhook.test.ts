import { expect, test } from "vitest";
import { openBrowser, openContext, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { press, seeShown } from "../../../support/dashboard/press.ts";
import { WebhookReceiver } from "../../../support/processes/webhook-receiver.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

test("a saved webhook can be tested on the page, deliveries name their channel, and the timeline says who did it", async () => {
  const stage = await Stage.open();
  const receiver = await WebhookReceiver.start();
  stage.onClose(() => receiver.close());
  const { fanfare, api } = await stage.server();
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/settings`);
  const section = page.locator("section", { has: page.getByRole("heading", { name: "Default webhook" }) });
  await section.getByText("Nothing has been sent yet.").waitFor();
  const sendTest = section.getByRole("button", { name: "Send test" });
  expect(await sendTest.count()).toBe(0);
  await section.locator('input[name="callbackUrl"]').fill(`http://127.0.0.1:${receiver.port}/hook`);
  await press(section.getByRole("button", { name: "Save" }));
  await seeShown(page, ".notice", "Test sent: the receiver returned 200.", () => press(sendTest));
  expect(receiver.received).toHaveLength(1);

  const platform = { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("closed"), label: "Closed" };
  const { channelId } = await api.createChannel("friday", [platform]);
  await expect.poll(() => receiver.received.length).toBe(2);
  await page.reload();
  await section.locator("tbody tr", { hasText: "friday" }).filter({ hasText: "Channel created" }).waitFor();

  // A receiver that is gone.
  await receiver.close();
  await press(sendTest);
  await page.getByText("Test failed: connection failed.").waitFor();

  await page.goto(`${fanfare.origin}/channels/${channelId}`);
  await press(page.locator(".platform").getByRole("button", { name: "Test", exact: true }));
  const lines = page.locator(".timeline li");
  await lines.filter({ hasText: "Closed failed a test (address not allowed) · in the dashboard" }).waitFor();
  await lines.filter({ hasText: "Channel created · with access key" }).waitFor();
  // A delivery about a platform names it.
  await page.goto(`${fanfare.origin}/settings`);
  await section.locator("tbody tr", { hasText: "Platform tested" }).getByText("friday · Closed").waitFor();
  expect(errors).toEqual([]);
});
