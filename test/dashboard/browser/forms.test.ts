import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openBrowser, openContext, setUp, watchErrors } from "../../support/dashboard/browser.ts";
import { holdRequests } from "../../support/dashboard/held-calls.ts";
import { press, seeShown, tick } from "../../support/dashboard/press.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

/** How many inputs the short form of a platform has at most. The choice of platform is one. */
const INPUTS_MAX = 4;
const FINGERPRINT = "AB".repeat(32);

const seeSaved = (page: Page, act: () => Promise<unknown>) => seeShown(page, ".notice", "Saved.", act);

test("a field that is changed and saved while the former save goes on is saved too, and a second press alone saves nothing", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("twice", [
    { rtmpUrl: "rtmps://127.0.0.1:9/live", streamKey: uniqueKey("k") },
  ]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  const sent: unknown[] = [];
  const held: (() => Promise<void>)[] = [];
  await page.route(`**/channels/${channel.channelId}`, async (route) => {
    if (route.request().method() !== "PUT") {
      await route.fallback();
      return;
    }
    sent.push(route.request().postDataJSON().hold.seconds);
    held.push(() => route.continue());
  });
  const hold = page.locator('input[name="hold"]');
  const save = async (seconds: number) => {
    await hold.fill(String(seconds));
    await hold.press("Enter");
  };
  await save(61);
  await expect.poll(() => held.length).toBe(1);
  await hold.press("Enter");
  await seeSaved(page, async () => await held.shift()?.());
  await save(62);
  await expect.poll(() => held.length).toBe(1);
  await save(63);
  await held.shift()?.();
  await expect.poll(() => held.length).toBe(1);
  await held.shift()?.();
  await expect.poll(async () => (await api.channel(channel.channelId))["hold"]).toEqual({ seconds: 63 });
  expect(sent).toEqual([61, 62, 63]);
});

test("the advanced settings of a channel and of a platform are folded away, and are stored", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("advanced", [
    { rtmpUrl: "rtmps://127.0.0.1:9/live", streamKey: uniqueKey("k") },
  ]);
  const browser = await openBrowser(stage);
  const page = await (await openContext(browser)).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  const current = () => api.channel(channel.channelId);

  // The channel: latency and encoder login.
  const settings = page.locator("section", { has: page.getByRole("heading", { name: "Channel settings" }) });
  await press(settings.getByText("Advanced"));
  await settings.getByLabel("Latency").selectOption("low");
  await settings.locator('input[name="ingestId"]').fill("studio");
  await settings.locator('input[name="ingestPassword"]').fill("ingest-password-5d20");
  stage.keepSecret("ingest-password-5d20");
  await seeSaved(page, () => press(settings.getByRole("button", { name: "Save" }).first()));
  expect(await current()).toMatchObject({
    latency: "low",
    ingestAuth: { id: "studio", password: "i*******************" },
    publishUrl: expect.stringMatching(/\/login$/),
  });
  // An empty password keeps the current one, an empty username turns the login off.
  await settings.locator('input[name="ingestPassword"]').fill("");
  await settings.locator('input[name="hold"]').fill("60");
  await press(settings.getByRole("button", { name: "Save" }).first());
  await expect.poll(async () => (await current())["hold"]).toEqual({ seconds: 60 });
  expect((await current())["ingestAuth"]).toMatchObject({ id: "studio" });
  await settings.locator('input[name="ingestId"]').fill("");
  await press(settings.getByRole("button", { name: "Save" }).first());
  await expect.poll(async () => (await current())["ingestAuth"]).toBeUndefined();

  // The channel's webhook: the secret is shown once.
  await press(settings.getByText("Webhook for this channel"));
  await settings.locator('input[name="callbackUrl"]').fill("https://hooks.example.com/x");
  await press(settings.getByRole("button", { name: "Save" }).last());
  await press(settings.getByRole("button", { name: "Show: Signing secret" }));
  await settings.locator("code", { hasText: /^whsec_/ }).waitFor();
  expect((await current())["callbackEndpoint"]).toBe("https://hooks.example.com/x");
  await settings.locator('input[name="callbackUrl"]').fill("");
  await press(settings.getByRole("button", { name: "Save" }).last());
  await expect.poll(async () => (await current())["callbackEndpoint"]).toBeUndefined();

  // A platform: few inputs until the rest is unfolded.
  await press(page.getByRole("button", { name: "Add platform" }));
  const dialog = page.locator("dialog");
  await tick(dialog.getByRole("radio", { name: "Other server" }));
  const inputs = dialog.locator("input:visible:not([type=radio]), select:visible, textarea:visible");
  expect((await inputs.count()) + 1).toBeLessThanOrEqual(INPUTS_MAX);
  const key = uniqueKey("added");
  stage.keepSecret(key);
  await dialog.locator('input[name="rtmpUrl"]').fill("rtmps://127.0.0.1:9/more");
  // A key as people paste it: the form shows what will be removed from it.
  await dialog.locator('input[name="streamKey"]').fill(`\u200brtmp://127.0.0.1/more/mp4:${key}\u00a0`);
  await dialog.getByText("The server's address in front of the key was removed").waitFor();
  await dialog.getByText("A prefix such as mp4: in front of the key was removed").waitFor();
  await press(dialog.getByText("Advanced"));
  await dialog.locator('input[name="audioTrack"]').fill("1");
  await dialog.locator('input[name="fingerprint"]').fill(FINGERPRINT);
  await dialog.getByLabel("If the platform can't keep up").selectOption("disconnect");
  await dialog.locator('textarea[name="windows"]').fill("mon fri 8pm");
  await press(dialog.getByRole("button", { name: "Add" }));
  await dialog.locator(".field .problem", { hasText: "MON FRI 20:00-22:00" }).waitFor();
  await dialog.locator('textarea[name="windows"]').fill("mon fri 0:00-0:00\ntue,wed,thu,sat,sun 0:00-0:00");
  await dialog.locator('input[name="windowsZone"]').fill("Asia/Seoul");
  await press(dialog.getByRole("button", { name: "Add" }));
  await dialog.waitFor({ state: "detached" });
  const added = async () => (await api.platforms(channel.channelId)).at(-1);
  expect(await added()).toMatchObject({
    streamKey: key,
    tracks: { video: 0, audio: 1 },
    tls: { fingerprint: FINGERPRINT.toLowerCase() },
    bufferPolicy: "disconnect",
    windowState: "OPEN",
    windows: {
      open: [
        { days: ["MON", "FRI"], startAt: "00:00", endAt: "00:00" },
        { days: ["TUE", "WED", "THU", "SAT", "SUN"], startAt: "00:00", endAt: "00:00" },
      ],
      timeZone: "Asia/Seoul",
    },
  });

  // Empty again: all tracks, the usual authorities. An invalid certificate is refused in the form.
  await press(page.getByRole("button", { name: "More for" }).last());
  await press(page.getByRole("menuitem", { name: "Edit" }));
  await press(dialog.getByText("Advanced"));
  for (const name of ["videoTrack", "audioTrack", "fingerprint"])
    await dialog.locator(`input[name="${name}"]`).fill("");
  await dialog.locator('textarea[name="windows"]').fill("");
  await dialog.locator('textarea[name="ca"]').fill("not a certificate");
  await press(dialog.getByRole("button", { name: "Save" }));
  await dialog.locator(".field .problem", { hasText: "Paste certificates in PEM format" }).waitFor();
  await dialog.locator('textarea[name="ca"]').fill("");
  await press(dialog.getByRole("button", { name: "Save" }));
  await dialog.waitFor({ state: "detached" });
  const emptied = (await added()) ?? {};
  expect("tracks" in emptied || "tls" in emptied || "windows" in emptied).toBe(false);
  expect(errors).toEqual([]);
});

