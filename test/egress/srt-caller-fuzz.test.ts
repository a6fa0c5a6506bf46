import { expect, test } from "vitest";
import { runSrtCallerFuzz } from "../soak/fuzzing/srt-caller-fuzz-run.ts";

test("a hostile platform breaks nothing, and makes us keep and send little", async () => {
  const seed = Number(process.env["FANFARE_FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  const { connected, ends } = await runSrtCallerFuzz(10_000, seed);
  // The attacks reached connections, and ended some.
  expect(connected).toBeGreaterThan(5);
  expect(ends["broken"] ?? 0).toBeGreaterThan(0);
});
