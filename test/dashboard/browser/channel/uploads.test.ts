import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openBrowser, openContext, setUp } from "../../../support/dashboard/browser.ts";
import { press } from "../../../support/dashboard/press.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";
import { makeFile } from "../../../support/streams/made-files.ts";

const MIB = 1024 * 1024;
const LENGTH = 3 * MIB;

/** A film of this length: MP4 with an empty box behind it. */
async function film(folder: string, size: string): Promise<string> {
  await mkdir(folder);
  const bytes = await readFile(await makeFile(folder, "film.mp4", { seconds: 2, size, audio: "none" }));
  const rest = Buffer.alloc(LENGTH - bytes.length);
  rest.writeUInt32BE(rest.length, 0);
  rest.write("free", 4, "latin1");
  const path = join(folder, "film.mp4");
  await writeFile(path, Buffer.concat([bytes, rest]));
  return path;
}

test("an upload that was cut off goes on with the same file, and not with another of its name and length", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const { url: rtmpUrl } = await stage.target();
  const channel = await api.createChannel("uploads", [{ rtmpUrl, streamKey: uniqueKey("uploads") }]);
  const [first, second] = [
    await film(join(stage.folder, "a"), "640x360"),
    await film(join(stage.folder, "b"), "320x180"),
  ];
  const page = await (await openContext(await openBrowser(stage))).newPage();
  await setUp(page, fanfare);
  const library = page.getByRole("region", { name: "Files on this server" });
  const open = async () => {
    await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
    await press(page.getByRole("region", { name: "Sources and slate" }).getByRole("button", { name: "Open" }));
  };
  const sent: string[] = [];
  let [isLineCut, refused] = [false, 0];
  await page.route("**/api/v2/media-files/*/content", async (route) => {
    if (isLineCut) {
      refused += 1;
      return await route.abort();
    }
    sent.push(`${route.request().headers()["content-range"]}`);
    // Before the page can send the next part.
    if (sent.length === 1) isLineCut = true;
    await route.continue();
  });
  await open();
  await library.getByLabel("Upload a file").setInputFiles(first);
  await expect.poll(() => refused).toBeGreaterThan(0);

  await open();
  isLineCut = false;
  await library.getByText("Upload unfinished").waitFor();
  await library.getByLabel("Upload a file").setInputFiles(second);
  await library.getByText("0:02 · 320×180 · h264 · no audio").waitFor();
  expect(sent.slice(1)).toEqual([0, 1, 2].map((part) => `bytes ${part * MIB}-${(part + 1) * MIB - 1}/${LENGTH}`));

  await library.getByLabel("Upload a file").setInputFiles(first);
  await library.getByText("0:02 · 640×360 · h264 · no audio").waitFor();
  expect(sent.slice(4)).toEqual([1, 2].map((part) => `bytes ${part * MIB}-${(part + 1) * MIB - 1}/${LENGTH}`));
  expect(await library.getByText("Upload unfinished").count()).toBe(0);
});
