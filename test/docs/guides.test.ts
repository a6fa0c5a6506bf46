import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { OPERATIONS } from "../../src/api-contract/operations.ts";
import { STEP_OF_ERROR } from "../../src/control/health/next-steps.ts";
import type { TargetLimits } from "../../src/control/presets/target-preset.ts";
import { TARGET_PRESETS } from "../../src/control/presets/target-presets.ts";
import { TARGET_ERROR_NAMES, targetError } from "../../src/thread-protocol/targets/target-errors.ts";
import { TARGET_ERROR_CODES } from "../../src/thread-protocol/targets/target-status.ts";
import { Api, CHANNEL, CHANNELS, MANAGER, VIEWER } from "../http/api.ts";
import { readPages } from "../support/checks/doc-pages.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";

const GUIDES = readPages("docs/tutorial.md", "docs/troubleshooting.md", "docs/recipes");
const TROUBLES = GUIDES.get("docs/troubleshooting.md") ?? "";
const API_PATH = /`(GET|POST|PUT|DELETE) \/api\/v2(\/[^`\s?]+)`/g;

test("troubleshooting has every lastError.code, with how it is retried, the next step, and the three questions", () => {
  const severities = (code: string) => {
    const all = TARGET_ERROR_NAMES.map((name) => targetError(name)).filter((error) => error.code === code);
    return [...new Set(all.map(({ severity }) => severity))].toSorted().join(" or ");
  };
  const rows = [...TROUBLES.matchAll(/^\| `([A-Z_]+)` \| [^|]+ \| [^|]+ \| ([^|]+) \| `([A-Z_]+)` \|$/gm)];
  expect(rows.map(([, ...cells]) => cells)).toEqual(
    TARGET_ERROR_CODES.map((code) => [code, severities(code), STEP_OF_ERROR[code]]),
  );
  const sections = TROUBLES.split(/^## /m).slice(1);
  const ofCodes = sections.filter((section) => section.startsWith("`"));
  expect(ofCodes.map((section) => /^`(\w+)`/.exec(section)?.[1])).toEqual(TARGET_ERROR_CODES);
  for (const section of ofCodes) {
    const leads = [...section.matchAll(/^\*\*(.+?)\*\* \S/gm)].map(([, lead]) => lead);
    expect(leads, section).toEqual(["What it means.", "Whose fault.", "What to do."]);
  }
});

test("every call that a guide names is one of the API", () => {
  const calls = [...GUIDES.values()].flatMap((page) =>
    [...page.matchAll(API_PATH)].map(([, method, path]) => `${method} ${path}`),
  );
  expect(calls.length).toBeGreaterThan(15);
  const known = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
  expect(calls.filter((call) => !known.includes(call))).toEqual([]);
});

