import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { ROOT } from "../support/fanfare-process.ts";

const BUILT = join(ROOT, "dist-web");
const APPLICATION_BYTES_MAX = 60_000;
/** The player of the preview, loaded when somebody asks for one. */
const PREVIEW = /^mpegts-/;

const gzipped = (path: string): number => gzipSync(readFileSync(path), { level: 9 }).length;

test("the dashboard without preview is at most 60 kB gzip", () => {
  const assets = readdirSync(join(BUILT, "assets"));
  expect(assets.filter((name) => PREVIEW.test(name))).toHaveLength(1);
  const sizes = assets.filter((name) => !PREVIEW.test(name)).map((name) => gzipped(join(BUILT, "assets", name)));
  const total = sizes.reduce((sum, size) => sum + size, gzipped(join(BUILT, "index.html")));
  expect(total).toBeGreaterThan(10_000);
  expect(total).toBeLessThan(APPLICATION_BYTES_MAX);
});

test("no script and no style stands in the page itself, and nothing comes from another host", () => {
  const page = readFileSync(join(BUILT, "index.html"), "utf8");
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = ""]) => address);
  expect(addresses.length).toBeGreaterThan(2);
  expect(addresses.filter((address) => !address.startsWith("/") || address.startsWith("//"))).toEqual([]);
});
