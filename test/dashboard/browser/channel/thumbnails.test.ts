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
import { waitFor } from "../../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

const DEADLINE_MS = 20_000;
/** Runs in the page: how many colours the first thumbnail has. */
const COLOURS = `(() => {
  const canvas = document.querySelector(".thumb canvas");
  if (canvas === null || canvas.width === 0) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
})()`;

const isDrawn = (page: Page) =>
  waitFor("a thumbnail", DEADLINE_MS, async () => (Number(await page.evaluate(COLOURS)) > 20 ? true : undefined));

test("a channel on air has a thumbnail in cards, in the list and on its page, and the page asks for it every ten seconds", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await stage.server();
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
  await page.getByRole("button", { name: "List" }).click();
  await isDrawn(page);

  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await page.getByRole("button", { name: "Stop preview" }).click();
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

test("a page that is no secure context says that it cannot draw", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await stage.server({ environment: { FANFARE_ALLOWED_HOSTS: INSECURE_NAME } });
  const page = await (await openContext(await openBrowser(stage))).newPage();
  await setUp(page, { origin: `http://${INSECURE_NAME}:${fanfare.httpPort}`, stdout: fanfare.stdout });
  const channel = await api.createChannel("plain", [{ rtmpUrl: target.url, streamKey: uniqueKey("a") }]);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  await page.getByText("No video here: browsers decode it over HTTPS only.").waitFor();
});