test("every word in italics of a guide is on the dashboard", () => {
  const files = ["web/src", "src/api-contract/words", "src/control/presets"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => /\.tsx?$/.test(path))
      .map((path) => readFileSync(join(ROOT, folder, path), "utf8")),
  );
  const texts = new Set(files.flatMap((file) => [...file.matchAll(/"([^"\n]+)"/g)].map(([, text]) => text)));
  const words = [...GUIDES].flatMap(([page, text]) =>
    [...text.matchAll(/(?<![*\w])\*([^*\n]+)\*(?![*\w])/g)].flatMap(([, all = ""]) =>
      all.split(" → ").map((word) => `${page}: ${word}`),
    ),
  );
  expect(words.length).toBeGreaterThan(60);
  expect(words.filter((each) => !texts.has(each.slice(each.indexOf(": ") + 2)))).toEqual([]);
});

test("the addresses and limits of the platforms' recipes are those of the presets", () => {
  const preset = (name: string) => TARGET_PRESETS.find(({ targetName }) => targetName === name);
  const youtube = GUIDES.get("docs/recipes/youtube.md") ?? "";
  const chzzk = GUIDES.get("docs/recipes/chzzk.md") ?? "";
  expect(youtube).toContain(`| main | \`${preset("YOUTUBE")?.urls[0]}\` |`);
  expect(youtube).toContain(`| backup | \`${preset("YOUTUBE")?.backupUrls[0]}\` |`);
  expect(chzzk).toContain(`\`${preset("CHZZK")?.urls[0]}\``);
  const limits: TargetLimits = preset("CHZZK")?.limits ?? {};
  const kilobits = (bytes = 0) => new Intl.NumberFormat("en").format((bytes * 8) / 1_000);
  expect(chzzk).toContain(`| ${kilobits(limits.videoBytesPerSecondMax)} kbit/s at most |`);
  expect(chzzk).toContain(`AAC, ${kilobits(limits.audioBytesPerSecondMax)} kbit/s at most`);
  expect(chzzk).toContain(`| keyframe interval | ${limits.keyframeSecondsAdvised} s |`);
  expect(chzzk).toContain(`| B-frames | ${limits.bFramesMax} |`);
});

test("every button of the Stream Deck recipe works with a manager's secret key alone, with no body and with {}", async () => {
  const api = await Api.open();
  onTestFinished(() => api.close());
  const { body } = await api.call({ method: "POST", url: CHANNELS, body: CHANNEL });
  const { channelId, restream } = body.content;
  const page = GUIDES.get("docs/recipes/stream-deck.md") ?? "";
  const buttons = [...page.matchAll(/^\| [^|]+ \| `(PUT|POST|DELETE) ([^`]+)` \|$/gm)];
  expect(buttons.length).toBeGreaterThan(12);
  const press = (method: string, path: string, secretKey: string, payload?: string) =>
    api.server.inject({
      method: method as "PUT",
      url: path.replace("{channelId}", channelId).replace("{platformId}", restream[0].platId),
      headers: {
        authorization: `Bearer ${secretKey}`,
        ...(payload === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(payload === undefined ? {} : { payload }),
    });
  for (const [, method = "", path = ""] of buttons) {
    for (const payload of [undefined, "{}"]) {
      const answer = await press(method, path, MANAGER.secretKey, payload);
      // Off air some are not possible now; none is unreadable, unknown or refused for its form.
      expect([200, 409], `${method} ${path} ${payload}: ${answer.body}`).toContain(answer.statusCode);
    }
    expect((await press(method, path, VIEWER.secretKey)).statusCode, path).toBe(401);
  }
});

test("the Korean README has the headings, links, blocks and commands of the English one", () => {
  const [english = "", korean = ""] = readPages("README.md", "README.ko.md").values();
  const shape = (page: string) => ({
    headings: [...page.matchAll(/^(#+) /gm)].map(([, marks]) => marks),
    links: [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link).filter((link) => !/^README/.test(link)),
    blocks: [...page.matchAll(/^```.*?^```$/gms)].map(([block]) => block),
    points: page.match(/^- \*\*/gm)?.length,
    commands: [...page.matchAll(/`(npm [^`]+)`/g)].map(([, command]) => command),
  });
  expect(shape(english).links.length).toBeGreaterThan(15);
  expect(shape(korean)).toEqual(shape(english));
  expect(english).toContain("](README.ko.md)");
  expect(korean).toContain("](README.md)");
});

test("the documentation site's menu has every page and folder of docs/, and the index every page that is not in a folder", () => {
  const menu = readFileSync(join(ROOT, "scripts", "docs-site", ".vitepress", "config.mjs"), "utf8");
  const pages = [...readPages("docs").keys()].map((path) => path.replace("docs/", ""));
  const places = [...new Set(pages.map((path) => path.replace(/\/.*$/, "")))];
  expect(places.length).toBeGreaterThan(12);
  expect(
    places.filter((place) => !menu.includes(place.endsWith(".md") ? `"${place}"` : `pagesOf("${place}")`)),
  ).toEqual([]);
  const index = readFileSync(join(ROOT, "docs", "README.md"), "utf8");
  const top = pages.filter((path) => !path.includes("/") && path !== "README.md");
  expect(top.filter((page) => !index.includes(`](${page})`))).toEqual([]);
});