test("a field that was saved follows what others change, and the next save does not undo that", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("two_people", [
    { rtmpUrl: "rtmps://127.0.0.1:9/live", streamKey: uniqueKey("k") },
  ]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  const settings = page.locator("section", { has: page.getByRole("heading", { name: "Channel settings" }) });
  const [hold, backup] = [settings.locator('input[name="hold"]'), settings.locator('input[name="backup"]')];
  await press(settings.getByText("Advanced"));
  await settings.getByLabel("Latency").selectOption("low");
  await hold.fill("60");
  await tick(backup);
  await seeSaved(page, () => press(settings.getByRole("button", { name: "Save" }).first()));
  expect(await settings.getByLabel("Latency").inputValue()).toBe("low");

  const change = { hold: { seconds: 240 }, backup: { enabled: false } };
  await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}`, change);
  await expect.poll(() => hold.inputValue()).toBe("240");
  await expect.poll(() => backup.isChecked()).toBe(false);
  // What is being typed stays.
  await settings.locator('input[name="freezeVideo"]').fill("12");
  await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}`, { freeze: { videoSeconds: 30 } });
  await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}`, { hold: { seconds: 241 } });
  await expect.poll(() => hold.inputValue()).toBe("241");
  await press(settings.getByRole("button", { name: "Save" }).first());
  await expect
    .poll(() => api.channel(channel.channelId))
    .toMatchObject({
      ...{ hold: { seconds: 241 }, backup: { enabled: false }, latency: "low" },
      freeze: { videoSeconds: 12 },
    });
  expect(errors).toEqual([]);
});

test("a call that fails says so in its dialog, and on the page once a person closed the dialog", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("slow", [{ rtmpUrl: "rtmps://127.0.0.1:9/live", streamKey: uniqueKey("k") }]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  const dialog = page.locator("dialog");
  await page.route(`**/channels/${channel.channelId}/off`, (route) => route.abort());
  await press(page.getByRole("button", { name: "Disable" }));
  await press(dialog.getByRole("button", { name: "Disable" }));
  await dialog.getByRole("alert").filter({ hasText: "The server can't be reached." }).waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });

  const renaming = await holdRequests(page, `**/channels/${channel.channelId}`, { end: "abort" });
  await press(page.getByRole("button", { name: "Rename" }));
  await dialog.locator('input[name="channelName"]:focus').fill("another");
  await press(dialog.getByRole("button", { name: "Save" }));
  await renaming.asked;
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  renaming.letGo();
  await page.locator(".notice", { hasText: "The server can't be reached." }).waitFor();
  expect(errors).toEqual([]);
});

test("a key that was pasted before the platform was chosen stays", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("key_first", [
    { rtmpUrl: "rtmps://127.0.0.1:9/live", streamKey: uniqueKey("k") },
  ]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await press(page.getByRole("button", { name: "Add platform" }));
  const dialog = page.locator("dialog");
  const key = uniqueKey("twitch");
  stage.keepSecret(key);
  await dialog.locator('input[name="streamKey"]').fill(key);
  await tick(dialog.getByRole("radio", { name: "Twitch" }));
  await press(dialog.getByRole("button", { name: "Add" }));
  await dialog.waitFor({ state: "detached" });
  expect(await api.platforms(channel.channelId)).toMatchObject([{}, { targetName: "TWITCH", streamKey: key }]);
  expect(errors).toEqual([]);
});
