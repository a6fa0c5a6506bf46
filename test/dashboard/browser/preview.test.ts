import { expect, test } from "vitest";
import { z } from "zod";
import { openBrowser, openContext, setUp, watchErrors } from "../../support/browser.ts";
import { GROUP_SECONDS, longGroupClip } from "../../support/long-group-clip.ts";
import { Stage, uniqueKey } from "../../support/stage.ts";
import { stalledPreview } from "../../support/stalled-viewer.ts";
import { waitFor } from "../../support/waiting.ts";

const DEADLINE_MS = 20_000;
/** HTMLMediaElement: a frame is there. */
const HAVE_CURRENT_DATA = 2;

/** How many may watch one channel's preview. */
const PLACES = 4;
/** Runs in the page. */
const VIDEO_STATE = `(({ readyState, videoWidth, videoHeight, currentTime }) =>
  ({ readyState, videoWidth, videoHeight, currentTime }))(document.querySelector("video"))`;
const videoState = z.object({
  readyState: z.int(),
  videoWidth: z.int(),
  videoHeight: z.int(),
  currentTime: z.number(),
});

test("the preview shows a frame at once, plays on, and stops, and a preview without a free place says so", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await stage.server();
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const channel = await api.createChannel("preview", [{ rtmpUrl: target.url, streamKey: uniqueKey("a") }]);
  const clip = await longGroupClip(stage.folder);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  const encoder = stage.kitEncoder(channel, { clip });
  const sentMs = () => encoder.report.lastTimestamp ?? 0;
  await waitFor("half a second", DEADLINE_MS, () => sentMs() > 500 || undefined);

  await page.getByRole("button", { name: "Show preview" }).click();
  await page.locator("video").waitFor();
  const shown = async () => videoState.parse(await page.evaluate(VIDEO_STATE));
  const first = await waitFor("a frame", DEADLINE_MS, async () => {
    const now = await shown();
    return now.readyState >= HAVE_CURRENT_DATA ? now : undefined;
  });
  expect(sentMs()).toBeLessThan(GROUP_SECONDS * 1_000);
  expect(first).toMatchObject({ videoWidth: 320, videoHeight: 180 });
  await waitFor(
    "a second of it",
    DEADLINE_MS,
    async () => (await shown()).currentTime > first.currentTime + 1 || undefined,
  );

  await page.getByRole("button", { name: "Stop preview" }).click();
  await page.locator("video").waitFor({ state: "detached" });
  const path = `/api/v2/re-stream/channels/${channel.channelId}/preview-token`;
  const url = fanfare.origin + z.object({ url: z.string() }).parse(await api.request("POST", path)).url;
  for (let count = 0; count < PLACES; count += 1) {
    // The page's own place becomes free a moment after it left.
    await waitFor("a place", DEADLINE_MS, async () => (await stalledPreview(stage, url)) || undefined);
  }
  await page.getByRole("button", { name: "Show preview" }).click();
  await page.getByRole("alert").filter({ hasText: "The preview can't be played." }).waitFor();
  expect(target.connections).toHaveLength(1);
  expect(errors).toEqual([]);
});
