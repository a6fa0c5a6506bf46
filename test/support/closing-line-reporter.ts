import type { Reporter, TestModule } from "vitest/node";

/**
 * Prints `N passed, N failed` (and `, N skipped` when any) alone on the last line of a run. A file that does not load
 * and an error outside every test count as failed: the line never looks better than the exit code.
 * A test that needed its second try is named before it: it is a bug to find, though it does not fail the run.
 */
export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const unsteady: string[] = [];
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests)
        if (test.diagnostic()?.flaky === true) unsteady.push(`${module.relativeModuleId} > ${test.fullName}`);
      const states = tests.map((test) => test.result().state);
      for (const state of states) if (state !== "pending") count[state] += 1;
      if (module.state() === "failed" && !states.includes("failed")) count.failed += 1;
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
    // At exit, so that nothing another reporter still has to say comes after it.
    const notes = unsteady.map((name) => `passed only on the second try: ${name}\n`).join("");
    process.once("exit", () =>
      process.stdout.write(`${notes}${count.passed} passed, ${count.failed} failed${skipped}\n`),
    );
  }
}
