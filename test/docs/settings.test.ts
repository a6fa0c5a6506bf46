import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { helpText } from "../../src/app/config/help-text.ts";
import { readPages } from "../support/checks/doc-pages.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";

const OPERATIONS = [...readPages("docs/operations.md", "docs/operations").values()].join("\n");
/** Of the same form as a metric's name. */
const COOKIES = ["fanfare_session", "fanfare_device"];

const distinct = (text: string, pattern: RegExp): readonly string[] => [
  ...new Set([...text.matchAll(pattern)].map(([word]) => word)),
];

test("the operator's table has every flag and every variable of the help, and no other", () => {
  const table = OPERATIONS.split("\n").filter((line) => line.startsWith("| `--"));
  const help = helpText();
  const flags = distinct(help, /^ {2}--[a-z0-9-]+/gm).map((flag) => flag.trim());
  expect(flags.length).toBeGreaterThan(25);
  expect(distinct(table.join("\n"), /`--[a-z0-9-]+`/g).toSorted()).toEqual(
    flags.map((flag) => `\`${flag}\``).toSorted(),
  );
  const variables = distinct(help, /^ {6}(?:FANFARE|OTEL)_[A-Z0-9_]+/gm).map((variable) => variable.trim());
  expect(variables.filter((variable) => !OPERATIONS.includes(`\`${variable}\``))).toEqual([]);
});

/** Of commands that call a server; docs/cli.md is their help. */
const OF_CLIENTS = ["FANFARE_URL"];

test("every variable that a page of ours names is in the help", () => {
  const pages = [...readPages("README.md", "docs").values()];
  const named = pages.flatMap((page) => distinct(page, /\b(?:FANFARE|OTEL)_[A-Z_]*[A-Z]/g));
  expect(named.length).toBeGreaterThan(30);
  const help = helpText();
  expect([...new Set(named)].filter((variable) => !help.includes(variable) && !OF_CLIENTS.includes(variable))).toEqual(
    [],
  );
});

test("the operator's table has every metric, and no other", () => {
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => readFileSync(join(ROOT, "src", path), "utf8"));
  const published = distinct(sources.join("\n"), /"fanfare_[a-z_]+"/g)
    .map((name) => name.slice(1, -1))
    .filter((name) => !COOKIES.includes(name));
  expect(published.length).toBeGreaterThan(20);
  expect(distinct(OPERATIONS, /fanfare_[a-z_]+/g).toSorted()).toEqual(published.toSorted());
});
