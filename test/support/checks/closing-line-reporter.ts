import type { Reporter, TestModule } from "vitest/node";

/**
 * Prints `N passed, N failed` (and `, N skipped` when any) alone on the last line of a run. A file that does not load
 * and an error outside every test count as failed: the line never looks better than the exit code.
 */
export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      const states = tests.map((test) => test.result().state);
      for (const state of states) if (state !== "pending") count[state] += 1;
      if (module.state() === "failed" && !states.includes("failed")) count.failed += 1;
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
    // At exit, so that no other reporter prints after it.
    process.once("exit", () => process.stdout.write(`${count.passed} passed, ${count.failed} failed${skipped}\n`));
  }
}
