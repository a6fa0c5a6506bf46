import { expect, test } from "vitest";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import { openBrowser, openContext, setUp } from "../../../support/dashboard/browser.ts";
import { sharedServer } from "../../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../../support/stages/stage.ts";

/** Time on air is counted by samples, one a second: the page may open with 0. */
const DEADLINE_MS = 20_000;
const MINUTE_MS = 60_000;
/** Seconds of a clock such as `1:05`. */
const seconds = (clock: string): number => clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);

/** Runs in the page: every time on air that is shown within three seconds. */
const TIMES_OF_THREE_SECONDS = `new Promise((done) => {
  const element = document.querySelector(".on-air-time");
  const shown = [];
  const observer = new MutationObserver(() => shown.push(element.textContent));
  observer.observe(element, { childList: true, characterData: true, subtree: true });
  setTimeout(() => done(shown), 3_000);
})`;

/** Shifts the page's clock. A worker's clock stays right, so neither may be used to correct the other. */
function shiftClock(byMs: number): void {
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...given: readonly unknown[]) {
      if (given.length === 0) super(RealDate.now() + byMs);
      else super(...(given as [number]));
    }
    static override now(): number {
      return RealDate.now() + byMs;
    }
  } as DateConstructor;
}

test("a browser whose clock is ten minutes off, either way, counts by the server's", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api } = await sharedServer(stage);
  const beganMs = performance.now();
  const channel = await api.createChannel("off", [
    { rtmpUrl: `rtmp://127.0.0.1:${target.port}/live`, streamKey: uniqueKey("a") },
    // Nothing listens there: this platform waits for its next attempt most of the time.
    { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: uniqueKey("b") },
  ]);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  const browser = await openBrowser(stage);
  const first = await (await openContext(browser)).newPage();
  await setUp(first, fanfare);
  const storageState = await first.context().storageState();
  for (const minutes of [-10, 10]) {
    const context = await openContext(browser, { storageState });
    await context.addInitScript(shiftClock, minutes * MINUTE_MS);
    const page = await context.newPage();
    await page.goto(`${fanfare.origin}/channels/${channel.channelId}`);
    const onAirTime = page.locator(".on-air-time");
    const playTime = page.locator(".platform").first().locator(".figure", { hasText: "On air for" }).locator("dd");
    // The page may show its own time until the server has sent its time.
    for (const figure of [onAirTime, playTime]) {
      await expect
        .poll(
          async () => {
            const shown = seconds(await figure.innerText());
            return shown > 0 && shown < (performance.now() - beganMs) / 1_000 + 3;
          },
          { timeout: DEADLINE_MS },
        )
        .toBe(true);
    }
    // From then on each of the page's own seconds is right too.
    const shown = (await page.evaluate(TIMES_OF_THREE_SECONDS)) as readonly string[];
    const mostSeconds = (performance.now() - beganMs) / 1_000 + 3;
    expect(shown.length).toBeGreaterThan(1);
    expect(shown.filter((clock) => seconds(clock) === 0 || seconds(clock) > mostSeconds)).toEqual([]);
    // A refused target is dialled once a minute.
    const waitSeconds = async () =>
      Number(/in (\d+) s/.exec((await page.locator(".countdown").allInnerTexts()).join(" "))?.[1] ?? 0);
    await expect.poll(async () => (await waitSeconds()) > 0 && (await waitSeconds()) <= 60).toBe(true);
    await context.close();
  }
});
