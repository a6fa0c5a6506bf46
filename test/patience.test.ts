import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import config from "../vitest.config.ts";

/** Twenty times what a busy machine with two cores was seen to take, in milliseconds. */
const DEADLINE_LEAST_MS = 20_000;

test("no test waits for vitest's own second: every project gives a poll 20 s, and nothing waits without poll", () => {
  const projects = (config.test?.projects ?? []).map((project) =>
    typeof project === "object" && "test" in project ? project.test : undefined,
  );
  expect(projects.length).toBeGreaterThan(3);
  const poll = projects.map((project) => project?.expect?.poll?.timeout ?? 0);
  expect(poll.filter((timeout) => timeout < DEADLINE_LEAST_MS)).toEqual([]);

  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  expect(files.length).toBeGreaterThan(500);
  const own = files.flatMap((path) =>
    [...readFileSync(join(import.meta.dirname, path), "utf8").matchAll(/\bvi\.wait\w+\(/g)].map(
      ([call]) => `${path}: ${call}`,
    ),
  );
  expect(own).toEqual([]);
  // A shorter time of its own is no gain: it bounds a failing test alone.
  const shorter = files.flatMap((path) =>
    [...readFileSync(join(import.meta.dirname, path), "utf8").matchAll(/\bpoll\(.*timeout: ([\d_]+) ?[,}]/g)]
      .filter(([, timeout = ""]) => Number(timeout.replaceAll("_", "")) < DEADLINE_LEAST_MS)
      .map(([call]) => `${path}: ${call}`),
  );
  expect(shorter).toEqual([]);
});
