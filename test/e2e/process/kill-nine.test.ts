import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { KillNine } from "../../support/processes/kill-nine.ts";

/**
 * Two servers side by side: most of a life is the start. `npm run kill-nine` kills as often as it is told, and
 * test/store/sqlite.test.ts kills a process with the store alone twenty times.
 */
const KILLS_EACH = 5;
const SEEDS = [1, 2];
/** Ten times what it takes on a quiet machine. */
const DEADLINE_MS = 300_000;

test("no acknowledged write is lost in ten kills at random moments", { timeout: DEADLINE_MS }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-kill-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const results = await Promise.all(SEEDS.map((seed) => new KillNine(join(folder, `${seed}`), seed).run(KILLS_EACH)));
  for (const { kills, acknowledged, wrong } of results) {
    expect(wrong).toEqual([]);
    expect(kills).toBe(KILLS_EACH);
    // There was something to lose.
    for (const count of Object.values(acknowledged)) expect(count).toBeGreaterThan(0);
  }
});
