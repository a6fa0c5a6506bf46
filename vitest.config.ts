import { defineConfig } from "vitest/config";
import { ClosingLineReporter } from "./test/support/closing-line-reporter.ts";

/** Generous beside what the tests need, so that a busy machine does not fail them. */
const E2E_TIMEOUT_MS = 120_000;
const UNIT_TIMEOUT_MS = 20_000;
/** End-to-end files that run at the same time on two cores: they wait for clocks and encoders most of the time. */
const FILES_SIDE_BY_SIDE = 3;
/** Files that compare a cost or a rate, hold a gap against a bound, or take a core for themselves. */
const ALONE = [
  "test/e2e/relay-cost.test.ts",
  "test/e2e/every-byte.test.ts",
  "test/app/message-flood.test.ts",
  "test/ingest/strangers.test.ts",
];
/** Tests of one file that mostly wait run side by side, each with a server of its own. */
const SIDE_BY_SIDE = 3;

export default defineConfig({
  test: {
    reporters: ["default", new ClosingLineReporter()],
    maxConcurrency: SIDE_BY_SIDE,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/dashboard/browser/**", ...ALONE],
          testTimeout: UNIT_TIMEOUT_MS,
          // Unless told it leaves one core idle: half of two.
          maxWorkers: "100%",
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Real encoders, servers and clocks, that mostly wait: files side by side.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts", "test/dashboard/browser/**/*.test.ts"],
          exclude: ALONE,
          testTimeout: E2E_TIMEOUT_MS,
          hookTimeout: E2E_TIMEOUT_MS,
          maxWorkers: FILES_SIDE_BY_SIDE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // What measures, or takes a whole core by itself: one file after another, and alone on the machine.
        test: {
          name: "e2e-alone",
          include: ALONE,
          testTimeout: E2E_TIMEOUT_MS,
          hookTimeout: E2E_TIMEOUT_MS,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
