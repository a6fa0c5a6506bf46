import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { ROOT } from "../support/processes/fanfare-process.ts";

const BUILT = join(ROOT, "dist-web");
/** For a browser that opens every page and dialog in one language, but no preview. */
const BYTES_MAX = 75_000;
/** For alerts, which a browser loads once a person switches them on or opens the settings. */
const ALERTS_BYTES_MAX = 8_000;
const ALERTS = "alerts";
/** For the recordings of a channel, loaded after its page. */
const RECORDINGS_BYTES_MAX = 3_500;
const RECORDINGS = "recordings";
/** For thumbnails, the preview and its meter, without the player: loaded once a channel is on air. */
const VIDEO_BYTES_MAX = 6_500;
const VIDEO = "video";
/** For files as sources: loaded once a person opens that panel. */
const SOURCES_BYTES_MAX = 8_000;
const SOURCES = "sources";
/** The delay of a platform: loaded with its form, or once one waits. */
const DELAY_BYTES_MAX = 2_000;
const DELAY = "delay";
/** For schedules, loaded after the channel's page. */
const SCHEDULES_BYTES_MAX = 5_000;
const SCHEDULES = "schedules";
/** The list of several servers, and the note about a silent one. */
const NODES_BYTES_MAX = 3_000;
const NODES = "nodes";
/** Who changed what, with the words of all actions in both languages: loaded with its page. */
const AUDIT_BYTES_MAX = 5_000;
const AUDIT = "audit";
/** The contacts and the default webhook, on the page of settings. */
const CONTACTS_BYTES_MAX = 6_000;
const CONTACTS = "contacts";
/** For the QR code with lean-qr: loaded once a person asks for it. */
const QR_CODE_BYTES_MAX = 4_000;
const QR_CODE = "qr-code";
/** The preview with mpegts.js. All names here are file names without their hash. */
const PREVIEW = "player";
/** What the first page loads in one language, while nothing is on air. */
const FIRST_BYTES_MAX = 52_500;
const FIRST = ["index", "index.html", "style", "rolldown-runtime"];
const LANGUAGES = ["en", "ko"];
/** The texts of all that is loaded after the first page, in one language: loaded with the first of it. */
const PANELS_BYTES_MAX = 9_000;
const PANELS = ["panels-en", "panels-ko"];
/** Everything but the player in one language: for a browser that opened every page, panel and dialog. */
const ALL_BYTES_MAX = 112_000;
const APPLICATION = [
  "chart",
  "history",
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

test("the application in one language, without preview, alerts and recordings, is at most 75 kB gzip", () => {
  const files = readdirSync(BUILT, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const sizes = files.map(({ name, parentPath }) => ({
    name: name.replace(/-.{8}\.\w+$/, ""),
    bytes: gzipSync(readFileSync(join(parentPath, name)), { level: 9 }).length,
  }));
  // Each name is one file, and there are no others.
  expect(sizes.map(({ name }) => name).toSorted()).toEqual(
    [
      ...APPLICATION,
      ...LANGUAGES,
      ...PANELS,
      ALERTS,
      AUDIT,
      CONTACTS,
      DELAY,
      NODES,
      PREVIEW,
      QR_CODE,
      RECORDINGS,
      SCHEDULES,
      SOURCES,
      VIDEO,
    ].toSorted(),
  );
  expect(sizes.find(({ name }) => name === ALERTS)?.bytes).toBeLessThanOrEqual(ALERTS_BYTES_MAX);
  expect(sizes.find(({ name }) => name === RECORDINGS)?.bytes).toBeLessThanOrEqual(RECORDINGS_BYTES_MAX);
  expect(sizes.find(({ name }) => name === AUDIT)?.bytes).toBeLessThanOrEqual(AUDIT_BYTES_MAX);
  expect(sizes.find(({ name }) => name === CONTACTS)?.bytes).toBeLessThanOrEqual(CONTACTS_BYTES_MAX);
  expect(sizes.find(({ name }) => name === QR_CODE)?.bytes).toBeLessThanOrEqual(QR_CODE_BYTES_MAX);
  expect(sizes.find(({ name }) => name === VIDEO)?.bytes).toBeLessThanOrEqual(VIDEO_BYTES_MAX);
  expect(sizes.find(({ name }) => name === SOURCES)?.bytes).toBeLessThanOrEqual(SOURCES_BYTES_MAX);
  expect(sizes.find(({ name }) => name === DELAY)?.bytes).toBeLessThanOrEqual(DELAY_BYTES_MAX);
  expect(sizes.find(({ name }) => name === SCHEDULES)?.bytes).toBeLessThanOrEqual(SCHEDULES_BYTES_MAX);
  expect(sizes.find(({ name }) => name === NODES)?.bytes).toBeLessThanOrEqual(NODES_BYTES_MAX);
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
