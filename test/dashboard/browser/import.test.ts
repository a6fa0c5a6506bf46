import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openBrowser, openContext, setUp, watchErrors } from "../../support/dashboard/browser.ts";
import { press } from "../../support/dashboard/press.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const KEYS = Array.from({ length: 6 }, (_, index) => uniqueKey(`import-${index}`));

/** The file of obs-multi-rtmp: one target for YouTube, one with a login, one that is not RTMP. */
const MULTI_RTMP = JSON.stringify({
  audio_configs: [],
  targets: [
    {
      name: "내 유튜브",
      "service-param": { server: "rtmps://a.rtmps.youtube.com:443/live2", key: KEYS[0], use_auth: false },
    },
    {
      name: "Studio",
      "service-param": {
        server: "rtmp://127.0.0.1:9/app",
        key: KEYS[1],
        use_auth: true,
        username: "me",
        password: "import-password-8c1f",
      },
    },
    { name: "Over SRT", "service-param": { server: "srt://127.0.0.1:9000", key: "x" } },
  ],
});
const OBS_SERVICE = JSON.stringify({
  type: "rtmp_custom",
  settings: { server: "rtmp://127.0.0.1:9/obs", key: KEYS[2] },
});
const NGINX = [
  "application live {",
  "  live on;",
  `  push rtmp://127.0.0.1:9/first/${KEYS[3]};`,
  `  push rtmp://127.0.0.1:9/second playpath=${KEYS[4]} name=second;`,
  "  push rtmp://127.0.0.1:9/keyless;",
  "}",
].join("\n");

const dialog = (page: Page) => page.locator("dialog");
const found = (page: Page) => dialog(page).locator(".found li").allInnerTexts();

async function open(page: Page) {
  await press(page.getByRole("button", { name: "Import" }));
  await dialog(page).locator("textarea").waitFor();
}

async function add(page: Page, button: string) {
  await press(dialog(page).getByRole("button", { name: button }));
}

/** Drops a file into the text area. */
async function drop(page: Page, text: string) {
  const dataTransfer = await page.evaluateHandle(
    `(() => { const all = new DataTransfer(); all.items.add(new File([${JSON.stringify(text)}], "service.json")); return all; })()`,
  );
  await dialog(page).locator("textarea").dispatchEvent("drop", { dataTransfer });
}

test("platforms of other programs are pasted or dropped, shown and added, and rejected ones have a reason", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  for (const key of [...KEYS, "import-password-8c1f"]) stage.keepSecret(key);
  const channel = await api.createChannel("imports", [
    { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: KEYS[5] ?? "" },
  ]);
  const browser = await openBrowser(stage);
  const context = await openContext(browser);
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);

  // obs-multi-rtmp, pasted: the platforms are shown before they are added, without their keys.
  await open(page);
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(MULTI_RTMP)})`);
  await dialog(page).locator("textarea").focus();
  await page.keyboard.press("Control+V");
  await dialog(page).getByText("2 platforms found").waitFor();
  expect(await found(page)).toEqual(
    [
      "내 유튜브 rtmps://a.rtmps.youtube.com:443/live2",
      "Studio rtmp://127.0.0.1:9/app",
      "Over SRT not an rtmp:// or rtmps:// address",
    ].map((text) => expect.stringMatching(new RegExp(text.replaceAll(/[/.]/g, "\\$&").replaceAll(" ", "\\s+")))),
  );
  expect(await api.platforms(channel.channelId)).toHaveLength(1);
  await add(page, "Add 2 platforms");
  await dialog(page).waitFor({ state: "detached" });
  await page.getByRole("heading", { name: "내 유튜브" }).waitFor();

  // OBS's service.json, dropped as a file.
  await open(page);
  await drop(page, OBS_SERVICE);
  await dialog(page).getByText("1 platform found").waitFor();
  await add(page, "Add 1 platform");
  await dialog(page).waitFor({ state: "detached" });

  // A text that cannot be read says why, and nothing can be added.
  await open(page);
  const problem = dialog(page).locator('[role="status"] .problem');
  for (const [text, shown] of [
    ['{\n  "targets": [],\n}', "The JSON has an error in line 3, column 1."],
    ['{"targets": [', "The JSON is incomplete. Copy all of it."],
    ["my stream key is abc", "No platforms found in this text."],
  ] as const) {
    await dialog(page).locator("textarea").fill(text);
    await problem.getByText(shown).waitFor();
    expect(await dialog(page).getByRole("button", { name: "Add", exact: true }).isDisabled()).toBe(true);
  }

  // nginx-rtmp's lines: one has no key, and the plan has room for one more. The message names the refused one.
  await dialog(page).locator("textarea").fill(NGINX);
  await dialog(page).getByText("3 platforms found").waitFor();
  expect((await found(page)).at(-1)).toMatch(/no stream key/);
  await add(page, "Add 2 platforms");
  await dialog(page)
    .locator('[role="alert"]', { hasText: /^second: .*Already added: 1 platform\.$/s })
    .waitFor();
  await page.keyboard.press("Escape");

  const platforms = await api.platforms(channel.channelId);
  expect(platforms.map(({ targetName, rtmpUrl, streamKey }) => ({ targetName, rtmpUrl, streamKey })).slice(1)).toEqual([
    { targetName: "YOUTUBE", rtmpUrl: "rtmps://a.rtmps.youtube.com:443/live2", streamKey: KEYS[0] },
    { targetName: "CUSTOM", rtmpUrl: "rtmp://127.0.0.1:9/app", streamKey: KEYS[1] },
    { targetName: "CUSTOM", rtmpUrl: "rtmp://127.0.0.1:9/obs", streamKey: KEYS[2] },
    { targetName: "CUSTOM", rtmpUrl: "rtmp://127.0.0.1:9/first", streamKey: KEYS[3] },
  ]);
  expect(platforms[2]).toMatchObject({ id: "me", label: "Studio" });
  expect(errors).toEqual([]);
});
