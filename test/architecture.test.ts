import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { expect, test } from "vitest";
import { architectureProblems, type SourceTree } from "./support/checks/architecture-rules.ts";

const SOURCES = join(import.meta.dirname, "..", "src");

function readSources(): SourceTree {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  return new Map(files.map((path) => [path.split(sep).join("/"), readFileSync(join(SOURCES, path), "utf8")]));
}

test("every source file keeps to the house plan", () => {
  const sources = readSources();
  expect(sources.size).toBeGreaterThan(10);
  expect(architectureProblems(sources)).toEqual([]);
});

const violations: readonly { name: string; files: Record<string, string>; problems: string[] }[] = [
  {
    name: "a static import of a room that is not in the row",
    files: { "relay/a.ts": 'import { b } from "../store/b.ts";', "store/b.ts": "export const b = 1;" },
    problems: ["relay/a.ts imports store/b.ts"],
  },
  {
    name: "an import of types only",
    files: { "http/a.ts": 'import type { B } from "../store/b.ts";', "store/b.ts": "export type B = 1;" },
    problems: ["http/a.ts imports store/b.ts"],
  },
  {
    name: "an import over several lines",
    files: { "control/a.ts": 'import {\n  type B,\n  b,\n} from "../relay/b.ts";', "relay/b.ts": "" },
    problems: ["control/a.ts imports relay/b.ts"],
  },
  {
    name: "a re-export",
    files: { "thread-protocol/a.ts": 'export { b } from "../net/b.ts";', "net/b.ts": "" },
    problems: ["thread-protocol/a.ts imports net/b.ts"],
  },
  {
    name: "an import for its effect",
    files: { "base/a.ts": 'import "../net/b.ts";', "net/b.ts": "" },
    problems: ["base/a.ts imports net/b.ts"],
  },
  {
    name: "a dynamic import",
    files: { "telemetry/a.ts": 'const b = await import("../app/b.ts");', "app/b.ts": "" },
    problems: ["telemetry/a.ts imports app/b.ts"],
  },
  {
    name: "a worker's address",
    files: { "http/a.ts": 'new Worker(new URL("../app/b.ts", import.meta.url));', "app/b.ts": "" },
    problems: ["http/a.ts imports app/b.ts"],
  },
  {
    name: "another file of a room of which one file is allowed",
    files: {
      "control/a.ts": 'import { u } from "../protocol/rtmp/url.ts";\nimport { c } from "../protocol/rtmp/command.ts";',
      "protocol/rtmp/url.ts": "",
      "protocol/rtmp/command.ts": "",
    },
    problems: ["control/a.ts imports protocol/rtmp/command.ts"],
  },
  {
    name: "a sub-room that is above",
    files: { "relay/stream/a.ts": 'import type { B } from "../subscriber/b.ts";', "relay/subscriber/b.ts": "" },
    problems: ["relay/stream/a.ts imports relay/subscriber/b.ts"],
  },
  {
    name: "another file of a sub-room than its port",
    files: {
      "relay/rendition/a.ts":
        'import type { S } from "../subscriber/subscriber.ts";\nimport type { T } from "../subscriber/rtmp-push/target.ts";',
      "relay/subscriber/subscriber.ts": "",
      "relay/subscriber/rtmp-push/target.ts": "",
    },
    problems: ["relay/rendition/a.ts imports relay/subscriber/rtmp-push/target.ts"],
  },
  {
    name: "the outer room from within",
    files: { "relay/subscriber/a.ts": 'import { b } from "../b.ts";', "relay/b.ts": "" },
    problems: ["relay/subscriber/a.ts imports relay/b.ts"],
  },
  ...[
    "control/presets → control/use-cases",
    "store/schema → store/sqlite",
    "http/answers → http/routes",
    "app/config → app/commands",
  ]
    .map((arrow) => arrow.split(" → "))
    .flatMap(([below = "", above = ""]) => [
      {
        name: `an import from ${below} up to ${above}`,
        files: { [`${below}/a.ts`]: `import { b } from "../../${above}/b.ts";`, [`${above}/b.ts`]: "" },
        problems: [`${below}/a.ts imports ${above}/b.ts`],
      },
      {
        name: `a circle inside ${above}`,
        files: {
          [`${above}/a.ts`]: 'import { b } from "./b.ts";',
          [`${above}/b.ts`]: 'import type { A } from "./a.ts";',
        },
        problems: [`cycle: ${above}/a.ts → ${above}/b.ts → ${above}/a.ts`],
      },
    ]),
  {
    name: "more files than one sees at a glance",
    files: Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`base/a${index}.ts`, ""])),
    problems: ["base has 16 files side by side"],
  },
  {
    name: "a room that is not in the table",
    files: { "utils/a.ts": "" },
    problems: ["utils/a.ts is in no room of the table"],
  },
  {
    name: "a way out of src",
    files: { "app/a.ts": 'import { t } from "../../test/t.ts";' },
    problems: ["app/a.ts imports ../../test/t.ts, outside src/"],
  },
  {
    name: "a package where only own code belongs",
    files: { "control/a.ts": 'import { z } from "zod";', "base/b.ts": 'import { readFileSync } from "node:fs";' },
    problems: ["control/a.ts imports the package zod", "base/b.ts imports the package node:fs"],
  },
  {
    name: "randomness out of node:crypto",
    files: { "control/a.ts": 'import { createHash, randomBytes } from "node:crypto";' },
    problems: ["control/a.ts takes randomBytes from node:crypto"],
  },
  {
    name: "a cycle, of types too",
    files: {
      "net/a.ts": 'import { b } from "./b.ts";',
      "net/b.ts": 'import { c } from "./c.ts";',
      "net/c.ts": 'import type { A } from "./a.ts";',
    },
    problems: ["cycle: net/a.ts → net/b.ts → net/c.ts → net/a.ts"],
  },
  {
    name: "a clock, a timer, chance or the process where they are given",
    files: {
      "relay/a.ts": "const t = Date.now();\nsetTimeout(f, 1);",
      "protocol/b.ts": "const r = Math.random();\nconst n = performance.now();\nconst d = new Date();",
      "control/c.ts": "const e = process.env;\nsetInterval(f, 1);",
    },
    problems: [
      "relay/a.ts uses Date.now",
      "relay/a.ts uses setTimeout",
      "protocol/b.ts uses new Date()",
      "protocol/b.ts uses Math.random",
      "protocol/b.ts uses performance.now",
      "control/c.ts uses setInterval",
      "control/c.ts uses process",
    ],
  },
  {
    name: "a file that is more than one concept",
    files: { "http/a.ts": "export {};\n".repeat(401) },
    problems: ["http/a.ts has 401 lines"],
  },
];

test.each(violations)("the plan's test finds $name", ({ files, problems }) => {
  expect(architectureProblems(new Map(Object.entries(files)))).toEqual(problems);
});

test("words in comments and strings, own rooms and allowed rooms are no violation", () => {
  const files = {
    "relay/a.ts": '// Date.now() is not used\nconst text = "Math.random";\nimport { b } from "./b.ts";',
    "relay/b.ts": 'import type { F } from "../protocol/flv/f.ts";\nconst at = new Date(clock.wallNow());',
    "http/c.ts": 'import { f } from "../protocol/flv/f.ts";\nimport fastify from "fastify";\nconst n = Date.now();',
    "protocol/flv/f.ts": 'import { createHash } from "node:crypto";\n/* import "zod" */\nexport type F = 1;',
    "app/d.ts": 'import { a } from "../relay/a.ts";\nnew Worker(new URL("./e.ts", import.meta.url));',
    "app/e.ts": "export {};\n".repeat(400),
  };
  expect(architectureProblems(new Map(Object.entries(files)))).toEqual([]);
});
