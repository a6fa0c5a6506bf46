import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { ROOT } from "../support/processes/fanfare-process.ts";

const BUILT = join(ROOT, "dist-web");
/** For a browser that opens every page and dialog in one language, but no preview. */
const BYTES_MAX = 90_000;
/** Large panels, which are loaded with what opens them, and the bytes of each. All names here are file names without their hash. */
const PANEL_BYTES_MAX: Readonly<Record<string, number>> = {
  alerts: 8_000,
  // Who changed what, with the words of all actions in both languages.
  audit: 5_000,
  // Events, reports and recordings of a channel, which are shown together.
  history: 5_500,
  "qr-code": 4_000,
  // Also the set times and the delay of a platform.
  schedules: 5_000,
  // Contacts, the default webhook, access keys and servers.
  settings: 6_500,
  sources: 8_000,
  // Thumbnails, the preview and its meter, without the player.
  video: 6_500,
};
/** The preview with mpegts.js. */
const PREVIEW = "player";
/** What the first page loads in one language, while nothing is on air. */
const FIRST_BYTES_MAX = 52_500;
const FIRST = ["index", "index.html", "style", "rolldown-runtime"];
const LANGUAGES = ["en", "ko"];
/** The texts of all that is loaded after the first page, in one language: loaded with the first of it. */
const PANELS_BYTES_MAX = 9_000;
const PANELS = ["panels-en", "panels-ko"];
/** Everything but the player in one language: for a browser that opened every page, panel and dialog. */
const ALL_BYTES_MAX = 129_600;
const APPLICATION = [
  "chart",
  "icon.svg",
  "index",
  "index.html",
  "manifest.webmanifest",
  "service-worker.js",
  "deferred-bundle",
  "rolldown-runtime",
  "style",
  "worker",
];

test("the application in one language, without preview and large panels, is at most 90 kB gzip", () => {
  const files = readdirSync(BUILT, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const sizes = files.map(({ name, parentPath }) => ({
    name: name.replace(/-.{8}\.\w+$/, ""),
    bytes: gzipSync(readFileSync(join(parentPath, name)), { level: 9 }).length,
  }));
  // Each name is one file, and there are no others.
  expect(sizes.map(({ name }) => name).toSorted()).toEqual(
    [...APPLICATION, ...LANGUAGES, ...PANELS, PREVIEW, ...Object.keys(PANEL_BYTES_MAX)].toSorted(),
  );
  const tooLarge = sizes.filter(({ name, bytes }) => bytes > (PANEL_BYTES_MAX[name] ?? Number.POSITIVE_INFINITY));
  expect(tooLarge).toEqual([]);
  const largest = (names: readonly string[]): number =>
    Math.max(...sizes.filter(({ name }) => names.includes(name)).map(({ bytes }) => bytes));
  expect(largest(PANELS)).toBeLessThanOrEqual(PANELS_BYTES_MAX);
  const application = sizes.filter(({ name }) => APPLICATION.includes(name));
  const language = largest(LANGUAGES);
  const first = sizes.filter(({ name }) => FIRST.includes(name)).reduce((sum, { bytes }) => sum + bytes, language);
  expect(first).toBeLessThanOrEqual(FIRST_BYTES_MAX);
  const total = application.reduce((sum, { bytes }) => sum + bytes, language);
  expect(total, application.map(({ name, bytes }) => `${name} ${bytes}`).join(", ")).toBeLessThanOrEqual(BYTES_MAX);
  const translated = [...LANGUAGES, ...PANELS, PREVIEW];
  const all = sizes.filter(({ name }) => !translated.includes(name)).reduce((sum, { bytes }) => sum + bytes, 0);
  expect(all + language + largest(PANELS)).toBeLessThanOrEqual(ALL_BYTES_MAX);
});

test("nothing of the first page loads a file of the later ones with it, in either language", () => {
  const files = readdirSync(join(BUILT, "assets"));
  const nameOf = (file: string): string => file.replace(/-.{8}\.\w+$/, "");
  const withIt = files
    .filter((file) => file.endsWith(".js") && [...FIRST, ...LANGUAGES].includes(nameOf(file)))
    .flatMap((file) => {
      const code = readFileSync(join(BUILT, "assets", file), "utf8");
      return [...code.matchAll(/\b(?:from|import)\s*["`]\.\/([^"`]+)["`]/g)].map(([, other = ""]) => nameOf(other));
    });
  expect(withIt.length).toBeGreaterThan(0);
  expect(withIt.filter((name) => !FIRST.includes(name))).toEqual([]);
});

test("the page has no inline script or style, and loads nothing from another host", () => {
  const page = readFileSync(join(BUILT, "index.html"), "utf8");
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = ""]) => address);
  expect(addresses.length).toBeGreaterThan(2);
  expect(addresses.filter((address) => !address.startsWith("./"))).toEqual([]);
});
