import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPages } from "../support/checks/doc-pages.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";

/** The pages whose blocks people copy. */
const PAGES = readPages("README.md", "README.ko.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md", "docs");

const API_EXAMPLES = "test/docs/api-examples.system.test.ts runs it";
const API_JSON = "test/docs/api-examples.system.test.ts reads it as JSON";
const KIT = "test/docs/commands.test.ts starts each command";
const PROXY = "test/dashboard/browser/server/reverse-proxy.test.ts runs it";
const COMMANDS = "test/docs/shell-blocks.system.test.ts runs or checks it";
const UPGRADE = "test/cli/upgrade.system.test.ts runs or checks it";
const CLI = "test/docs/cli-blocks.test.ts runs it";
const KOREAN = "test/docs/guides.test.ts compares it with README's";
const TUTORIAL = "test/docs/tutorial.system.test.ts runs it";
const DRAWING = "nothing to run: a drawing or a text to sign";

/** What checks each block, by page, in order: its language, and the test. */
const CHECKED_BY: Readonly<Record<string, readonly (readonly [language: string, how: string])[]>> = {
  "README.md": [
    ["sh", COMMANDS],
    ["sh", COMMANDS],
    ["sh", COMMANDS],
    ["json", COMMANDS],
  ],
  "README.ko.md": [
    ["sh", KOREAN],
    ["sh", KOREAN],
    ["sh", KOREAN],
    ["json", KOREAN],
  ],
  "docs/tutorial.md": [
    ["sh", TUTORIAL],
    ["sh", TUTORIAL],
    ["sh", TUTORIAL],
    ["sh", TUTORIAL],
    ["sh", TUTORIAL],
  ],
  "bench/README.md": [["sh", COMMANDS]],
  "docs/architecture.md": [["text", DRAWING]],
  "docs/operations/upgrades.md": [
    ["sh", UPGRADE],
    ["ini", UPGRADE],
  ],
  "docs/api.md": [
    ["text", DRAWING],
    ["sh", API_EXAMPLES],
    ["sh", API_EXAMPLES],
    ["sh", API_EXAMPLES],
    ["ts", API_EXAMPLES],
    ["python", API_EXAMPLES],
    ["json", API_JSON],
    ["json", API_JSON],
  ],
  "docs/api/channels.md": [["json", API_JSON]],
  "docs/api/events.md": [
    ["json", API_JSON],
    ["json", API_JSON],
    ["json", API_JSON],
    ["sh", API_EXAMPLES],
    ["json", API_JSON],
    ["sh", API_EXAMPLES],
  ],
  "docs/api/audit.md": [["json", API_JSON]],
  "docs/api/platforms.md": [["json", API_JSON]],
  "docs/api/recordings.md": [
    ["json", API_JSON],
    ["json", API_JSON],
  ],
  "docs/api/live.md": [["sh", API_EXAMPLES]],
  "docs/testkit.md": [
    ["sh", KIT],
    ["sh", KIT],
    ["sh", KIT],
  ],
  "docs/cli.md": [
    ["sh", CLI],
    ["yaml", CLI],
    ["yaml", CLI],
    ["ts", CLI],
  ],
  "docs/reverse-proxy.md": [
    ["sh", PROXY],
    ["nginx", PROXY],
    ["nginx", PROXY],
    ["caddy", COMMANDS],
    ["caddy", PROXY],
    ["yaml", COMMANDS],
  ],
};

/** The languages of the blocks of a page; of a fence without one, an empty text. Indented fences and tildes count too. */
function blocksOf(page: string): readonly string[] {
  const fences = [...page.matchAll(/^[ \t]*(?:```+|~~~+)[ \t]*(\S*)[^\n]*$/gm)].map(([, language = ""]) => language);
  return fences.filter((_, index) => index % 2 === 0);
}

test("every block of README and docs is one that a test runs or checks; a new one fails here until it is", () => {
  const found = [...PAGES].map(([path, page]) => [path, blocksOf(page)] as const).filter(([, all]) => all.length > 0);
  const expected = Object.entries(CHECKED_BY).map(([path, all]) => [path, all.map(([language]) => language)] as const);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
});

test("a test that is said to check a block exists", () => {
  const files = Object.values(CHECKED_BY).flatMap((all) => all.map(([, how]) => /^test\/\S+/.exec(how)?.[0] ?? ""));
  const missing = [...new Set(files)].filter((file) => file !== "" && !existsSync(join(ROOT, file)));
  expect(missing).toEqual([]);
});
