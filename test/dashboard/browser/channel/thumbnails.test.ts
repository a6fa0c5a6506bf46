import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import {
  expectAccessible,
  INSECURE_NAME,
  openBrowser,
  openContext,
  setUp,
  watchErrors,
} from "../../../support/dashboard/browser.ts";
import { press } from "../../../support/dashboard/press.ts";
import { waitFor } from "../../../support/processes/waiting.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";
import { codecClip } from "../../../support/streams/codec-clip.ts";

const DEADLINE_MS = 20_000;
/** Runs in the page: how many colours the first thumbnail has. */
const COLOURS = `(() => {
  const canvas = document.querySelector(".thumb canvas");
  if (canvas === null || canvas.width === 0) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
})()`;

/** Runs in the page: the state and the text of each thumbnail, and where it is. */
const SHOWN = `[...document.querySelectorAll(".thumb")].map((one) =>
  [one.dataset.state, one.textContent, Math.round(one.getBoundingClientRect().top), innerHeight].join(" "))`;
/** Runs in the page: brings the first thumbnail into sight. */
const SCROLL = `document.querySelector(".thumb")?.scrollIntoView({ block: "center", behavior: "instant" })`;

/**
 * Scrolls to the first thumbnail until it is drawn. It is drawn while it is in sight alone, and a page that was opened just
 * before its channel was on air has it below the keys.
 */
async function isDrawn(page: Page): Promise<void> {
  let shown: unknown;
  await waitFor(
    "a thumbnail",
    DEADLINE_MS,
    async () => {
      shown = await page.evaluate(SHOWN);
      await page.evaluate(SCROLL);
      return Number(await page.evaluate(COLOURS)) > 20 ? true : undefined;
    },
    () => JSON.stringify(shown),
  );
}

test("a channel on air has a thumbnail in cards, in the list and on its page, and the page asks for it every ten seconds", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const browser = await openBrowser(stage);
  const page = await (await openContext(browser)).newPage();
  const errors = watchErrors(page);
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/keyframe")) asked.push(request.url());
  });
  await setUp(page, fanfare);
  const channel = await api.createChannel("thumbnails", [{ rtmpUrl: target.url, streamKey: uniqueKey("a") }]);
  const { channelId } = await api.createChannel("off_air", [{ rtmpUrl: target.url, streamKey: uniqueKey("b") }]);
  const encoder = stage.kitEncoder(channel, { clip: syntheticClip() });
  await isDrawn(page);
  expect(await page.locator(".thumb").count()).toBe(1);
  expect(asked.filter((url) => url.includes(channelId))).toEqual([]);
  await expectAccessible(page, "cards with a thumbnail");
  await press(page.getByRole("button", { name: "List" }));
  await isDrawn(page);

  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await isDrawn(page);
  await expectAccessible(page, "channel page");

  // One at once, then one every ten seconds: an answer each three seconds would be many more.
  await page.goto(fanfare.origin);
  await isDrawn(page);
  const before = asked.length;
  await waitFor("the next one", DEADLINE_MS, () => asked.length > before || undefined);
  expect(asked.length).toBe(before + 1);
  expect(errors).toEqual([]);
  await encoder.stop("clean");
  await page.locator(".thumb").waitFor({ state: "detached" });
});

/** What Debian's Chromium says of keyframes where it is no secure context; undefined: it draws them. */
const CODECS = [
  ["H.264", async () => syntheticClip(), undefined],
  ["AV1", (folder: string) => codecClip(folder, "av1"), undefined],
  ["HEVC", (folder: string) => codecClip(folder, "hevc"), "No video here: this browser can't decode HEVC."],
] as const;

test("a page that is no secure context draws what a video element decodes, and names a codec that the browser lacks", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  const origin = `http://${INSECURE_NAME}:${fanfare.httpPort}`;
  await setUp(page, { origin, stdout: fanfare.stdout });
  expect(await page.evaluate("[isSecureContext, 'VideoDecoder' in globalThis]")).toEqual([false, false]);
  for (const [codec, clipOf, problem] of CODECS) {
    const channel = await api.createChannel(`plain_${codec.replace(/\W/g, "")}`, [
      { rtmpUrl: target.url, streamKey: uniqueKey("a") },
    ]);
    const encoder = stage.kitEncoder(channel, { clip: await clipOf(stage.folder) });
    await page.goto(`${origin}/channels/${channel.channelId}`);
    await page.locator(".thumb").waitFor();
    if (problem === undefined) await isDrawn(page);
    else await page.getByText(problem).waitFor();
    await encoder.stop("clean");
  }
  expect(errors).toEqual([]);
});

test("a hidden tab asks for no picture, and asks again when it is shown; less motion means no animation", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const context = await openContext(await openBrowser(stage), { motion: "no-preference" });
  const page = await context.newPage();
  await setUp(page, fanfare);
  const channel = await api.createChannel("hidden", [{ rtmpUrl: target.url, streamKey: uniqueKey("a") }]);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await page.locator(".icon-spinner").first().waitFor();
  const running = () => page.evaluate("document.getAnimations().filter((one) => one.playState === 'running').length");
  await expect.poll(running).toBeGreaterThan(0);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await expect.poll(running).toBe(0);

  stage.kitEncoder(channel, { clip: syntheticClip() });
  await page.addInitScript(`
    Object.defineProperty(document, "hidden", { get: () => globalThis.isTabHidden === true });
    globalThis.setHidden = (isHidden) => {
      globalThis.isTabHidden = isHidden;
      document.dispatchEvent(new Event("visibilitychange"));
    };
  `);
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/keyframe")) asked.push(request.url());
  });
  await page.clock.install();
  await page.goto(fanfare.origin);
  await isDrawn(page);
  await page.evaluate("setHidden(true)");
  const before = asked.length;
  await page.clock.runFor(60_000);
  expect(asked.length).toBe(before);
  await page.evaluate("setHidden(false)");
  await page.clock.runFor(1_000);
  await waitFor("the next one", DEADLINE_MS, () => asked.length > before || undefined);
});
