import { expect, test } from "vitest";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import { openBrowser, openContext, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { waitFor } from "../../../support/processes/waiting.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

const DEADLINE_MS = 20_000;

test("a removed platform keeps its name in the timeline and the report, in both languages", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const rtmpUrl = `rtmp://127.0.0.1:${target.port}/live`;
  const channel = await api.createChannel("removed", [
    { targetName: "YOUTUBE", rtmpUrl, streamKey: uniqueKey("kind") },
    { targetName: "TWITCH", label: "Second stage", rtmpUrl, streamKey: uniqueKey("label") },
  ]);
  const path = `/api/v2/re-stream/channels/${channel.channelId}`;
  const watch = stage.watch(api, channel);
  const encoder = stage.kitEncoder(channel, { clip: syntheticClip() });
  for (const place of [0, 1])
    await watch.until(place, ({ connectStatus }) => connectStatus === "PUBLISHING", DEADLINE_MS);
  await watch.stop();
  for (const { platId } of await api.platforms(channel.channelId))
    await api.request("DELETE", `${path}/platforms/${platId}`);
  await encoder.stop("clean");

  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  const lines = page.locator(".timeline li");
  await lines.filter({ hasText: "Broadcast ended" }).waitFor();
  await page.locator(".report tbody tr").nth(1).waitFor();
  const sentences = async () => (await lines.locator("> span").allInnerTexts()).join("\n");
  const reported = () => page.locator(".report tbody th").allInnerTexts();
  // The end may come over the live stream before what is stored was read.
  for (const sentence of ["is on air", "removed"])
    for (const name of ["YouTube", "Second stage"]) await expect.poll(sentences).toContain(`${name} ${sentence}`);
  await expect.poll(async () => (await reported()).toSorted()).toEqual(["Second stage", "YouTube"]);

  await page.locator("header select").first().selectOption("ko");
  await page.locator('html[lang="ko"]').waitFor();
  await waitFor(
    "Korean names",
    DEADLINE_MS,
    async () => (await sentences()).includes("유튜브: 플랫폼이 제거되었습니다") || undefined,
  );
  expect(await sentences()).toContain("Second stage: 플랫폼이 제거되었습니다");
  expect((await reported()).toSorted()).toEqual(["Second stage", "유튜브"]);
  expect(await sentences()).not.toContain("제거된 플랫폼");
  expect(errors).toEqual([]);
});
