import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import {
  expectAccessible,
  openBrowser,
  openContext,
  setUp,
  takeScreenshot,
  watchErrors,
} from "../../../support/dashboard/browser.ts";
import { press, tick } from "../../../support/dashboard/press.ts";
import { freePort } from "../../../support/processes/free-port.ts";
import { publishUrl, Stage, uniqueKey } from "../../../support/stages/stage.ts";
import { makeClip } from "../../../support/streams/clip.ts";
import { makeFile } from "../../../support/streams/made-files.ts";

/** Each language, theme and width once. */
const LOOKS = [
  ["en-US", "light", 1_280, "Open", "QR code for SRT"],
  ["ko-KR", "dark", 390, "열기", "SRT용 QR 코드"],
] as const;
/** Two servers, as the API lists them. Several real ones need a PostgreSQL server. */
const NODES = [
  {
    ...{ incarnation: 7, nodeId: "seoul-1", version: "0.1.0", nodeState: "SERVING", isSelf: true, heardSecondsAgo: 1 },
    ...{ channelCount: 3, egressBitsPerSecond: 24_600_000, capacityBitsPerSecond: 900_000_000 },
    ...{ loopDelayMilliseconds: 2, relayedCount: 0 },
  },
  { incarnation: 8, nodeId: "seoul-2", version: "0.1.0", nodeState: "SILENT", isSelf: false },
  { incarnation: 9, nodeId: "seoul-3", version: "0.1.0", nodeState: "SERVING", isSelf: false, channelCount: 0 },
];
const MOVE = /^(Move channels|채널 옮기기)$/;

const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** The times of a platform that is off now: a day that is neither today nor near it. */
const closedNow = () => ({
  open: [{ days: [DAYS[(new Date().getUTCDay() + 3) % DAYS.length] ?? ""], startAt: "10:00", endAt: "11:00" }],
  timeZone: "UTC",
});

async function expectNoOverflow(page: Page): Promise<void> {
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
}

