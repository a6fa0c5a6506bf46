import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { type FanfareProcess, ROOT } from "../processes/fanfare-process.ts";
import { OTHER_NAME } from "../stages/shared-server.ts";
import type { Stage } from "../stages/stage.ts";

/**
 * Debian's paths. The shell is Chromium's engine without a browser's window: it takes two thirds of the processor time,
 * and cannot show notifications.
 */
const PROGRAMS = { whole: "/usr/bin/chromium", shell: "/usr/bin/chromium-headless-shell" } as const;
type Program = keyof typeof PROGRAMS;
/**
 * Whether screenshots are taken into screenshots/, for people to look at: no test reads them, and each costs as much time
 * as a page. Ignored by git.
 */
const ARE_SCREENSHOTS_TAKEN = process.env["FANFARE_TEST_SCREENSHOTS"] !== undefined;
/**
 * Generous compared to what a page needs, so that a busy machine fails no test: there an encoder is not steady, and what a
 * page says of a steady one comes half a minute later.
 */
const ACTION_DEADLINE_MS = 60_000;
export const PASSWORD = "correct horse battery";
/** axe's words for serious faults. */
const SERIOUS = ["serious", "critical"];
/** Runs in the page: resolves when no transition of a style is under way. */
const TRANSITIONS_OVER = `Promise.allSettled(
  document.getAnimations().filter((each) => each instanceof CSSTransition).map(({ finished }) => finished),
).then(() => undefined)`;
/** Runs in each page before its own code. A browser's own pages have no storage. */
const CLOSES_PREVIEW = "try { localStorage.setItem('fanfare-preview', 'closed'); } catch {}";
/** Runs in each page before its own code: a page gives up a call after 20 s, and a busy machine takes longer for its steps. */
const WAITS_LONGER = `{
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => timeout(20 * ms);
}`;
const AXE_OPTIONS: Parameters<AxeBuilder["options"]>[0] = {
  // WCAG 2.2's rule on sizes is off by default.
  rules: { "target-size": { enabled: true } },
  // The other results, with a selector for each element that passed, would take half of the time.
  resultTypes: ["violations"],
  // Only a rule that is off, and one that is not serious, read style sheets and media beforehand.
  preload: false,
};

/**
 * Resolves to loopback in these browsers: such a page is not a secure context, like one of a server in the house that
 * is reached by plain http.
 */
export const INSECURE_NAME = OTHER_NAME;

/** The Chromiums of this process, once a test needed them. They end with the process. */
const browsersOfProcess = new Map<Program, Promise<Browser>>();

/** What a test needs of a browser. Its contexts share no cookies, storage or workers with those of other tests. */
type TestBrowser = Pick<Browser, "newContext">;

/**
 * Returns Debian's Chromium, whose contexts are closed with the test. All tests that one process runs share it, because
 * a start takes more processor time than most of them. `program`: `whole` where a test needs notifications.
 */
export async function openBrowser(stage: Stage, program: Program = "shell"): Promise<TestBrowser> {
  const known = browsersOfProcess.get(program);
  const launched = known ?? launch(program);
  if (known === undefined) browsersOfProcess.set(program, launched);
  const browser = await launched;
  const contexts: BrowserContext[] = [];
  stage.onClose(() => Promise.all(contexts.map(close)));
  return {
    async newContext(options) {
      const context = await browser.newContext(options);
      contexts.push(context);
      return context;
    },
  };
}

/**
 * Closes a context. What a page asked for right then goes nowhere: a test's own answer to it is no fault of the test. A test may have
 * closed a page, or the browser.
 */
async function close(context: BrowserContext): Promise<void> {
  const routed = [context, ...context.pages()];
  await Promise.allSettled(routed.map((each) => each.unrouteAll({ behavior: "ignoreErrors" })));
  await context.close();
}

async function launch(program: Program): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: PROGRAMS[program],
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
      ...["--disable-background-networking", "--disable-component-update"],
      `--host-resolver-rules=MAP ${INSECURE_NAME} 127.0.0.1`,
    ],
  });
  browser.once("disconnected", () => browsersOfProcess.delete(program));
  return browser;
}

