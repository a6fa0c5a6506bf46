import { readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../support/processes/fanfare-process.ts";

const FILE_LINES_MAX = 400;
const FOLDER_FILES_MAX = 15;
const PACKAGES = [
  ...["preact", "preact/hooks", "@preact/signals"],
  ...["openapi-fetch", "uplot", "lean-qr/nano", "mpegts.js", "eventsource-parser", "zod"],
];

/** Each room and what it may import. A room uses only rooms above it in this list, so the arrows cannot form a circle. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  "text/panels-en": ["base"],
  "text/panels-ko": ["text/panels-en"],
  text: ["base", "text/panels-en", "text/panels-ko"],
  live: ["base"],
  chart: ["base", "text", "live"],
  "parts/basic": ["base", "text"],
  "parts/lists": [],
  "parts/schedules": ["base", "text", "live", "parts/basic", "parts/lists"],
  "parts/delay": ["base", "text", "live", "parts/basic"],
  "parts/platform": ["base", "text", "live", "chart", "parts/basic", "parts/delay", "parts/schedules"],
  "parts/video": ["base", "text", "live", "parts/basic"],
  "parts/webhook": ["base", "text", "live", "parts/basic", "parts/lists", "parts/platform"],
  "parts/sources": ["base", "text", "parts/basic", "parts/lists", "parts/platform"],
  "parts/channel": [
    ...["base", "text", "live", "chart", "parts/basic", "parts/platform", "parts/sources"],
    ...["parts/video", "parts/webhook"],
  ],
  "parts/history": ["base", "text", "live", "parts/basic", "parts/lists", "parts/platform"],
  "parts/overview": ["base", "text", "live", "chart", "parts/basic", "parts/platform", "parts/video", "parts/channel"],
  "parts/alerts": ["base", "text", "live", "parts/basic", "parts/platform"],
  "parts/audit": ["base", "text", "live", "parts/basic", "parts/lists"],
  "parts/recordings": ["base", "text", "live", "parts/basic", "parts/lists"],
  "parts/start": ["base", "text", "live", "parts/basic", "parts/platform"],
  "parts/nodes": ["base", "text", "live", "parts/basic", "parts/lists"],
  "parts/contacts": ["base", "text", "live", "parts/basic", "parts/lists"],
  "parts/settings": ["base", "text", "live", "parts/basic", "parts/lists"],
  "parts/shell": ["base", "text", "live", "parts/basic", "parts/platform"],
  pages: [
    ...["base", "text", "live"],
    ...["parts/basic", "parts/platform", "parts/channel", "parts/history", "parts/overview"],
    ...[
      "parts/alerts",
      "parts/contacts",
      "parts/nodes",
      "parts/recordings",
      "parts/schedules",
      "parts/settings",
      "parts/shell",
      "parts/sources",
      "parts/start",
    ],
    "parts/webhook",
  ],
  // `app.tsx` and `main.tsx`.
  ".": ["base", "text", "live", "parts/alerts", "parts/audit", "parts/basic", "parts/overview", "parts/shell", "pages"],
};
/** Rooms that may know the server's contract. */
const KNOW_CONTRACT = [
  "parts/audit",
  "base",
  "text",
  "text/panels-en",
  "text/panels-ko",
  "parts/alerts",
  "parts/contacts",
  "parts/history",
  "parts/platform",
  "parts/channel",
  "parts/start",
];

/** The imports of a file with JSX, which the reader of plain sources cannot parse: static ones, dynamic ones, workers. */
const IMPORTS = /^(?:import|export (?:type )?\{)[^;"]*"([^"]+)";$|\bimport\("([^"]+)"\)|new URL\("([^"]+)"/gm;

const importsOf = (text: string): readonly string[] =>
  [...text.matchAll(IMPORTS)].map(([, plain, dynamic, worker]) => plain ?? dynamic ?? worker ?? "");

type SourceFile = { readonly path: string; readonly room: string; readonly text: string };

function sourceFiles(): readonly SourceFile[] {
  const folder = join(ROOT, "web", "src");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:tsx?|css)$/.test(name))
    .map((name) => {
      const path = name.split(sep).join("/");
      return { path, room: posix.dirname(path), text: readFileSync(join(folder, name), "utf8") };
    });
}

/** Why this file may not import that, or nothing. */
function problemOf({ path, room }: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return PACKAGES.includes(specifier) ? undefined : `${path} imports ${specifier}`;
  const target = posix.join("web/src", posix.dirname(path), specifier);
  if (target.endsWith(".css")) return room === "." ? undefined : `${path} imports a style`;
  if (target.startsWith("src/api-contract/") && KNOW_CONTRACT.includes(room)) return undefined;
  // Types only: they are made from the OpenAPI document.
  if (target === "src/client/api-types.ts" && room === "base") return undefined;
  if (!target.startsWith("web/src/")) return `${path} imports ${target}`;
  const other = posix.dirname(target.slice("web/src/".length));
  return other === room || MAY_IMPORT[room]?.includes(other) ? undefined : `${path} imports ${specifier} of ${other}`;
}

const FILES = sourceFiles();
const CODE = FILES.filter(({ path }) => !path.endsWith(".css"));

test("the table's arrows point to rooms above alone, and each of them is used", () => {
  const rooms = Object.keys(MAY_IMPORT);
  expect([...new Set(CODE.map(({ room }) => room))].toSorted()).toEqual(rooms.toSorted());
  const downward = rooms.flatMap((room, index) =>
    (MAY_IMPORT[room] ?? []).filter((other) => !rooms.slice(0, index).includes(other)).map((other) => [room, other]),
  );
  expect(downward).toEqual([]);
  const used = new Set(
    CODE.flatMap(({ path, room, text }) =>
      importsOf(text).map((specifier) => `${room} → ${posix.dirname(posix.join(posix.dirname(path), specifier))}`),
    ),
  );
  const unused = rooms.flatMap((room) =>
    (MAY_IMPORT[room] ?? []).map((other) => `${room} → ${other}`).filter((arrow) => !used.has(arrow)),
  );
  expect(unused).toEqual([]);
});

test("the dashboard knows only the contract of the server, and each room imports only what the table lets it", () => {
  const found = CODE.flatMap(({ text }) => importsOf(text));
  expect(found).toEqual(expect.arrayContaining(["mpegts.js", "./worker.ts", "./qr-code.tsx"]));
  expect(found.filter((specifier) => specifier.includes("/src/api-contract/"))).toHaveLength(30);
  expect(CODE.flatMap((file) => importsOf(file.text).flatMap((name) => problemOf(file, name) ?? []))).toEqual([]);
});

test("files are short, and folders hold few", () => {
  const long = FILES.filter(({ text }) => text.trimEnd().split("\n").length > FILE_LINES_MAX).map(({ path }) => path);
  const full = [...Map.groupBy(FILES, ({ room }) => room)]
    .filter(([, files]) => files.length > FOLDER_FILES_MAX)
    .map(([room]) => room);
  expect([...long, ...full]).toEqual([]);
});

test("tests press what they mean (test/support/dashboard/press.ts): a click goes to a place, from which a live page may move it", () => {
  const folder = join(ROOT, "test", "dashboard", "browser");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".test.ts"));
  expect(files.length).toBeGreaterThan(20);
  const clicks = files.flatMap((file) =>
    [...readFileSync(join(folder, file), "utf8").matchAll(/\.(?:click|check|uncheck|setChecked|tap)\(/g)].map(
      ([call]) => `${file}: ${call}`,
    ),
  );
  expect(clicks).toEqual([]);
});
