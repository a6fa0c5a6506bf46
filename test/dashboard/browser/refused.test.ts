import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { en } from "../../../web/src/text/en.ts";
import { openBrowser, openContext, setUp, takeScreenshot, watchErrors } from "../../support/dashboard/browser.ts";
import { holdFirstAnswer } from "../../support/dashboard/held-calls.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const FROM = "127.0.0.1";

test("an encoder that is refused shows on the page at once, without a request: a wrong key, and the key of a channel that is off", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const platform = { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") };
  const channel = await api.createChannel("refusing", [platform]);
  await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}/off`);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await page.getByRole("heading", { name: "refusing", exact: true }).waitFor();
  await page.getByText(en.events.codes.STREAM_RESERVE).waitFor();
  let reads = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/refused-encoders")) reads += 1;
  });
  const clip = syntheticClip({ seconds: 2 });
  const shown = (text: string) => page.locator(".warnings li", { hasText: text.slice(0, text.indexOf("@")) }).waitFor();
  stage.kitEncoder({ ...channel, streamKey: "no-such-key" }, { clip });
  await shown(en.refused.reasons["unknown-key"](FROM, "@"));
  stage.kitEncoder(channel, { clip });
  await shown(en.refused.reasons["channel-off"](FROM, "@"));
  await page.getByText(en.events.from(en.events.codes.ENCODER_REFUSED, FROM)).waitFor();
  expect(reads).toBe(0);
  await takeScreenshot(page, "refused-encoders");
  const refused = await api.request("GET", "/api/v2/re-stream/refused-encoders");
  expect(refused).toMatchObject([
    { reason: "channel-off", remoteAddress: FROM, channelId: channel.channelId },
    { reason: "unknown-key", remoteAddress: FROM },
  ]);
  expect(errors).toEqual([]);
});

test("a refusal that the stream told while the page read the list stays, where the answer from before comes late", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const platform = { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") };
  const channel = await api.createChannel("late_list", [platform]);
  const page = await (await openContext(await openBrowser(stage), { isPatient: true })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const list = await holdFirstAnswer(page, "**/refused-encoders");
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await list.given;
  stage.kitEncoder({ ...channel, streamKey: "no-such-key" }, { clip: syntheticClip({ seconds: 2 }) });
  const line = page.locator(".warnings li", { hasText: FROM });
  await line.waitFor();
  await list.letGo();
  expect(await line.count()).toBe(1);
  expect(errors).toEqual([]);
});
