import { defineConfig } from "vitest/config";
import { ClosingLineReporter } from "./test/support/closing-line-reporter.ts";

/** Generous beside what the tests need, so that a busy machine does not fail them. */
const E2E_TIMEOUT_MS = 120_000;
const UNIT_TIMEOUT_MS = 20_000;
/** Real processes and sockets on a busy machine: one more try, which the reporter names, so that nobody overlooks it. */
const TRIES_MORE = 1;
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
          exclude: ["test/e2e/**", "test/dashboard/browser/**"],
          testTimeout: UNIT_TIMEOUT_MS,
          retry: TRIES_MORE,
          // Unless told it leaves one core idle: half of two.
          maxWorkers: "100%",
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Real encoders, servers and clocks: one file after another, and alone on the machine.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts", "test/dashboard/browser/**/*.test.ts"],
          testTimeout: E2E_TIMEOUT_MS,
          retry: TRIES_MORE,
          hookTimeout: E2E_TIMEOUT_MS,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