type ContextOptions = {
  readonly locale?: string;
  readonly colorScheme?: "light" | "dark";
  readonly width?: number;
  readonly timezoneId?: string;
  /** Whether a channel's preview plays, as it does for people. Decoding and drawing it takes most of a page's time. */
  readonly preview?: "open" | "closed";
  /** Whether the person wants less motion. A spinner that turns is drawn 60 times a second. */
  readonly motion?: "reduce" | "no-preference";
  /** Whether pages wait for an answer 20 times as long as for people: where a test holds one back while it does other things. */
  readonly isPatient?: boolean;
  /** Options of another browser context, whose cookies are its own. */
  readonly storageState?: NonNullable<BrowserContextOptions["storageState"]>;
};

/** A person's browser: a language, a theme, a window. That person has closed the preview, and wants less motion. */
export async function openContext(browser: TestBrowser, options: ContextOptions = {}): Promise<BrowserContext> {
  const { locale = "en-US", colorScheme = "light", width = 1_280, preview = "closed", ...others } = options;
  const { motion: reducedMotion = "reduce", isPatient = false, ...rest } = others;
  const viewport = { width, height: 860 };
  const context = await browser.newContext({ locale, colorScheme, reducedMotion, viewport, ...rest });
  context.setDefaultTimeout(ACTION_DEADLINE_MS);
  if (preview === "closed") await context.addInitScript(CLOSES_PREVIEW);
  if (isPatient) await context.addInitScript(WAITS_LONGER);
  return context;
}

/** Errors that a page's own code threw, or that its policy caused. */
export function watchErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy|Uncaught/.test(message.text())) {
      errors.push(message.text());
    }
  });
  return errors;
}

/** The address at which a browser finds the server, and the server's output. */
type Dashboard = Pick<FanfareProcess, "origin" | "stdout">;

/** The link that the server printed for setting the password. */
export function setupLink(fanfare: Dashboard): string {
  const link = /https?:\/\/\S+\/setup#token=(\S+)/.exec(fanfare.stdout);
  if (link === null) throw new Error(`no set-up link in what was printed:\n${fanfare.stdout}`);
  // The printed host is the one that others use; here it is loopback.
  return `${fanfare.origin}/setup#token=${link[1]}`;
}

/** Tokens of the links that were used. */
const usedTokens = new Set<string>();

/**
 * Opens the printed link and sets the password, as a person would; signs in with it where that was done before. Then the
 * page shows the channels.
 */
export async function setUp(page: Page, fanfare: Dashboard): Promise<void> {
  const link = setupLink(fanfare);
  const token = new URL(link).hash;
  const isSet = usedTokens.has(token);
  await page.goto(isSet ? `${fanfare.origin}/` : link);
  await page
    .locator('input[name="password"]')
    .fill(PASSWORD)
    .catch(async (cause: unknown) => {
      const shown = await page.locator("body").innerText();
      throw new Error(`no password is asked for at ${page.url()}, where it was ${isSet ? "" : "not "}set: ${shown}`, {
        cause,
      });
    });
  if (!isSet) await page.locator('input[name="repeat"]').fill(PASSWORD);
  await page.locator('button[type="submit"]').click();
  await page.locator(".top").waitFor();
  usedTokens.add(token);
}

/** Saves what the page shows, where screenshots are wanted; `isWhole`: also what is out of sight. */
export async function takeScreenshot(page: Page, name: string, isWhole = true): Promise<void> {
  if (!ARE_SCREENSHOTS_TAKEN) return;
  await page.screenshot({ path: join(ROOT, "screenshots", `${name}.png`), fullPage: isWhole });
}

/** Fails where axe finds something serious on the page. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  // Between two themes colours are neither of them.
  await page.evaluate(TRANSITIONS_OVER);
  // Putting axe into a page takes longer than a run of it, so the page keeps it.
  const isThere = await page.evaluate("window.axe !== undefined");
  const builder = new AxeBuilder({ page, ...(isThere === true ? { axeSource: "undefined" } : {}) });
  // The other mode, for pages with frames, opens a page of its own each time.
  const { violations } = await builder.setLegacyMode(true).options(AXE_OPTIONS).analyze();
  const serious = violations
    .filter(({ impact }) => SERIOUS.includes(impact ?? ""))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  expect(serious, what).toEqual([]);
}
