import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import { en } from "../../../../web/src/text/en.ts";
import { enSignIn } from "../../../../web/src/text/panels-en/sign-in.ts";
import { openBrowser, openContext, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { holdFirstAnswer, holdRequests, TAKEN } from "../../../support/dashboard/held-calls.ts";
import { upload } from "../../../support/dashboard/media-uploads.ts";
import { press, tick } from "../../../support/dashboard/press.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";
import { makeFile } from "../../../support/streams/made-files.ts";

const NOWHERE = "rtmp://127.0.0.1:9/live";

test("what the live stream told of a platform stays where the answer to a press, from before, comes late", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("late", [
    { rtmpUrl: `rtmp://127.0.0.1:${target.port}/live`, streamKey: uniqueKey("a") },
  ]);
  const { channelId } = channel;
  const [{ platId = 0 } = {}] = await api.platforms(channelId);
  await api.request("PUT", `/api/v2/re-stream/channels/${channelId}/platforms/${platId}/off`);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  const page = await (await openContext(await openBrowser(stage), { isPatient: true })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channelId}`);
  const row = page.locator(".platform");
  const on = await holdFirstAnswer(page, `**/platforms/${platId}/on`, "PUT");
  await press(row.getByRole("checkbox"));
  await on.given;
  await row.locator(".state", { hasText: "On air" }).waitFor();
  await on.letGo();
  expect(await row.locator(".state", { hasText: "On air" }).count()).toBe(1);
  expect(errors).toEqual([]);
});

test("a box that is pressed twice before the first answer came ends as it was pressed last", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const { channelId } = await api.createChannel("twice", [{ rtmpUrl: NOWHERE, streamKey: uniqueKey("k") }]);
  const page = await (await openContext(await openBrowser(stage), { isPatient: true })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channelId}`);
  const box = page.locator(".platform").getByRole("checkbox");
  const held = await holdRequests(page, /\/platforms\/\d+\/off$/);
  const isOn = page.waitForResponse(/\/platforms\/\d+\/on$/);
  await press(box);
  await held.asked;
  await press(box);
  held.letGo();
  await isOn;
  await expect.poll(async () => (await api.platforms(channelId))[0]?.["enabled"]).toBe(true);
  await expect.poll(() => box.isChecked()).toBe(true);
  expect(errors).toEqual([]);
});

