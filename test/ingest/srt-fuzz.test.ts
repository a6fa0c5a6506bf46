import { expect, test } from "vitest";
import { runSrtFuzz } from "../soak/fuzzing/srt-fuzz-run.ts";

test("hostile datagrams break nothing, keep little, and disturb no healthy encoder", async () => {
  const seed = Number(process.env["FANFARE_FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  const result = await runSrtFuzz(10_000, seed);
  // The attacks reached connections that were accepted.
  expect(result.accepted).toBeGreaterThan(10);
  expect(result.gapMs).toBe(40);
});
