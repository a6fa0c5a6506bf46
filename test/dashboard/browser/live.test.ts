import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { openBrowser, openContext, setUp, watchErrors } from "../../support/dashboard/browser.ts";
import { press } from "../../support/dashboard/press.ts";
import { tellStream } from "../../support/dashboard/told-stream.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

test("two tabs see every change over one connection; an edit on air moves one platform; a lost server is shown, and its return", async () => {
  const stage = await Stage.open();
  const first = await stage.target();
  const second = await stage.target();
  const steady = await stage.target();
  // Only one event stream is allowed: a second connection of this browser would be refused.
  const { fanfare, api } = await stage.server({ environment: { FANFARE_EVENT_STREAMS_PER_KEY: "1" } });
  const browser = await openBrowser(stage);
  const context = await openContext(browser);
  const page = await context.newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const channel = await api.createChannel("two_tabs", [
    { rtmpUrl: `rtmp://127.0.0.1:${first.port}/live`, streamKey: uniqueKey("a") },
    { rtmpUrl: `rtmp://127.0.0.1:${steady.port}/live`, streamKey: uniqueKey("b") },
  ]);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  await page.locator(".card .rate-line").waitFor();
  const other = await context.newPage();
  await other.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  const onAir = other.locator(".platform .state", { hasText: "On air" });
  await onAir.nth(1).waitFor();
  // An edit reconnects only its own platform.
  const steadyBefore = steady.connections.length;
  await press(other.getByRole("button", { name: "Edit" }).first());
  await other.locator('dialog input[name="rtmpUrl"]').fill(`rtmp://127.0.0.1:${second.port}/live`);
  await press(other.locator("dialog").getByRole("button", { name: "Save" }));
  await other.locator("dialog").waitFor({ state: "detached" });
  await waitFor("the new target's connection", 10_000, () => (second.connections.length > 0 ? true : undefined));
  await onAir.nth(1).waitFor();
  expect(steady.connections.length).toBe(steadyBefore);

  // A change over the API: both tabs show it.
  await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}`, { channelName: "renamed" });
  await other.getByRole("heading", { name: "renamed" }).waitFor();
  await page.locator(".card-name", { hasText: "renamed" }).waitFor();

  await fanfare.stop();
  for (const tab of [page, other]) await tab.locator(".trouble").waitFor();
  await fanfare.restart();
  for (const tab of [page, other]) await tab.locator('[data-stream="connected"]').waitFor();
  await other.locator(".trouble").waitFor({ state: "detached" });
  // The report of the broadcast that ended when the server stopped.
  const report = other.locator(".report", { hasText: "server shut down" });
  await report.waitFor();
  expect(await report.locator("tbody tr").count()).toBe(2);
  // A page that the browser kept and shows again has lost its way to the connection: it loads anew.
  await other.evaluate(
    "window.isOld = true; window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))",
  );
  await expect.poll(() => other.evaluate("window.isOld === undefined").catch(() => false)).toBe(true);
  await report.waitFor();
  expect(errors).toEqual([]);
});

test("a new broadcast begins without the rates of the former one", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("again", [{ rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") }]);
  const time = Date.now();
  const of = (channelName: string, recentPublishStartTime: number) => ({
    ...{ ...channel, channelName, isPublishing: true, platforms: [], recentPublishStartTime },
    ingest: {
      ...{ ingestId: 1, state: "LIVE", source: "main", encoder: "OBS", remoteAddress: "192.0.2.7" },
      ...{ bytesTotal: 0, checkState: "checking", warnings: [] },
    },
  });
  const sample = { channelId: channel.channelId, time, ingest: { bytesPerSecond: 1_000_000 }, platforms: [] };
  const told = [
    ["snapshot", { time, channels: [of("former", time - 60_000)] }],
    ["sample", sample],
    ["channel", of("new", time)],
  ] as const;
  const context = await openContext(await openBrowser(stage));
  const page = await context.newPage();
  const errors = watchErrors(page);
  await tellStream(page, () => told);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await page.getByRole("heading", { level: 1, name: "new" }).waitFor();
  expect(await page.locator(".rate-now").innerText()).toBe("–");
  expect(await page.locator(".totals b").allInnerTexts()).toEqual(["0 kbit/s", "0 kbit/s"]);
  expect(errors).toEqual([]);
});
