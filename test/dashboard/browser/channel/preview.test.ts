import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import type { KitEncoder } from "../../../../src/testkit/encoder/encoder.ts";
import { expectAccessible, openBrowser, openContext, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { clickByMouse, press } from "../../../support/dashboard/press.ts";
import { waitFor } from "../../../support/processes/waiting.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";
import { GROUP_SECONDS, longGroupClip } from "../../../support/streams/long-group-clip.ts";
import { stalledPreview } from "../../../support/targets/stalled-viewer.ts";

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

test("the preview is open, shows a frame at once and plays on, stays closed when closed, and reports a missing place", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const page = await (await openContext(await openBrowser(stage), { preview: "open" })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const channel = await api.createChannel("preview", [{ rtmpUrl: target.url, streamKey: uniqueKey("a") }]);
  const clip = await longGroupClip(stage.folder);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);

  const shown = async () => videoState.parse(await page.evaluate(VIDEO_STATE));
  /** Returns the first frame, unless a keyframe came between the request and it: such a one is no proof. */
  const opened = async (open: () => KitEncoder | Promise<KitEncoder>) => {
    const asked = page.waitForRequest(/\/preview-token$/);
    const encoder = await open();
    const group = () => Math.floor((encoder.report.lastTimestamp ?? 0) / (GROUP_SECONDS * 1_000));
    await asked;
    const askedIn = group();
    await page.locator("video").waitFor();
    const frame = await waitFor("a frame", DEADLINE_MS, async () => {
      const now = await shown();
      return now.readyState >= HAVE_CURRENT_DATA ? now : undefined;
    });
    return { encoder, frame: group() === askedIn ? frame : undefined };
  };
  const { encoder, frame } = await opened(() => stage.kitEncoder(channel, { clip }));
  const again = async () => {
    const reloaded = await opened(async () => {
      await page.reload();
      return encoder;
    });
    return reloaded.frame;
  };
  const first = frame ?? (await waitFor("a frame of the group that is under way", DEADLINE_MS, again));
  expect(first).toMatchObject({ videoWidth: 320, videoHeight: 180 });
  await waitFor(
    "a second of it",
    DEADLINE_MS,
    async () => (await shown()).currentTime > first.currentTime + 1 || undefined,
  );

  await press(page.getByRole("button", { name: "Stop preview" }));
  await page.locator("video").waitFor({ state: "detached" });
  await page.getByRole("img", { name: "Last frame of the incoming stream" }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Show preview" }).waitFor();
  expect(await page.locator("video").count()).toBe(0);
  const path = `/api/v2/re-stream/channels/${channel.channelId}/preview-token`;
  const url = fanfare.origin + z.object({ url: z.string() }).parse(await api.request("POST", path)).url;
  for (let count = 0; count < PLACES; count += 1) {
    // The page's own place becomes free a moment after it left.
    await waitFor("a place", DEADLINE_MS, async () => (await stalledPreview(stage, url)) || undefined);
  }
  await press(page.getByRole("button", { name: "Show preview" }));
  await page.getByRole("status").filter({ hasText: "The preview has no room for another viewer" }).waitFor();
  await page.getByRole("img", { name: "Last frame of the incoming stream" }).waitFor();
  expect(target.connections).toHaveLength(1);
  expect(errors).toEqual([]);
});

test("the meter shows the level of the audio while the preview is muted, and a person can listen", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const page = await (
    await openContext(await openBrowser(stage), { preview: "open", locale: "ko-KR", colorScheme: "dark" })
  ).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const channel = await api.createChannel("meter", [{ rtmpUrl: target.url, streamKey: uniqueKey("a") }]);
  const audio = { sampleRate: 48_000, channels: 2, isTone: true } as const;
  const encoder = stage.kitEncoder(channel, { clip: syntheticClip({ audio }) });
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  // A browser measures nothing before a person did something on the page.
  await page.locator("video").waitFor();
  await clickByMouse(page.locator("h1"));
  const meter = page.getByRole("meter", { name: "오디오 레벨" });
  await meter.waitFor();
  const level = async () => Number(await meter.evaluate((element) => (element as { value?: number }).value));
  const loud = await waitFor("a level", DEADLINE_MS, async () => {
    const now = await level();
    return now > -60 ? now : undefined;
  });
  expect(loud).toBeLessThan(0);
  await expect.poll(() => meter.getAttribute("aria-valuetext")).toMatch(/^-\d+ dBFS$/);
  await expectAccessible(page, "preview with a meter");
  await press(page.getByRole("button", { name: "소리 켜기" }));
  await press(page.getByRole("button", { name: "음소거" }));
  await page.getByRole("button", { name: "소리 켜기" }).waitFor();

  // While a hold runs, the meter falls to silence and the page says why: nothing stands still at the last level.
  await encoder.stop("reset");
  await page.getByText("송출 유지 중: 인코더에서 오디오가 들어오지 않습니다.").waitFor();
  await waitFor("silence", DEADLINE_MS, async () =>
    (await meter.getAttribute("aria-valuetext")) === "무음" ? true : undefined,
  );
  expect(await level()).toBe(-60);
  expect(errors).toEqual([]);
});

test("the first press on a page begins the meter, and moves no button of the preview away under the mouse", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const context = await openContext(await openBrowser(stage), { preview: "open" });
  // A page that a program opens counts as one in which a person pressed something.
  await context.addInitScript(
    'Object.defineProperty(navigator, "userActivation", { value: { hasBeenActive: false } })',
  );
  const page = await context.newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const channel = await api.createChannel("press", [{ rtmpUrl: target.url, streamKey: uniqueKey("a") }]);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await page.getByText("Click anywhere or press a key to measure the audio.").waitFor();
  const places = async () => {
    const buttons = page.locator(".preview button");
    return Promise.all((await buttons.all()).map((button) => button.boundingBox()));
  };
  const before = await places();
  expect(before).toHaveLength(3);
  await clickByMouse(page.locator("h1"));
  await page.getByRole("meter", { name: "Audio level" }).waitFor();
  expect(await places()).toEqual(before);
  expect(errors).toEqual([]);
});
