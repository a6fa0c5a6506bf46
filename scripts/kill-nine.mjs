// Kills a real server again and again (by default 1,000 times) while clients write, and prints the result of the
// writes. Run as `npm run kill-nine -- [kills] [seed]`.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KillNine } from "../test/support/processes/kill-nine.ts";

const [kills = "1000", seed = "1"] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "fanfare-kill-"));
try {
  const startMs = performance.now();
  const result = await new KillNine(folder, Number(seed)).run(Number(kills));
  const seconds = Math.round((performance.now() - startMs) / 1_000);
  process.stdout.write(`${JSON.stringify({ seed: Number(seed), seconds, ...result }, undefined, 2)}\n`);
  if (result.wrong.length > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
