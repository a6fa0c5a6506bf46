import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { LOADED_WHEN_ASKED_FOR } from "../support/dashboard-files.ts";
import { ROOT } from "../support/fanfare-process.ts";

const BUILT = join(ROOT, "dist-web");
/** What a browser loads to show the overview and a channel's page. */
const LOADED_BYTES_MAX = 60_000;
/** Everything but the player: what one browser would load that opened every page and dialog in both languages. */
const WHOLE_BYTES_MAX = 76_000;

const gzipped = (path: string): number => gzipSync(readFileSync(path), { level: 9 }).length;

/** Sizes of what is built, by what the files are called before the hash. */
const sizes = new Map(
  readdirSync(join(BUILT, "assets")).map((name) => [
    name.replace(/-.{8}\.\w+$/, ""),
    gzipped(join(BUILT, "assets", name)),
  ]),
);
const sum = (names: readonly string[]): number =>
  names.reduce((total, name) => total + (sizes.get(name) ?? 0), gzipped(join(BUILT, "index.html")));

test("a browser loads at most 60 kB gzip for the overview and a channel's page", () => {
  const names = [...sizes.keys()];
  // Each of these is a file of its own, or a name here would hide nothing, and what it hides would be counted twice.
  expect(names).toEqual(expect.arrayContaining([...LOADED_WHEN_ASKED_FOR, "index", "style", "worker", "en", "ko"]));
  // One language is loaded: the larger one is counted.
  const otherLanguage = (sizes.get("ko") ?? 0) > (sizes.get("en") ?? 0) ? "en" : "ko";
  const loaded = names.filter((name) => !LOADED_WHEN_ASKED_FOR.includes(name) && name !== otherLanguage);
  expect(sizes.get("index")).toBeGreaterThan(30_000);
  expect(sum(loaded), `${loaded.join(", ")} and index.html`).toBeLessThanOrEqual(LOADED_BYTES_MAX);
});

test("everything but the preview's player, in both languages, is at most 76 kB gzip", () => {
  expect(sum([...sizes.keys()].filter((name) => name !== "mpegts"))).toBeLessThanOrEqual(WHOLE_BYTES_MAX);
});

test("no script and no style stands in the page itself, and nothing comes from another host", () => {
  const page = readFileSync(join(BUILT, "index.html"), "utf8");
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = ""]) => address);
  expect(addresses.length).toBeGreaterThan(2);
  expect(addresses.filter((address) => !address.startsWith("/") || address.startsWith("//"))).toEqual([]);
});
