import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { expectAccessible, openBrowser, openContext, setUp, watchErrors } from "../../support/dashboard/browser.ts";
import { press } from "../../support/dashboard/press.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

async function exported(page: Page, button: string) {
  const download = page.waitForEvent("download");
  await press(page.getByRole("button", { name: button }));
  const file = await download;
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
}

/** Parses CSV as in RFC 4180: quoted cells, doubled quotes, CRLF at the end of each line. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  const cells = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  while (cells.lastIndex < text.length) {
    const match = cells.exec(text);
    if (match === null) throw new Error(`no CSV: ${text.slice(0, 300)}`);
    rows.at(-1)?.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] !== ",") rows.push([]);
  }
  return rows.slice(0, -1);
}

test("the timeline is exported as JSON and CSV: all pages, filtered; no cell is a formula, and quotes stay in their cells", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const channel = await api.createChannel("exports", [
    { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") },
  ]);
  const path = `/api/v2/re-stream/channels/${channel.channelId}`;
  // More than one page of the export.
  for (let change = 0; change < 104; change += 1) await api.request("PUT", path, { hold: { seconds: change } });
  const browser = await openBrowser(stage);
  const page = await (await openContext(browser, { timezoneId: "Asia/Seoul" })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await page.locator(".timeline li").first().waitFor();
  await expectAccessible(page, "a long timeline");
  // One page of events, and the next one on demand.
  const lines = page.locator(".timeline li");
  expect(await lines.count()).toBe(20);
  await press(page.getByRole("button", { name: "Show older events" }));
  await lines.nth(39).waitFor();
  expect(await lines.count()).toBe(40);

  const stored = [
    ...((await api.request("GET", `${path}/events?pageNo=1&pageSizeNo=100`)) as { description: string }[]),
    ...((await api.request("GET", `${path}/events?pageNo=2&pageSizeNo=100`)) as { description: string }[]),
  ];
  expect(stored.length).toBeGreaterThan(100);
  const json = await exported(page, "Export JSON");
  expect(json.name).toBe("exports.json");
  expect(JSON.parse(json.text)).toEqual(stored);

  const csv = await exported(page, "Export CSV");
  expect(csv.name).toBe("exports.csv");
  expect(csv.text.startsWith("\uFEFF")).toBe(true);
  const [head, ...rows] = readCsv(csv.text.slice(1));
  expect(head?.join()).toBe(
    "timestamp (Asia/Seoul),logLevel,eventCode,platId,targetName,label,from,to,reason,by,description",
  );
  expect(rows.map((row) => row.at(-1))).toEqual(stored.map(({ description }) => description));

  await page.getByRole("combobox", { name: "Show" }).selectOption("problems");
  expect(JSON.parse((await exported(page, "Export JSON")).text)).toEqual([]);

  // No event has such a description today, but names of channels and platforms may get into one.
  const descriptions = [
    '=HYPERLINK("http://example.com","click")',
    "+1+1",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "＝1+1",
    'a "quoted", and\r\nbroken line',
    "plain = text",
  ];
  const events = descriptions.map((description, index) => ({
    logLevel: "INFO",
    eventCode: "STREAM_UPDATE",
    description,
    timestamp: Date.UTC(2026, 0, 2, 3, 4, 5),
    channelId: channel.channelId,
    id: 1_000_000 - index,
    reason: "settings-changed",
  }));
  await page.route("**/events?pageNo=*", (route) => route.fulfill({ json: { content: events, total: events.length } }));
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await page
    .locator(".timeline li")
    .nth(events.length - 1)
    .waitFor();
  const [, ...crafted] = readCsv((await exported(page, "Export CSV")).text.slice(1));
  expect(crafted.map((row) => row.at(-1))).toEqual([
    ...descriptions.slice(0, 6).map((text) => `'${text}`),
    ...descriptions.slice(6),
  ]);
  expect(crafted[0]?.slice(0, 9)).toEqual([
    "2026-01-02 12:04:05",
    "INFO",
    "STREAM_UPDATE",
    ...["", "", "", "", ""],
    "settings-changed",
  ]);
  expect(errors).toEqual([]);
});