test("a file is uploaded, a recording begins on air, and these panels suit both languages, a phone and a desk", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await stage.server({ environment: { FANFARE_SRT_PORT: `${await freePort()}` } });
  const late = await stage.target();
  const channel = await api.createChannel("panels", [
    { rtmpUrl: target.url, streamKey: uniqueKey("panels") },
    { rtmpUrl: late.url, streamKey: uniqueKey("late"), label: "Late", delaySeconds: 300 },
    { rtmpUrl: late.url, streamKey: uniqueKey("closed"), label: "Closed", windows: closedNow() },
  ]);
  stage.keepSecret(channel.streamKey);
  await stage.ffmpeg(await makeClip({ seconds: 6 }), publishUrl(channel), { loops: true });
  const browser = await openBrowser(stage);
  const context = await openContext(browser);
  const page = await context.newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const path = `${fanfare.origin}/channels/${channel.channelId}`;
  await page.goto(path);

  await press(page.getByRole("region", { name: "Sources and slate" }).getByRole("button", { name: "Open" }));
  const library = page.getByRole("region", { name: "Files on this server" });
  await library.getByText("No files yet.").waitFor();
  const file = await makeFile(stage.folder, "opening film.mp4", { seconds: 3 });
  await library.getByLabel("Upload a file").setInputFiles(file);
  const listed = library.getByRole("listitem").filter({ hasText: "opening film.mp4" });
  await listed.getByText("0:03 · 640×360 · h264 · aac").waitFor();
  await press(listed.getByRole("button", { name: "Add to playlist" }));
  const playlist = page.getByRole("region", { name: "Playlist" });
  await playlist.getByText("1. opening film.mp4").waitFor();
  const pull = page.getByRole("region", { name: "Pull from an address" });
  await pull.getByLabel("Address of the stream").fill("ftp://example.com/");
  await press(pull.getByRole("button", { name: "Use this address" }));
  await pull.getByText("Start the address with rtmp://").waitFor();
  await pull.getByLabel("Address of the stream").fill("rtsp://camera:hidden-word@192.0.2.7/1");
  await press(pull.getByRole("button", { name: "Use this address" }));
  await pull.getByText("rtsp://camera:****@192.0.2.7/1").waitFor();
  await page.getByText("No files chosen.").waitFor();
  const slate = page.getByRole("region", { name: "Slate" });
  await slate.getByLabel("Picture or clip").selectOption({ label: "opening film.mp4" });
  await slate.getByRole("button", { name: "Show slate" }).waitFor();

  const encoder = page.getByRole("region", { name: "Encoder" });
  await press(encoder.getByRole("button", { name: "New SRT passphrase" }));
  const dialog = page.getByRole("dialog");
  await press(dialog.getByRole("button", { name: "Save" }));
  // It has a button of the same name, and is in the same region.
  await dialog.waitFor({ state: "hidden" });
  await press(encoder.getByRole("button", { name: "Show: SRT passphrase" }));
  const passphrase = String((await api.channel(channel.channelId))["srtPassphrase"]);
  stage.keepSecret(passphrase);
  expect(passphrase).toMatch(/^[\w-]{24}$/);
  await encoder.getByText(passphrase, { exact: true }).waitFor();
  await press(encoder.getByRole("button", { name: "Show: SRT server with the key" }));
  await encoder.getByText(`?streamid=publish:${channel.streamKey}&passphrase=${passphrase}`).waitFor();
  const schedules = page.getByRole("region", { name: "Schedule", exact: true });
  await press(schedules.getByRole("button", { name: "Open" }));
  await schedules.getByText("No schedules yet.").waitFor();
  await press(schedules.getByRole("button", { name: "Add schedule" }));
  const form = page.getByRole("dialog", { name: "Add schedule" });
  await form.getByLabel("Name (optional)").fill("Evening film");
  await tick(form.getByLabel("opening film.mp4"));
  await form.getByLabel("Repeat").selectOption({ label: "Every week" });
  await tick(form.getByLabel("Fri"));
  await form.getByLabel("Start", { exact: true }).fill("20:00");
  await form.getByLabel("Time zone").fill("Mars");
  await press(form.getByRole("button", { name: "Save" }));
  await form.getByLabel("Time zone").and(page.locator("[aria-invalid=true]")).waitFor();
  await form.getByLabel("Time zone").fill("Asia/Seoul");
  await expectAccessible(page, "the form of a schedule");
  await press(form.getByRole("button", { name: "Save" }));
  await schedules.getByText("Every week · Fri · 20:00 · Asia/Seoul").waitFor();
  await schedules.getByText(/^Next: .* · .* · /).waitFor();
  await press(schedules.getByRole("button", { name: "Pause Evening film" }));
  await schedules.getByText("Paused", { exact: true }).waitFor();

  const recordings = page.getByRole("region", { name: "Recordings" });
  await recordings.getByText("No recordings yet.").waitFor();
  await press(recordings.getByLabel("Record broadcasts"));
  await recordings.getByText("Recording now").waitFor();
  await recordings.getByText("avc 360p, aac ×2").waitFor();
  expect(target.connections).toHaveLength(1);

  const row = (name: string) => page.locator(".platform").filter({ has: page.getByRole("heading", { name }) });
  expect(await row("Closed").locator(".platform-head .state").innerText()).toBe("Off");
  await row("Closed").getByText("Off: outside its set times.").waitFor();
  await row("Late")
    .getByText(/^Filling the delay/)
    .waitFor();
  expect(late.connections).toEqual([]);

  await press(page.getByRole("link", { name: "Settings" }));
  await press(page.getByRole("button", { name: "Add contact" }));
  const contact = page.getByRole("dialog", { name: "Add contact" });
  await contact.getByLabel("Name").fill("on call");
  await contact.getByLabel("Kind").selectOption({ label: "E-mail" });
  await contact.getByLabel("E-mail addresses").fill("duty@example.com");
  await tick(contact.getByLabel("panels", { exact: true }));
  await expectAccessible(page, "the form of a contact");
  await press(contact.getByRole("button", { name: "Save" }));
  await page.getByRole("row", { name: "on call" }).waitFor();
  expect(await api.request("GET", "/api/v2/events/contacts")).toMatchObject([
    { contactName: "on call", mailTo: ["duty@example.com"], channelIds: [channel.channelId], enabled: true },
  ]);
  await page.goto(path);

  const storageState = await context.storageState();
  for (const [locale, colorScheme, width, open, qr] of LOOKS) {
    const name = `panels-${locale}-${colorScheme}-${width}`;
    const looking = await openContext(browser, { locale, colorScheme, width, storageState });
    await looking.route("**/api/v2/nodes", (route) => route.fulfill({ json: { content: NODES } }));
    const moves: unknown[] = [];
    await looking.route("**/api/v2/nodes/7/move", (route) => {
      moves.push(route.request().postDataJSON());
      const stays = {
        channelId: channel.channelId,
        stayReason: "TEST_PATTERN",
        message: "It stays.",
        messageKo: "남음.",
      };
      return route.fulfill({ json: { content: { ...NODES[0], movingCount: 2, staying: [stays] } } });
    });
    const shown = await looking.newPage();
    const faults = watchErrors(shown);
    await shown.goto(path);
    for (const panel of ["source-title", "schedules-title"])
      await press(shown.locator(`[aria-labelledby=${panel}]`).getByRole("button", { name: open, exact: true }));
    await shown.getByText("Evening film").waitFor();
    await press(shown.getByRole("button", { name: qr }));
    await shown.locator(".qr-code").waitFor();
    await shown.locator("[aria-labelledby=library-title] img").waitFor();
    await shown.locator("#recordings-title ~ *").first().waitFor();
    await expectAccessible(shown, name);
    await expectNoOverflow(shown);
    await takeScreenshot(shown, `${name}`);
    await shown.goto(`${fanfare.origin}/settings`);
    await shown.locator("#nodes-title").waitFor();
    await expectAccessible(shown, `${name}, servers`);
    await expectNoOverflow(shown);
    await takeScreenshot(shown, `${name}-servers`);
    // Only a server that carries something can give it away.
    expect(await shown.getByText(MOVE).count()).toBe(1);
    await press(shown.getByText(MOVE));
    await expectAccessible(shown, `${name}, moving`);
    const destination = shown.getByRole("dialog").getByRole("combobox");
    // Not itself, and none that is silent.
    expect(await destination.getByRole("option").count()).toBe(2);
    await destination.selectOption("9");
    await press(shown.getByRole("dialog").getByRole("button", { name: MOVE }));
    await shown.getByRole("dialog").waitFor({ state: "hidden" });
    expect(moves).toEqual([{ to: 9 }]);
    await shown.getByText(/It stays\.|남음\./).waitFor();
    expect(faults).toEqual([]);
    await looking.close();
  }
  await press(row("Late").getByRole("button", { name: "Cut the delay" }));
  await press(page.getByRole("dialog").getByRole("button", { name: "Cut the delay" }));
  await row("Late").getByText("Delay cut").waitFor();
  await row("Late").locator(".platform-head .state", { hasText: "On air" }).waitFor();
  expect(late.connections).toHaveLength(1);
  expect(errors).toEqual([]);
});
