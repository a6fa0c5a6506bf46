import { expect, test } from "vitest";
import { SERVER_TROUBLE_NAMES, serverTroubleText } from "../../../../src/thread-protocol/server-troubles.ts";
import { TARGET_ERROR_NAMES, targetError } from "../../../../src/thread-protocol/targets/target-errors.ts";
import { TargetErrorCode } from "../../../../src/thread-protocol/targets/target-status.ts";
import { slowTarget, targetWarning } from "../../../../src/thread-protocol/targets/target-warnings.ts";
import { en } from "../../../../web/src/text/en.ts";
import { ko } from "../../../../web/src/text/ko.ts";
import { openBrowser, openContext, PASSWORD, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { press, seeShown } from "../../../support/dashboard/press.ts";
import { tellStream } from "../../../support/dashboard/told-stream.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

/** Attempts to sign in: one more than an address may fail within a minute. */
const ATTEMPTS = 11;

/** One failed platform for each reason, as the live stream sends them. */
function failedPlatforms() {
  return TARGET_ERROR_NAMES.map((name, index) => ({
    platId: index + 1,
    targetName: "CUSTOM",
    label: name,
    rtmpUrl: "rtmp://example.com/app",
    streamKey: "k",
    enabled: true,
    bufferPolicy: "drop",
    connectStatus: "FAIL",
    bytesPerSecond: 0,
    bytesTotalTrans: 0,
    totalBytesPerSecond: 0,
    totalPlaySecond: 0,
    totalRetryCount: 1,
    nextRetryTime: Date.now() + 60_000,
    lastError: { ...targetError(name, "detail"), time: Date.now() },
  }));
}

const WARNING = slowTarget(31_250, 59_500);

/** A platform that is on air, slow and unstable. */
function slowPlatform() {
  const { lastError: _, nextRetryTime: __, ...platform } = failedPlatforms()[0] ?? {};
  const times = { connectStatusTime: Date.now(), queueMilliseconds: 4_900 };
  const on = { connectStatus: "PUBLISHING", warning: WARNING, stability: "unstable", ...times };
  return { ...platform, platId: TARGET_ERROR_NAMES.length + 1, label: "slow", ...on };
}

test("each reason of a failed platform has its own words and its own sentence, in both languages", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("all_reasons", [
    { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") },
  ]);
  const whole = { ...channel, isPublishing: true, platforms: [...failedPlatforms(), slowPlatform()] };
  const troubles = SERVER_TROUBLE_NAMES.map((trouble) => ({ trouble, sinceTime: 1, ...serverTroubleText(trouble) }));
  const browser = await openBrowser(stage);
  const context = await openContext(browser);
  const page = await context.newPage();
  const errors = watchErrors(page);
  await tellStream(page, () => [
    ["snapshot", { time: Date.now(), channels: [whole] }],
    ["server", { troubles }],
  ]);
  await setUp(page, fanfare);
  await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
  await page
    .locator(".failure")
    .nth(TARGET_ERROR_NAMES.length - 1)
    .waitFor();
  expect(new Set(TARGET_ERROR_NAMES.map((name) => targetError(name).code)).size).toBeGreaterThan(10);
  for (const [language, words] of [
    ["en", en],
    ["ko", ko],
  ] as const) {
    await page.locator("header select").first().selectOption(language);
    await page.getByRole("heading", { name: words.channel.platforms }).waitFor();
    for (const { trouble, message, messageKo } of troubles) {
      const text = language === "ko" ? messageKo : message;
      await page.locator(`[data-trouble="${trouble}"]`).getByText(text).waitFor();
    }
    const slow = page.locator(`[data-plat-id="${TARGET_ERROR_NAMES.length + 1}"]`);
    await slow.getByText(language === "ko" ? WARNING.messageKo : WARNING.message).waitFor();
    await slow.getByText(words.platform.unstable, { exact: true }).waitFor();
    await slow.getByText(words.units.seconds("4.9")).waitFor();
    const shown = await page.locator(".failure p").allInnerTexts();
    const expected = TARGET_ERROR_NAMES.map((name) => {
      const error = targetError(name, "detail");
      return `${words.errors[error.code]} ${language === "ko" ? error.messageKo : error.message}`;
    });
    expect(shown).toEqual(expected);
    expect(new Set(shown).size).toBe(TARGET_ERROR_NAMES.length);
    expect(new Set(Object.values(words.errors)).size).toBe(Object.values(TargetErrorCode).length);
  }
  expect(errors).toEqual([]);
});

test("the overview shows platforms that are retried, that wait, or that are slow", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await sharedServer(stage);
  const channel = await api.createChannel("not_green", [
    { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") },
  ]);
  const [failed] = failedPlatforms();
  const { lastError: _, ...well } = { ...failed, connectStatus: "PUBLISHING", connectStatusTime: Date.now() };
  const waits = targetWarning("no-more-keyframe");
  const silent = { ...targetError("connect-unanswered"), time: Date.now() };
  const drops = { droppedFrames: 5, droppedFramesByCause: { overTime: 5, overBytes: 0, untilKeyframe: 0 } };
  const platforms = [
    { ...failed, label: "again", connectStatus: "CONNECTING", lastError: silent },
    { ...well, platId: 2, label: "waits", warning: waits },
    { ...well, platId: 3, label: "slow", warning: WARNING, ...drops },
    { ...well, platId: 4, label: "well" },
  ];
  const later = { overTime: 5, overBytes: 0, untilKeyframe: 7 };
  const sample = {
    channelId: channel.channelId,
    time: Date.now(),
    ingest: { bytesPerSecond: 1 },
    platforms: [
      {
        ...{ platId: 3, bytesPerSecond: 1, queueMilliseconds: 0, stability: "stable" },
        ...{ droppedFrames: 12, droppedFramesByCause: later },
      },
    ],
  };
  const health = {
    state: "broken",
    reason: { code: silent.code, message: silent.message, messageKo: silent.messageKo, platId: 1 },
    nextStep: { code: "CHECK_ADDRESS", message: "Check the address.", messageKo: "주소를 확인하세요." },
    reasonCount: 3,
  };
  const whole = { ...channel, isPublishing: true, channelStatus: "PUBLISHING", platforms, health };
  const context = await openContext(await openBrowser(stage));
  const page = await context.newPage();
  await tellStream(page, () => [
    ["snapshot", { time: Date.now(), channels: [whole] }],
    ["sample", sample],
  ]);
  await setUp(page, fanfare);
  await page.locator(".card-verdict").waitFor();
  for (const [language, words] of [
    ["en", en],
    ["ko", ko],
  ] as const) {
    await page.locator("header select").first().selectOption(language);
    await page.getByRole("heading", { name: words.overview.title }).waitFor();
    const [sentence, step] =
      language === "ko" ? [silent.messageKo, health.nextStep.messageKo] : [silent.message, health.nextStep.message];
    await expect
      .poll(() => page.locator(".verdict-reason").innerText())
      .toBe(`again: ${sentence} ${words.overview.moreReasons(2)}`);
    await expect.poll(() => page.locator(".verdict-step").innerText()).toBe(`→ ${step}`);
    await expect
      .poll(() => page.locator(".pills .state-word").allInnerTexts())
      .toEqual([
        words.connectStatus.CONNECTING,
        words.platform.waitsForKeyframe,
        words.platform.slow,
        words.connectStatus.PUBLISHING,
      ]);
    await expect.poll(() => page.locator(".pills .tone-good").allInnerTexts()).toHaveLength(1);
  }
  await press(page.locator("a.card"));
  const { dropCauses } = ko.platform;
  const counts = `12 (${dropCauses.overTime} 5, ${dropCauses.untilKeyframe} 7)`;
  await page.locator('[data-plat-id="3"]').getByText(counts).waitFor();
});

test("the browser that changes the password stays signed in, and its page stays live; another one is signed out", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const browser = await openBrowser(stage);
  const context = await openContext(browser);
  const page = await context.newPage();
  const errors = watchErrors(page);
  await setUp(page, fanfare);
  const [old] = await context.cookies();
  await page.goto(`${fanfare.origin}/settings`);
  await page.locator('input[name="old"]').fill(PASSWORD);
  await page.locator('input[name="new"]').fill("another horse");
  const save = page.getByRole("region", { name: en.settings.password }).getByRole("button", { name: en.common.save });
  await seeShown(page, ".notice", en.settings.passwordChanged, () => press(save));
  const answer = await fetch(`${fanfare.origin}/api/v2/access-keys`, {
    headers: { cookie: `${old?.name}=${old?.value}` },
  });
  expect(answer.status).toBe(401);
  // This comes over the stream that the page opened again.
  await press(page.getByRole("link", { name: en.overview.title }).first());
  await api.createChannel("after_the_change", [{ rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("k") }]);
  await page.getByText("after_the_change").waitFor();
  expect(errors).toEqual([]);
});

test("a wrong password is refused, and too many are refused with the time to wait", async () => {
  const stage = await Stage.open();
  const { fanfare } = await stage.server();
  const browser = await openBrowser(stage);
  const page = await (await openContext(browser)).newPage();
  await setUp(page, fanfare);
  await press(page.getByRole("button", { name: "Sign out" }));
  const password = page.locator('input[name="password"]');
  const problem = page.locator(".problem");
  await password.fill("wrong password");
  await press(page.getByRole("button", { name: "Sign in" }));
  await problem.getByText("Wrong password.").waitFor();
  for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) {
    const answer = page.waitForResponse("**/dashboard/session");
    await press(page.getByRole("button", { name: "Sign in" }));
    await answer;
  }
  await problem.getByText(/Too many attempts\. Try again in \d+ seconds?\./).waitFor();
  // The right password is refused too, until the minute is over.
  await password.fill(PASSWORD);
  const refused = page.waitForResponse("**/dashboard/session");
  await press(page.getByRole("button", { name: "Sign in" }));
  expect((await refused).status()).toBe(429);
});
