import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { ROOM_RULES, SUBROOM_RULES } from "../support/checks/architecture-rules.ts";
import { readPages } from "../support/checks/doc-pages.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";

/** Folders beside `src/` whose files the pages name with their full path. */
const TOP_FOLDERS = ["src", "web", "test", "bench", "scripts", "docs"];
const ROOMS = readdirSync(join(ROOT, "src"));
const BUILDING_PAGES = [
  "docs/architecture.md",
  "docs/how-to-change.md",
  "docs/glossary.md",
  "docs/decisions",
  "CONTRIBUTING.md",
];
const ALL_PAGES = [
  "README.md",
  "README.ko.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  "bench/README.md",
  "docs",
];

/** The text between single backticks on a page, without code blocks. */
const quoted = (page: string): readonly string[] =>
  [...page.replace(/^```.*?^```$/gms, "").matchAll(/`([^`\n]+)`/g)].map((each) => each[1] ?? "");

/** Paths that a page names: `src/…`, `test/…`, or a room of `src/` with its file, as `relay/engine`. */
function pathsIn(page: string): readonly string[] {
  return quoted(page).flatMap((words) => {
    const [path = ""] = words.split(" ");
    const [first = "", ...rest] = path.split("/");
    if (!/^[\w./-]+$/.test(path) || rest.length === 0) return [];
    if (TOP_FOLDERS.includes(first)) return [path];
    return ROOMS.includes(first) ? [`src/${path}`] : [];
  });
}

const isThere = (path: string): boolean =>
  ["", ".ts", ".tsx", ".c"].some((extension) => existsSync(join(ROOT, `${path}${extension}`)));

test("every file and room that a page on how it is built names exists", () => {
  const named = [...readPages(...BUILDING_PAGES)].flatMap(([page, text]) =>
    pathsIn(text).map((path) => ({ page, path })),
  );
  expect(named.length).toBeGreaterThan(150);
  expect(named.filter(({ path }) => !isThere(path))).toEqual([]);
});

test("every link of a page leads to an existing file and heading", () => {
  const anchors = (page: string) =>
    [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{Letter}\p{Number} -]/gu, "")
        .replaceAll(" ", "-"),
    );
  const links = [...readPages(...ALL_PAGES)].flatMap(([page, text]) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => ({ page, link })),
  );
  const broken = links.filter(({ page, link }) => {
    if (/^https?:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : join(dirname(page), path);
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchors(readFileSync(join(ROOT, target), "utf8")).includes(anchor);
  });
  expect(links.length).toBeGreaterThan(60);
  expect(broken).toEqual([]);
});

test("the page's table of rooms is the one that the architecture test checks imports against", () => {
  const page = readFileSync(join(ROOT, "docs", "architecture.md"), "utf8");
  const rows = [...page.matchAll(/^\| (`[a-z0-9` -]+`) \| [^|]+ \| ([^|]+) \|$/gm)].map(([, room = "", may = ""]) => [
    room.replaceAll("`", ""),
    may === "–" ? [] : (quoted(may)[0]?.split(" ") ?? may),
  ]);
  const rules = Object.entries(ROOM_RULES).filter(([room]) => ROOMS.includes(room));
  expect(rows.length).toBe(rules.length);
  for (const [room, may] of rows) {
    const rule = rules.find(([name]) => name === room)?.[1].map((path) => path.replace(/\.ts$/, "")) ?? [];
    const present = rule.filter((path) => ROOMS.includes(path) || path.includes("/"));
    if (room === "app") expect(may).toBe("everything above");
    else expect([room, may]).toEqual([room, expect.arrayContaining(present)]);
    if (Array.isArray(may)) expect(may).toHaveLength(present.length);
  }
});

test("the page's table of rooms inside rooms is the architecture test's", () => {
  const page = readFileSync(join(ROOT, "docs", "architecture.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z-]+\/[a-z-]+)` \| [^|]+ \| ([^|]+) \|$/gm)].map(
    ([, room = "", may = ""]) => [
      room,
      may === "–" ? [] : (quoted(may)[0]?.split(" ") ?? []).map((name) => `${room.split("/")[0]}/${name}`).toSorted(),
    ],
  );
  expect(Object.fromEntries(rows)).toEqual(
    Object.fromEntries(
      Object.entries(SUBROOM_RULES).map(([room, may]) => [
        room,
        may.map((path) => path.replace(/\.ts$/, "")).toSorted(),
      ]),
    ),
  );
});

test("the index lists every decision, each with its title", () => {
  const index = readFileSync(join(ROOT, "docs", "decisions", "README.md"), "utf8");
  const pages = [...readPages("docs/decisions")].filter(([path]) => /\/\d{4}-/.test(path));
  expect(pages.length).toBeGreaterThan(20);
  for (const [path, text] of pages) {
    const [, number = "", title = ""] = /^# (\d{4}) · (.+)$/m.exec(text) ?? [];
    expect(index).toContain(`| [${number}](${path.replace("docs/decisions/", "")}) | ${title} |`);
  }
});
