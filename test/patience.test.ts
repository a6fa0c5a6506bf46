import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import config from "../vitest.config.ts";

/** Twenty times what a busy machine with two cores was seen to take, in milliseconds. */
const DEADLINE_LEAST_MS = 20_000;
/** Ten times what the longest test took with its machine to itself, in milliseconds. */
const HANGING_LEAST_MS = 300_000;

const projects = (config.test?.projects ?? []).map((project) =>
  typeof project === "object" && "test" in project ? project.test : undefined,
);
const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path, text: readFileSync(join(import.meta.dirname, path), "utf8") }));

/** Where the pattern's first group is a number of milliseconds, or a constant of the file that is one, below this. */
function shorter(pattern: RegExp, leastMs: number, among = files): string[] {
  return among.flatMap(({ path, text }) => {
    const numberOf = (given: string): number => {
      const value = /^\d/.test(given) ? given : new RegExp(`^const ${given} = ([\\d_]+);`, "m").exec(text)?.[1];
      return Number(value?.replaceAll("_", "") ?? Number.POSITIVE_INFINITY);
    };
    return [...text.matchAll(pattern)]
      .filter(([, given = ""]) => numberOf(given) < leastMs)
      .map(([call]) => `${path}: ${call}`);
  });
}

test("no test waits for vitest's own second: every project gives a poll 20 s, and nothing waits without poll", () => {
  expect(projects.length).toBeGreaterThan(3);
  expect(files.length).toBeGreaterThan(500);
  const poll = projects.map((project) => project?.expect?.poll?.timeout ?? 0);
  expect(poll.filter((timeout) => timeout < DEADLINE_LEAST_MS)).toEqual([]);
  const own = files.flatMap(({ path, text }) =>
    [...text.matchAll(/\bvi\.wait\w+\(/g)].map(([call]) => `${path}: ${call}`),
  );
  expect(own).toEqual([]);
  // A shorter time of its own is no gain: it bounds a failing test alone.
  expect(shorter(/\bpoll\([^;]*?\btimeout: ([\d_]+|[A-Z_]+) ?[,}]/g, DEADLINE_LEAST_MS)).toEqual([]);
});

test("every test, and what opens and closes its stage, may take 300 s, and none has a shorter time of its own", () => {
  const limits = projects.flatMap((project) => [project?.testTimeout ?? 0, project?.hookTimeout ?? 0]);
  expect(limits.filter((timeout) => timeout < HANGING_LEAST_MS)).toEqual([]);
  const tests = files.filter(({ path }) => path.endsWith(".test.ts"));
  // As an option before the test, and as the argument after it.
  for (const pattern of [
    /^test[^\n]*\{\n {2}timeout: ([\d_]+|[A-Z_]+),$/gm,
    /\btest[^\n]*\{ timeout: ([\d_]+|[A-Z_]+) \}/g,
    /^ *\},\n {2}([\d_]+|[A-Z_]+),\n\);$/gm,
    /^\}, ([\d_]+|[A-Z_]+)\);$/gm,
  ])
    expect(shorter(pattern, HANGING_LEAST_MS, tests)).toEqual([]);
});

test("a test that runs beside others of its file polls with its own expect: the shared one knows the test that began last", () => {
  const shared = files.flatMap(({ path, text }) =>
    text
      .split(/^(?=[a-z/])/m)
      .filter((block) => /^test[^\n]*\.concurrent\b/.test(block) && block.includes("expect.poll("))
      .filter((block) => !/\{[^{}]*\bexpect\b[^{}]*\}/.test(block.slice(0, block.indexOf("=>"))))
      .map((block) => `${path}: ${block.slice(0, block.indexOf("\n"))}`),
  );
  expect(shared).toEqual([]);
});