test("a box that is pressed twice, and both presses fail, shows what the server has", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const { channelId } = await api.createChannel("both", [{ rtmpUrl: NOWHERE, streamKey: uniqueKey("k") }]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channelId}`);
  const box = page.locator(".platform").getByRole("checkbox");
  const held = await holdRequests(page, /\/platforms\/\d+\/(?:on|off)$/, { end: "abort" });
  const isOver = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/on"));
  await press(box);
  await held.asked;
  await press(box);
  held.letGo();
  await isOver;
  await page.evaluate(TAKEN);
  expect(await box.isChecked()).toBe(true);
  expect(await api.platforms(channelId)).toMatchObject([{ enabled: true }]);
  expect(errors).toEqual([]);
});

test("a list that was asked for before a press, and comes after it, takes no file out of the playlist", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const channel = await api.createChannel("files", [{ rtmpUrl: NOWHERE, streamKey: uniqueKey("k") }]);
  for (const name of ["one.mp4", "two.mp4"]) await upload(api, await makeFile(stage.folder, name, { seconds: 2 }));
  const page = await (await openContext(await openBrowser(stage), { isPatient: true })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const path = `/api/v2/re-stream/channels/${channel.channelId}/source`;
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await press(page.getByRole("region", { name: "Sources and slate" }).getByRole("button", { name: "Open" }));
  const library = page.getByRole("region", { name: "Files on this server" });
  const add = (name: string) =>
    press(library.getByRole("listitem").filter({ hasText: name }).getByRole("button", { name: "Add to playlist" }));
  await library.getByText("two.mp4").waitFor();
  // The list is read every two seconds.
  const reading = await holdFirstAnswer(page, `**${path}`);
  await reading.given;
  // From here on nothing but this answer is heard of the list.
  await page.route(`**${path}`, (route) => (route.request().method() === "GET" ? route.abort() : route.fallback()));
  const isSet = page.waitForResponse(
    (response) => response.url().endsWith(path) && response.request().method() === "PUT",
  );
  await add("one.mp4");
  await isSet;
  const playlist = page.getByRole("region", { name: "Playlist" });
  await playlist.getByText("1. one.mp4").waitFor();
  await reading.letGo();
  expect(await playlist.getByText("1. one.mp4").count()).toBe(1);
  await add("two.mp4");
  const sourceOf = async () =>
    z.object({ fileIds: z.array(z.string()) }).parse(await api.request("GET", path)).fileIds.length;
  await expect.poll(sourceOf).toBe(2);
  expect(errors).toEqual([]);
});

test("what was created or saved is in its list, whatever becomes of the readings around it", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const page = await (await openContext(await openBrowser(stage), { isPatient: true })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const keys = await holdFirstAnswer(page, "**/api/v2/access-keys");
  await page.goto(`${fanfare.origin}/settings`);
  await keys.given;
  const dialog = page.locator("dialog");
  await press(page.getByRole("button", { name: en.settings.newKey }));
  await dialog.locator('input[name="name"]').fill("new one");
  await press(dialog.locator('button[type="submit"]'));
  const row = page.locator("tbody tr", { hasText: "new one" });
  await row.waitFor();
  await page.keyboard.press("Escape");
  await keys.letGo();
  expect(await row.count()).toBe(1);

  // The contact is saved, and its list cannot be read: nobody should save it again.
  const contacts = page.locator("section", { has: page.locator("#contacts-title") });
  await press(contacts.getByRole("button").first());
  await dialog.locator('input[name="contactName"]').fill("Night shift");
  await dialog.locator('input[name="webhookUrl"]').fill("https://hooks.slack.com/services/a/b/c");
  await page.route("**/api/v2/events/contacts", (route) =>
    route.request().method() === "GET" ? route.abort() : route.continue(),
  );
  await press(dialog.locator('button[type="submit"]'));
  await dialog.waitFor({ state: "detached" });
  expect(await api.request("GET", "/api/v2/events/contacts")).toMatchObject([{ contactName: "Night shift" }]);
  expect(errors).toEqual([]);
});

test("platforms to choose from are read again where the page could not read them", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const { channelId } = await api.createChannel("presets", [{ rtmpUrl: NOWHERE, streamKey: uniqueKey("k") }]);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  let isLost = true;
  await page.route("**/re-stream/presets", (route) => (isLost ? route.abort() : route.continue()));
  await page.goto(`${fanfare.origin}/channels/${channelId}`);
  const platforms = page.locator('[aria-labelledby="platforms-title"]');
  const addPlatform = platforms.getByRole("button", { name: en.channel.addPlatform });
  await press(addPlatform);
  await page.locator(".notice", { hasText: en.common.network }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  isLost = false;
  await press(addPlatform);
  await tick(page.locator("dialog").getByRole("radio", { name: "Twitch" }));
  expect(errors).toEqual([]);
});

test("an answer that comes after its dialog was closed closes no other dialog, and leads to no other page", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const { channelId } = await api.createChannel("before", [{ rtmpUrl: NOWHERE, streamKey: uniqueKey("k") }]);
  const page = await (await openContext(await openBrowser(stage), { isPatient: true })).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const dialog = page.locator("dialog");
  const name = dialog.locator('input[name="channelName"]');
  const create = await holdFirstAnswer(page, "**/api/v2/re-stream/channels", "POST");
  await press(page.getByRole("button", { name: en.overview.create }).first());
  await name.fill("created_late");
  await dialog.locator('input[name="streamKey"]').fill(uniqueKey("late"));
  await press(dialog.locator('button[type="submit"]'));
  const { channelId: createdId } = z
    .object({ content: z.object({ channelId: z.string() }) })
    .parse(await (await create.given).response.json()).content;
  stage.onClose(() => api.request("DELETE", `/api/v2/re-stream/channels/${createdId}`));
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await press(page.locator(`.card[href="/channels/${channelId}"]`));

  const rename = page.getByRole("button", { name: en.channel.rename });
  const renamed = await holdFirstAnswer(page, `**/channels/${channelId}`, "PUT");
  await press(rename);
  await name.fill("after");
  await press(dialog.locator('button[type="submit"]'));
  await renamed.given;
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await press(rename);
  await name.fill("typed meanwhile");
  await create.letGo();
  await renamed.letGo();
  await page.getByRole("heading", { level: 1, name: "after" }).waitFor();
  expect(await name.inputValue()).toBe("typed meanwhile");
  await press(dialog.locator('button[type="submit"]'));
  await page.getByRole("heading", { level: 1, name: "typed meanwhile" }).waitFor();
  await dialog.waitFor({ state: "detached" });
  expect(errors).toEqual([]);
});

test("a schedule whose dialog is closed before its deletion was answered is gone with the answer", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const { channelId } = await api.createChannel("schedule", [{ rtmpUrl: NOWHERE, streamKey: uniqueKey("k") }]);
  const { fileId } = await upload(api, await makeFile(stage.folder, "one.mp4", { seconds: 2 }));
  const daily = { scheduleName: "Film", repeat: "daily", startAt: "03:00", timeZone: "UTC", fileIds: [fileId] };
  await api.request("POST", `/api/v2/re-stream/channels/${channelId}/schedules`, daily);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channelId}`);
  // From here on no list is read again by itself.
  await page.evaluate("globalThis.setInterval = () => 0");
  const schedules = page.getByRole("region", { name: "Schedule", exact: true });
  await press(schedules.getByRole("button", { name: "Open" }));
  const deletion = schedules.getByRole("button", { name: "Delete Film" });
  await press(deletion);
  const held = await holdRequests(page, "**/schedules/*");
  const dialog = page.locator("dialog");
  await press(dialog.locator('button[type="submit"]'));
  await held.asked;
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  // What is asked for at the closing has been answered.
  await page.evaluate(TAKEN);
  held.letGo();
  await deletion.waitFor({ state: "detached" });
  expect(errors).toEqual([]);
});

test.each(["here", "in another tab"])(
  "a session that was read before its person signed out %s, and is answered after, brings the page back nowhere",
  async (place) => {
    const stage = await Stage.open();
    const { fanfare } = await sharedServer(stage);
    const context = await openContext(await openBrowser(stage));
    const page = await context.newPage();
    const errors = watchErrors(page);
    await setUp(page, fanfare);
    const other = await context.newPage();
    await other.goto(fanfare.origin);
    const signOut = (place === "here" ? page : other).getByRole("button", { name: en.app.signOut });
    await signOut.waitFor();
    const before = await holdFirstAnswer(page, "**/dashboard/session");
    // As a tab tells that its person signed in.
    await other.evaluate('localStorage.setItem("fanfare-session", "in")');
    await before.given;
    const after = await holdFirstAnswer(page, "**/dashboard/session");
    await press(signOut);
    await after.given;
    await before.letGo();
    await after.letGo();
    await page.getByRole("heading", { name: enSignIn.title }).waitFor();
    expect(await page.locator(".top").count()).toBe(0);
    expect(errors).toEqual([]);
  },
);
