import { expect, test } from "vitest";
import { z } from "zod";
import { openBrowser, openContext, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { holdRequests } from "../../../support/dashboard/held-calls.ts";
import { upload } from "../../../support/dashboard/media-uploads.ts";
import { press, tick } from "../../../support/dashboard/press.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";
import { makeFile } from "../../../support/streams/made-files.ts";

/** More events than a page keeps of all channels. */
const OTHER_EVENTS = 201;

test("two labels that are removed before the first answer came are both gone", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("quick", [{ rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") }]);
  const path = `/api/v2/re-stream/channels/${channel.channelId}`;
  await api.request("PUT", path, { labels: ["A", "B", "C"] });
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  const removal = await holdRequests(page, `**${path}`);
  for (const label of ["A", "C"]) await press(page.getByRole("button", { name: `Remove the label ${label}` }));
  await removal.asked;
  removal.letGo();
  await expect.poll(async () => (await api.channel(channel.channelId))["labels"]).toEqual(["B"]);
  await page.getByRole("button", { name: "Remove the label C" }).waitFor({ state: "detached" });
  // What the live stream tells of the first answer may come after the second one.
  await expect.poll(() => page.getByRole("button", { name: /^Remove the label/ }).count()).toBe(1);
  expect(errors).toEqual([]);
});

test("two files that are added to a list before the first answer came are both in it", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const channel = await api.createChannel("files", [{ rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") }]);
  for (const name of ["one.mp4", "two.mp4"]) await upload(api, await makeFile(stage.folder, name, { seconds: 2 }));
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await press(page.getByRole("region", { name: "Sources and slate" }).getByRole("button", { name: "Open" }));
  const addition = await holdRequests(page, `**/channels/${channel.channelId}/source`, { method: "PUT" });
  const library = page.getByRole("region", { name: "Files on this server" });
  for (const name of ["one.mp4", "two.mp4"]) {
    const file = library.getByRole("listitem").filter({ hasText: name });
    await press(file.getByRole("button", { name: "Add to playlist" }));
  }
  const playlist = page.getByRole("region", { name: "Playlist" });
  for (const line of ["1. one.mp4", "2. two.mp4"]) await playlist.getByText(line).waitFor();
  addition.letGo();
  const sourceOf = async () =>
    z
      .object({ fileIds: z.array(z.string()) })
      .parse(await api.request("GET", `/api/v2/re-stream/channels/${channel.channelId}/source`));
  await expect.poll(async () => (await sourceOf()).fileIds.length).toBe(2);
  expect(await playlist.getByRole("listitem").allInnerTexts()).toEqual([
    expect.stringContaining("1. one.mp4"),
    expect.stringContaining("2. two.mp4"),
  ]);
  expect(errors).toEqual([]);
});

test("a slate that could not be set is not shown as set, and a schedule whose file was deleted can have another one", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const channel = await api.createChannel("gone", [{ rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") }]);
  const path = `/api/v2/re-stream/channels/${channel.channelId}`;
  const files = [];
  for (const name of ["one.mp4", "two.mp4"])
    files.push((await upload(api, await makeFile(stage.folder, name, { seconds: 2 }))).fileId);
  const [one, two] = files;
  const daily = { scheduleName: "Film", repeat: "daily", startAt: "03:00", timeZone: "UTC", fileIds: [one] };
  await api.request("POST", `${path}/schedules`, daily);
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await press(page.getByRole("region", { name: "Sources and slate" }).getByRole("button", { name: "Open" }));
  const slate = page.getByLabel("Picture or clip");
  await page.route("**/slate", (route) => (route.request().method() === "PUT" ? route.abort() : route.continue()));
  await slate.selectOption({ label: "two.mp4" });
  await page.locator(".notice", { hasText: "The server can't be reached." }).waitFor();
  expect(await slate.inputValue()).toBe("");

  // A file of the watched folder can go while a schedule has it.
  await page.route("**/api/v2/media-files", async (route) => {
    const response = await route.fetch();
    const { content } = z
      .object({ content: z.array(z.looseObject({ fileId: z.string() })) })
      .parse(await response.json());
    await route.fulfill({ response, json: { content: content.filter(({ fileId }) => fileId !== one) } });
  });
  const schedules = page.getByRole("region", { name: "Schedule", exact: true });
  await press(schedules.getByRole("button", { name: "Open" }));
  await press(schedules.getByRole("button", { name: /Film/ }).and(page.getByText("Edit", { exact: true })));
  const form = page.getByRole("dialog");
  await tick(form.getByLabel("two.mp4"));
  await press(form.getByLabel("deleted file"));
  await press(form.getByRole("button", { name: "Save" }));
  await form.waitFor({ state: "detached" });
  expect(await api.request("GET", `${path}/schedules`)).toMatchObject([{ fileIds: [two] }]);
  expect(errors).toEqual([]);
});

test("a timeline keeps what happened while it was open, however much other channels tell", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const platform = () => ({ rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") });
  const channel = await api.createChannel("watched", [platform()]);
  const other = await api.createChannel("busy", [platform()]);
  const path = (channelId: string) => `/api/v2/re-stream/channels/${channelId}`;
  const page = await (await openContext(await openBrowser(stage))).newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  const timeline = page.locator(".timeline");
  await timeline.getByText("Channel created").waitFor();
  await api.request("POST", `${path(channel.channelId)}/stream-key`, { which: "main" });
  const line = timeline.getByText("New stream key created");
  await line.waitFor();
  for (let count = 0; count < OTHER_EVENTS; count += 1)
    await api.request("PUT", path(other.channelId), { channelName: `busy_${count}` });
  await api.request("PUT", path(channel.channelId), { channelName: "at_last" });
  await timeline.getByText("Channel renamed").waitFor();
  expect(await line.count()).toBe(1);
  expect(errors).toEqual([]);
});
